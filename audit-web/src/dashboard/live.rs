use std::sync::Arc;

use audit_core::reader::{FollowFrom, FollowRequest, PageRequest};
use axum::extract::{RawQuery, State};
use maud::{Markup, html};

use super::asked::Asked;
use super::explorer;
use super::layout::{self, Section};
use super::visit::Visit;
use super::{help, link, table};
use crate::api::{Query, ask, check_terms};
use crate::problem::Problem;
use crate::state::Web;

/// As many events stand there before the first one arrives.
const BEFORE: usize = 50;

/// How often a page without a script may load itself again, in seconds.
const REFRESHES: [(&str, u32); 3] = [("5", 5), ("15", 15), ("60", 60)];

/// `GET /live`: events as they are committed. The script follows the stream from where the page was
/// made; without a script the page can load itself again.
pub(super) async fn show(
    visit: Visit,
    State(web): State<Arc<Web>>,
    RawQuery(raw): RawQuery,
) -> Result<Markup, Problem> {
    let query = Query::parse(raw.as_deref(), &["q", "refresh"])?;
    let refresh = query.one_of("refresh", &REFRESHES)?;
    let text = query.filter_text("q")?.unwrap_or_default();
    let now = web.clock.now();
    let asked = Asked::parse(text, now).map_err(|error| explorer::unreadable(&error))?;
    check_terms("q", &asked.filter)?;
    // The position first: what is committed in between stands in the list and comes again, which the
    // script notices. The other way around it would be in neither.
    let from = FollowRequest::new(asked.filter.clone()).from(FollowFrom::Now);
    let followed = ask(web.reader.follow(&from)).await?;
    let page = ask(async {
        let request = PageRequest::new(asked.filter.clone()).limit(BEFORE)?;
        web.reader.page(&request).await
    });
    let page = page.await?;
    let position = followed.position.as_str();
    let stream = [("filter", asked.text.as_str()), ("after", position)];
    let content = html! {
        h1.vh { "Live" }
        form.ask role="search" method="get" action="/live" {
            label for="q" { "Filter" }
            input #q name="q" value=(text) type="search" spellcheck="false" autocomplete="off"
                autocapitalize="off" placeholder="everything";
            button.main { "Follow" }
        }
        (help::of_filters())
        div #live data-stream=(link::with("/api/v1/events/stream", &stream)) {
            div.bar.status {
                p #live-state role="status" data-state="off" {
                    "The newest events as of " (super::text::second(now)) " UTC. "
                    "This page does not follow by itself: "
                    a href=(visit.here) { "load it again" } "."
                }
                button #live-pause type="button" hidden { "Pause" }
            }
            p #live-more {}
            (table::events("Newest events", &page.events))
            p {
                a href=(link::explorer_from_now(&asked.text)) { "The same in the explorer" }
            }
            noscript { (refreshes(text, refresh)) }
        }
    };
    let head = html! {
        @if let Some(seconds) = refresh {
            noscript { meta http-equiv="refresh" content=(seconds); }
        }
    };
    Ok(layout::page_with_head(
        &visit,
        Section::Live,
        "Live",
        &head,
        &content,
    ))
}

fn refreshes(text: &str, chosen: Option<u32>) -> Markup {
    html! {
        nav.choice aria-label="Load again by itself" {
            @let off = chosen.is_none().then_some("true");
            a href=(link::live(text)) aria-current=[off] { "never" }
            @for (word, seconds) in REFRESHES {
                @let current = (chosen == Some(seconds)).then_some("true");
                a href=(link::with("/live", &[("q", text), ("refresh", word)])) aria-current=[current] {
                    "every " (seconds) " s"
                }
            }
        }
    }
}

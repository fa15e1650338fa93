use std::sync::Arc;

use audit_core::Glob;
use audit_core::event::EventSummary;
use audit_core::reader::{Condition, Filter, GroupBy, Page, PageRequest, TextField};
use audit_core::visible;
use axum::Extension;
use axum::extract::{RawQuery, State};
use maud::{Markup, html};

use super::asked::Asked;
use super::counts::Counts;
use super::layout::{self, Section};
use super::period::{self, Period};
use super::ranking::Ranking;
use super::visit::Visit;
use super::{link, summary, table};
use crate::api::{Query, ask, invalid};
use crate::problem::Problem;
use crate::state::Web;

/// What has a page of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Key,
    Session,
    Tool,
}

/// As many of its latest events are listed.
const LATEST: usize = 25;

const BY_KEY: Ranking<'static> = Ranking {
    title: "Keys",
    of: "key",
    by: GroupBy::Text(TextField::Key),
};
const BY_SESSION: Ranking<'static> = Ranking {
    title: "Sessions",
    of: "session",
    by: GroupBy::Text(TextField::Session),
};
const BY_TOOL: Ranking<'static> = Ranking {
    title: "Tools",
    of: "tool",
    by: GroupBy::Text(TextField::Tool),
};

impl Kind {
    /// What the texts of a field name.
    pub(super) const fn of(field: TextField) -> Option<Self> {
        match field {
            TextField::Key => Some(Self::Key),
            TextField::Session => Some(Self::Session),
            TextField::Tool => Some(Self::Tool),
            _ => None,
        }
    }

    /// The page's path.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Key => "/key",
            Self::Session => "/session",
            Self::Tool => "/tool",
        }
    }

    const fn field(self) -> TextField {
        match self {
            Self::Key => TextField::Key,
            Self::Session => TextField::Session,
            Self::Tool => TextField::Tool,
        }
    }

    /// The periods to choose from, and the usual one.
    const fn periods(self) -> (&'static [Period], Period) {
        match self {
            Self::Key | Self::Tool => (Period::BOUNDED, Period::Day),
            Self::Session => (Period::ANY, Period::All),
        }
    }

    /// By what its calls are counted.
    const fn rankings(self) -> [Ranking<'static>; 2] {
        match self {
            Self::Key => [BY_TOOL, BY_SESSION],
            Self::Session => [BY_TOOL, BY_KEY],
            Self::Tool => [BY_KEY, BY_SESSION],
        }
    }

    /// The events of the one of this name.
    fn filter(self, name: &str) -> Filter {
        Filter::all().with(Condition::Text(self.field(), Glob::exact(name)))
    }
}

/// `GET /key`, `/session`, `/tool`: what one of them did lately.
pub(super) async fn show(
    Extension(kind): Extension<Kind>,
    visit: Visit,
    State(web): State<Arc<Web>>,
    Extension(counts): Extension<Arc<Counts>>,
    RawQuery(raw): RawQuery,
) -> Result<Markup, Problem> {
    let query = Query::parse(raw.as_deref(), &["at", "name", "since"])?;
    let name = query.text("name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| invalid("name", "the page is about one: say which"))?;
    let (periods, usual) = kind.periods();
    let period = Period::read(&query, periods)?.unwrap_or(usual);
    let at = Asked::moment(&query, web.clock.now())?;
    let text = format!("{} {}", kind.filter(name), period.term());
    let asked = Asked::parse(&text, at).map_err(|error| invalid("name", error))?;
    let rankings = kind.rankings();
    let (summary, latest) = tokio::join!(
        summary::of(&web, &counts, &asked, &rankings),
        latest(&web, &asked.filter),
    );
    let word = kind.field().as_str();
    let content = html! {
        div.title {
            h1 { small { (word) } " " (visible(name)) }
            (period::choice(kind.path(), &[("name", name)], periods, period))
        }
        (summary)
        section {
            h2 { "Latest events" }
            @let page = latest?;
            @if page.events.is_empty() {
                p.empty { "No event of this " (word) " in this time." }
            } @else {
                (table::events("Latest events", &page.events))
                p {
                    a href=(asked.link()) { "All of them in the explorer" } " · "
                    a href=(link::live(&kind.filter(name).to_string())) { "Live" }
                }
            }
        }
    };
    let title = format!("{word} {}", visible(name));
    Ok(layout::page(&visit, Section::Explorer, &title, &content))
}

async fn latest(web: &Web, filter: &Filter) -> Result<Page<EventSummary>, Problem> {
    ask(async {
        let request = PageRequest::new(filter.clone()).limit(LATEST)?;
        web.reader.page(&request).await
    })
    .await
}

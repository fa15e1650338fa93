use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use futures_util::future::join_all;
use maud::{Markup, html};

use super::asked::Asked;
use super::bars::Bars;
use super::chart;
use super::counts::Counts;
use super::explorer::{self, FIRST_FILTER};
use super::layout::{self, Section};
use super::ranking::{FACETS, SHOWN};
use super::text::{counted, second};
use super::visit::Visit;
use crate::api::{Query, check_terms};
use crate::problem::Problem;
use crate::state::Web;

/// `GET /explore/counts`: what matches a filter, over time and by group.
///
/// A page of its own, since the list is there long before the store has counted. The script takes it
/// into the explorer; without a script it is a link away.
pub(super) async fn show(
    visit: Visit,
    State(web): State<Arc<Web>>,
    Extension(counts): Extension<Arc<Counts>>,
    RawQuery(raw): RawQuery,
) -> Result<Markup, Problem> {
    let query = Query::parse(raw.as_deref(), &["at", "q"])?;
    let at = Asked::moment(&query, web.clock.now())?;
    let text = query.filter_text("q")?.unwrap_or(FIRST_FILTER);
    let asked = Asked::parse(text, at).map_err(|error| explorer::unreadable(&error))?;
    check_terms("q", &asked.filter)?;
    let facets = FACETS.map(|facet| counts.of(&web, &asked.filter, facet.by, SHOWN));
    let (bars, facets) = tokio::join!(Bars::count(&web, &counts, &asked), join_all(facets));
    let content = html! {
        h1 { "Counts" }
        p { a href=(asked.link()) { "Back to the list" } }
        div #counts {
            div.histogram {
                @match &bars {
                    Ok(bars) => {
                        p.as-of {
                            (counted(bars.n_all(), "event", "events"))
                            ", as of " (second(at)) " UTC"
                        }
                        (chart::drawn(&asked, bars))
                    }
                    Err(problem) => p.problem { "Not drawn: " (problem.detail()) },
                }
            }
            div.facets {
                @for (facet, counted) in FACETS.iter().zip(&facets) {
                    (facet.facet(&asked, counted))
                }
            }
        }
    };
    Ok(layout::page(&visit, Section::Explorer, "Counts", &content))
}

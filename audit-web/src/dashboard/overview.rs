use std::sync::Arc;

use audit_core::reader::{GroupBy, TextField};
use axum::Extension;
use axum::extract::{RawQuery, State};
use maud::{Markup, html};

use super::asked::Asked;
use super::counts::Counts;
use super::layout::{self, Section};
use super::period::{self, Period};
use super::ranking::Ranking;
use super::summary;
use super::visit::Visit;
use crate::api::{Query, invalid};
use crate::problem::Problem;
use crate::state::Web;

const BUSIEST: [Ranking<'static>; 2] = [
    Ranking {
        title: "Busiest tools",
        of: "tool",
        by: GroupBy::Text(TextField::Tool),
    },
    Ranking {
        title: "Busiest keys",
        of: "key",
        by: GroupBy::Text(TextField::Key),
    },
];

/// `GET /`: what went on lately.
pub(super) async fn show(
    visit: Visit,
    State(web): State<Arc<Web>>,
    Extension(counts): Extension<Arc<Counts>>,
    RawQuery(raw): RawQuery,
) -> Result<Markup, Problem> {
    let query = Query::parse(raw.as_deref(), &["at", "since"])?;
    let period = Period::read(&query, Period::BOUNDED)?.unwrap_or(Period::Day);
    let at = Asked::moment(&query, web.clock.now())?;
    let asked = Asked::parse(&period.term(), at).map_err(|error| invalid("since", error))?;
    let content = html! {
        div.title {
            h1 { "The last " (period.title()) }
            (period::choice("/", &[], Period::BOUNDED, period))
        }
        (summary::of(&web, &counts, &asked, &BUSIEST).await)
    };
    Ok(layout::page(
        &visit,
        Section::Overview,
        "Overview",
        &content,
    ))
}

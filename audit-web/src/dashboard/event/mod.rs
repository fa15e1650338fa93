mod facts;
mod neighbors;
mod payloads;

use std::sync::Arc;

use audit_core::event::{AuditEvent, EventId, EventMetadata, EventSummary, PayloadReports};
use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};

use super::class::Class;
use super::layout::{self, Section};
use super::visit::Visit;
use super::{link, shell, table, words};
use crate::access::Scope;
use crate::api::{Query, ask};
use crate::problem::Problem;
use crate::state::Web;

/// `GET /event/{id}`: everything that is known of one event. Its payloads are shown to whoever may see
/// them, which is recorded first, unless `payloads=no`.
pub(super) async fn show(
    visit: Visit,
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> Result<Markup, Problem> {
    let query = Query::parse(raw.as_deref(), &["payloads"])?;
    let is_wanted = query.one_of("payloads", &[("no", false), ("yes", true)])?;
    let no_such = || Problem::not_found("there is no event of this id");
    let id: EventId = id.parse().map_err(|_| no_such())?;
    let found = ask(web.reader.get(id)).await?;
    let event = found.ok_or_else(no_such)?;
    let is_wanted = is_wanted.unwrap_or(true);
    let may_see = visit.viewer.may_see_payloads();
    let has_some = event.request().is_some() || event.response().is_some();
    if is_wanted && may_see && has_some {
        web.record_read(&visit.viewer, id).await?;
    }
    let neighbors = neighbors::of(&web, &event).await;
    let content = html! {
        article #event {
            h1 { (title(&event)) }
            (head(&event, &event.summary().payload_report))
            @if is_wanted && may_see {
                (payloads::shown(&event))
            } @else if may_see {
                (hidden(&event))
            } @else if has_some {
                section {
                    h2 { "Request and response" }
                    p.empty {
                        "Payloads are shown to tokens with the scope " code { (Scope::Auditor) }
                        "; this one has " code { (visit.viewer.scopes()) } "."
                    }
                }
            }
            (neighbors::shown(&event, &neighbors))
            (commands(&event))
        }
    };
    let name = format!("Event {id}");
    Ok(layout::page(&visit, Section::Explorer, &name, &content))
}

/// An event beside a list.
pub(super) fn beside(event: &EventSummary) -> Markup {
    html! {
        article #event {
            h2.name { (title(event)) }
            (head(event, &event.payload_report))
            p { a href=(link::event(event.id)) { "Request, response and neighbors" } }
        }
    }
}

fn title(event: &EventMetadata) -> Markup {
    let class = Class::of(event.outcome).word();
    html! { (table::what(&event)) " " span class={ "badge " (class) } { (event.outcome) } }
}

/// What came of it, who, what, when, and the decision.
fn head(event: &EventMetadata, reports: &PayloadReports) -> Markup {
    html! {
        p.lead { "Outcome: " (words::outcome(event.outcome)) "." }
        (facts::of(event, reports))
        section {
            h2 { "Decision" }
            (words::decision(&event.decision))
        }
    }
}

fn hidden(event: &AuditEvent) -> Markup {
    html! {
        p { a href=(link::event(event.id)) { "Show request and response" } " (this is recorded)" }
    }
}

fn commands(event: &AuditEvent) -> Markup {
    html! {
        section {
            h2 { "On the command line" }
            (shell::command(&["audit", "show", &event.id.to_string()]))
        }
    }
}

use audit_core::event::{AuditEvent, EventSummary};
use audit_core::reader::{Condition, Filter, Order, PageRequest, Span, TextField};
use audit_core::{Error, Glob};
use maud::{Markup, html};

use super::super::subject::Kind;
use super::super::{link, table};
use crate::api::ask;
use crate::problem::Problem;
use crate::state::Web;

/// As many are shown on each side.
const ON_EACH_SIDE: usize = 5;

/// The events of the same session that stand around an event, itself among them, in the order of
/// time; none without a session.
pub(super) async fn of(web: &Web, event: &AuditEvent) -> Result<Vec<EventSummary>, Problem> {
    let Some(session) = &event.session_id else {
        return Ok(Vec::new());
    };
    let side = |span, order| {
        let own = Condition::Text(TextField::Session, Glob::exact(session.as_str()));
        let filter = Filter::all().with(own).with(Condition::Time(span));
        PageRequest::new(filter)
            .order(order)
            .limit(ON_EACH_SIDE + 1)
    };
    let around = async {
        let before = side(Span::at_most(event.ts), Order::NewestFirst)?;
        let after = side(Span::at_least(event.ts), Order::OldestFirst)?;
        let (before, after) = tokio::try_join!(web.reader.page(&before), web.reader.page(&after))?;
        let mut events = before.events;
        events.extend(after.events);
        Ok::<_, Error>(events)
    };
    let mut events = ask(around).await?;
    events.sort_by_key(|event| event.id);
    events.dedup_by_key(|event| event.id);
    Ok(events)
}

pub(super) fn shown(event: &AuditEvent, around: &Result<Vec<EventSummary>, Problem>) -> Markup {
    html! {
        section {
            h2 { "In the same session" }
            @match (&event.session_id, around) {
                (None, _) => p.empty { "The call belongs to no session." },
                (_, Err(problem)) => p.problem { "Not listed: " (problem.detail()) },
                (Some(session), Ok(events)) => {
                    @if events.len() > 1 {
                        (table::events_around("Events of the same session", events, event.id))
                    } @else {
                        p.empty { "No other event of the session is near." }
                    }
                    p { a href=(link::subject(Kind::Session, session.as_str())) { "The whole session" } }
                }
            }
        }
    }
}

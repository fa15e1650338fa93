use std::collections::HashSet;

use audit_core::event::{AuditEvent, EventDraft, EventId};
use audit_core::logger::Recorded;
use audit_core::sink::{Receipt, RefusalKind};
use audit_core::{AuditLogger, AuditSink, Error, ErrorKind};
use futures_util::future::join_all;

use super::event::Incoming;
use super::known::Known;
use super::{Answer, Fate};
use crate::api::ask::{ask, unanswered};
use crate::problem::Problem;
use crate::state::Web;

/// An event without a number, and its place in the batch.
type Unnumbered = (usize, EventId, Box<EventDraft>);

/// Stores what can be stored, and answers for each event in its order.
///
/// Events that their gateway numbered go to the store as they are; the others are numbered by the
/// logger, together with those of other requests.
///
/// # Errors
/// The store does not answer (in time): some may be stored, and the batch is sent again.
pub(super) async fn store(
    web: &Web,
    sink: &dyn AuditSink,
    logger: &AuditLogger,
    events: Vec<Result<Incoming, Answer>>,
) -> Result<Vec<Answer>, Problem> {
    let mut answers: Vec<Option<Answer>> = Vec::with_capacity(events.len());
    let mut numbered: Vec<(usize, AuditEvent)> = Vec::new();
    let mut unnumbered: Vec<Unnumbered> = Vec::new();
    for (at, incoming) in events.into_iter().enumerate() {
        answers.push(match incoming {
            Err(answer) => Some(answer),
            Ok(Incoming::Numbered(event)) => {
                numbered.push((at, event));
                None
            }
            Ok(Incoming::Unnumbered(id, draft)) => {
                unnumbered.push((at, id, draft));
                None
            }
        });
    }
    let batch: Vec<_> = numbered.iter().map(|(_, event)| event.clone()).collect();
    let append = ask(async { Ok(sink.append(&batch).await?.into_receipts()) });
    let record = record(web, logger, unnumbered);
    let (receipts, recorded) = tokio::try_join!(append, record)?;
    for ((at, event), receipt) in numbered.into_iter().zip(receipts) {
        answers[at] = Some(of_receipt(event.id, receipt));
    }
    for (at, answer) in recorded {
        answers[at] = Some(answer);
    }
    // Each event has its answer by now.
    Ok(answers.into_iter().flatten().collect())
}

/// Records what the store does not have.
async fn record(
    web: &Web,
    logger: &AuditLogger,
    events: Vec<Unnumbered>,
) -> Result<Vec<(usize, Answer)>, Problem> {
    let mut seen = HashSet::new();
    let (first, again): (Vec<_>, Vec<_>) =
        events.into_iter().partition(|(_, id, _)| seen.insert(*id));
    let mut answers = record_unknown(web, logger, first).await?;
    // What the batch has twice is known by now.
    answers.extend(record_unknown(web, logger, again).await?);
    Ok(answers)
}

async fn record_unknown(
    web: &Web,
    logger: &AuditLogger,
    events: Vec<Unnumbered>,
) -> Result<Vec<(usize, Answer)>, Problem> {
    let ids: Vec<_> = events.iter().map(|(_, id, _)| *id).collect();
    let known = ask(Known::ask(&*web.reader, &ids)).await?;
    let recorded = events.into_iter().map(async |(at, id, draft)| {
        if known.has(id, &draft) {
            return Ok((at, Answer::of(id, Fate::AlreadyStored)));
        }
        Ok((at, of_record(id, logger.log_event(*draft).await)?))
    });
    let recorded = ask(async { Ok(join_all(recorded).await) }).await?;
    recorded.into_iter().collect()
}

fn of_receipt(id: EventId, receipt: Receipt) -> Answer {
    match receipt {
        Receipt::Stored => Answer::of(id, Fate::Stored),
        Receipt::AlreadyStored => Answer::of(id, Fate::AlreadyStored),
        Receipt::Refused(refusal) if refusal.kind() == RefusalKind::Conflict => conflict(id),
        Receipt::Refused(refusal) => Answer::refused(Some(id), refusal.to_string()),
        // An answer that was added later says nothing that could be promised.
        _ => Answer::refused(Some(id), "the store did not say that it has the event"),
    }
}

/// # Errors
/// What happened is no fault of the event.
fn of_record(id: EventId, recorded: Result<Recorded, Error>) -> Result<Answer, Problem> {
    match recorded {
        Ok(Recorded::AlreadyStored) => Ok(Answer::of(id, Fate::AlreadyStored)),
        Ok(recorded) if recorded.is_stored() => Ok(Answer::of(id, Fate::Stored)),
        Ok(_) => Err(unanswered(&Error::new(
            ErrorKind::Overloaded,
            "the server's logger did not store the event",
        ))),
        Err(error) if error.is_conflict() => Ok(conflict(id)),
        Err(error) if error.is_rejected() => {
            let reason = std::error::Error::source(&error).map(ToString::to_string);
            let reason = reason.unwrap_or_else(|| error.to_string());
            Ok(Answer::refused(Some(id), reason))
        }
        Err(error) => Err(unanswered(&error)),
    }
}

fn conflict(id: EventId) -> Answer {
    Answer {
        reason: Some("the store holds the same id with other content".to_owned()),
        ..Answer::of(id, Fate::Conflict)
    }
}

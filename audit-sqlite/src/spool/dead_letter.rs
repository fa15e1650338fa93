use std::path::Path;

use audit_core::Error;
use audit_core::event::{AuditEvent, EventId, Timestamp};

use super::schema;
use crate::error::convert;

/// An event that the store behind a spool refused for good.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SpooledDeadLetter {
    /// By which it is asked for.
    pub dead_letter_id: i64,
    /// When it was refused.
    pub set_aside_at: Timestamp,
    /// The id of the event, where that can be read.
    pub event_id: Option<EventId>,
    /// Why it was refused; quotes nothing of it.
    pub reason: String,
    /// The event, where it can be read.
    pub event: Option<AuditEvent>,
}

type Row = (i64, i64, Option<uuid::Uuid>, String, String);

pub(super) async fn list(path: &Path, limit: usize) -> Result<Vec<SpooledDeadLetter>, Error> {
    const LIST: &str = "SELECT dead_letter_id, set_aside_at, event_id, reason, event
        FROM dead_letters ORDER BY dead_letter_id LIMIT ?";
    let mut connection = schema::open_to_read(path).await?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = sqlx::query_as(LIST)
        .bind(limit)
        .fetch_all(&mut connection)
        .await;
    let rows: Vec<Row> =
        rows.map_err(|error| convert("the dead letters cannot be read", &error))?;
    Ok(rows.into_iter().map(read).collect())
}

fn read((dead_letter_id, set_aside_at, id, reason, event): Row) -> SpooledDeadLetter {
    SpooledDeadLetter {
        dead_letter_id,
        set_aside_at: Timestamp::from_micros(set_aside_at).unwrap_or(Timestamp::MIN),
        event_id: id.and_then(|id| EventId::from_uuid(id).ok()),
        reason,
        event: AuditEvent::from_json(&event).ok(),
    }
}

use audit_core::event::{AuditEvent, Timestamp};
use audit_core::{Clock as _, Error, SystemClock};
use sqlx::SqliteConnection;

use super::backlog::{Position, Spooled};
use super::command::Refused;
use crate::error::convert;

/// One row of the file.
#[derive(Debug)]
pub(super) enum Row {
    Batch(Spooled),
    /// It holds something else than events; nobody but who can write to the file can bring that
    /// about.
    Unreadable(Position, Refused),
}

impl Row {
    pub(super) fn position(&self) -> Position {
        match self {
            Self::Batch(batch) => batch.position,
            Self::Unreadable(position, _) => *position,
        }
    }
}

/// What stands directly behind a position, until there are so many events, at least one row.
pub(super) async fn behind(
    connection: &mut SqliteConnection,
    position: Position,
    max_events: usize,
) -> Result<Vec<Row>, Error> {
    const NEXT: &str = "SELECT position, bytes, spooled_at, events FROM batches
        WHERE position > ? ORDER BY position LIMIT 1";
    let mut rows = Vec::new();
    let (mut n_events, mut behind) = (0, position);
    while n_events < max_events {
        let next = sqlx::query_as(NEXT)
            .bind(behind)
            .fetch_optional(&mut *connection);
        let next = next
            .await
            .map_err(|error| convert("the spool cannot be read", &error))?;
        let Some((position, bytes, spooled_at, lines)) = next else {
            break;
        };
        let (bytes, lines): (i64, Vec<u8>) = (bytes, lines);
        let row = match decode(&lines) {
            Ok(events) => {
                n_events += events.len();
                Row::Batch(Spooled {
                    position,
                    behind,
                    events,
                    bytes: bytes.unsigned_abs(),
                    spooled_at: Timestamp::from_micros(spooled_at).unwrap_or(Timestamp::MIN),
                })
            }
            Err(reason) => Row::Unreadable(
                position,
                Refused {
                    id: None,
                    reason,
                    event: String::from_utf8_lossy(&lines).into_owned(),
                    set_aside_at: SystemClock::new().now(),
                },
            ),
        };
        behind = position;
        rows.push(row);
    }
    Ok(rows)
}

fn decode(lines: &[u8]) -> Result<Vec<AuditEvent>, String> {
    let text = std::str::from_utf8(lines).map_err(|_| "it is not UTF-8".to_owned())?;
    let events = text.lines().map(AuditEvent::from_json);
    let events = events.collect::<Result<Vec<_>, _>>();
    events.map_err(|error| format!("it cannot be read back: {error}"))
}

//! Taking over what a process left that has died.

use std::path::Path;

use audit_core::event::{AuditEvent, Timestamp};
use audit_core::{Error, ErrorKind};
use sqlx::SqliteConnection;

use super::backlog::{Position, Size};
use super::command::Adopted;
use crate::error::convert;

const TAKING: &str = "the spool of a process that has died cannot be taken over";

/// Copies all rows of another file behind this position of the own one. Done twice it does no
/// harm: the store takes each event once, and so do the other tables.
pub(super) async fn take_in(
    connection: &mut SqliteConnection,
    path: &Path,
    behind: Position,
) -> Result<Adopted, Error> {
    let failed = |error| convert(TAKING, &error);
    let path = path.to_str().ok_or_else(|| {
        let text = "the path of the spool is not UTF-8, which SQLite wants";
        Error::new(ErrorKind::Invalid, text)
    })?;
    let attach = sqlx::query("ATTACH DATABASE ? AS orphan").bind(path);
    attach.execute(&mut *connection).await.map_err(failed)?;
    let copied = copy(connection).await;
    if copied.is_err() {
        drop(sqlx::query("ROLLBACK").execute(&mut *connection).await);
    }
    let detach = sqlx::query("DETACH DATABASE orphan");
    let detached = detach.execute(&mut *connection).await;
    let intents = copied.map_err(failed)?;
    detached.map_err(failed)?;
    Ok(Adopted {
        intents: read(&intents),
        ..size(connection, behind).await?
    })
}

/// What stands in a file that was just opened.
pub(super) async fn found(connection: &mut SqliteConnection) -> Result<Adopted, Error> {
    let intents = sqlx::query_scalar("SELECT event FROM intents ORDER BY id");
    let intents: Vec<String> = intents
        .fetch_all(&mut *connection)
        .await
        .map_err(|error| convert(TAKING, &error))?;
    Ok(Adopted {
        intents: read(&intents),
        ..size(connection, 0).await?
    })
}

/// Copies everything, and gives back the attempts that were not known.
async fn copy(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    const COPY: &str = "
BEGIN IMMEDIATE;
INSERT INTO main.batches (n_events, bytes, oldest, spooled_at, events)
SELECT n_events, bytes, oldest, spooled_at, events FROM orphan.batches ORDER BY position;
INSERT OR IGNORE INTO main.intents SELECT id, event FROM orphan.intents;
INSERT OR IGNORE INTO main.dead_letters (set_aside_at, event_id, reason, event)
SELECT set_aside_at, event_id, reason, event FROM orphan.dead_letters ORDER BY dead_letter_id;
COMMIT;
";
    // Whoever took it over before may have died before it was removed: those are known already.
    const NEW: &str = "SELECT event FROM orphan.intents
        WHERE id NOT IN (SELECT id FROM main.intents) ORDER BY id";
    let intents = sqlx::query_scalar(NEW).fetch_all(&mut *connection).await?;
    sqlx::raw_sql(COPY).execute(connection).await?;
    Ok(intents)
}

/// What can be read of them; the rest stays in the file.
fn read(intents: &[String]) -> Vec<AuditEvent> {
    let intents = intents.iter().map(|text| AuditEvent::from_json(text));
    intents.filter_map(Result::ok).collect()
}

/// How much waits behind a position.
async fn size(connection: &mut SqliteConnection, behind: Position) -> Result<Adopted, Error> {
    const SIZE: &str = "
SELECT coalesce(sum(n_events), 0), coalesce(sum(bytes), 0), min(oldest),
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'batches'), 0)
FROM batches WHERE position > ?";
    let size = sqlx::query_as(SIZE)
        .bind(behind)
        .fetch_one(connection)
        .await;
    let (n_events, bytes, oldest, last): (i64, i64, Option<i64>, i64) =
        size.map_err(|error| convert(TAKING, &error))?;
    Ok(Adopted {
        size: Size {
            n_events: n_events.unsigned_abs(),
            bytes: bytes.unsigned_abs(),
        },
        last,
        oldest: oldest.and_then(|micros| Timestamp::from_micros(micros).ok()),
        intents: Vec::new(),
    })
}

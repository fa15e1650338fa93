use std::collections::{BTreeMap, HashMap, HashSet};

use audit_core::Error;
use audit_core::event::AuditEvent;
use audit_core::sink::{Receipt, Refusal};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};
use uuid::Uuid;

use super::insert::APPENDING;
use crate::error::{ResultError, convert};
use crate::row;

/// Receipts for a batch of which some events were not inserted: the same fact was there, or another
/// one under the same id, or SQLite refuses the event. `before` is the last position before it.
pub(super) async fn receipts(
    connection: &mut SqliteConnection,
    events: &[AuditEvent],
    before: i64,
    refused: &BTreeMap<usize, ResultError>,
) -> Result<Vec<Receipt>, Error> {
    // An id that comes again within the batch was stored by its first event.
    let mut is_new = inserted_behind(connection, before).await?;
    let is_stored: Vec<bool> = events
        .iter()
        .map(|event| is_new.remove(event.id.as_uuid()))
        .collect();
    let others = events.iter().zip(&is_stored).filter(|(_, is)| !**is);
    let ids: Vec<Uuid> = others.map(|(event, _)| *event.id.as_uuid()).collect();
    let held = stored(connection, &ids).await?;
    let receipt = |(place, event): (usize, &AuditEvent)| {
        if is_stored.get(place) == Some(&true) {
            return Receipt::Stored;
        }
        match (held.get(event.id.as_uuid()), refused.get(&place)) {
            (Some(Some(held)), _) if held.is_same_fact(event) => Receipt::AlreadyStored,
            (None, Some(result)) => Receipt::Refused(Refusal::unstorable(result.to_string())),
            _ => Receipt::Refused(Refusal::conflict()),
        }
    };
    Ok(events.iter().enumerate().map(receipt).collect())
}

/// The last position that was given away.
pub(super) async fn last_position(connection: &mut SqliteConnection) -> Result<i64, Error> {
    sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM audit_events")
        .fetch_one(connection)
        .await
        .map_err(|error| convert(APPENDING, &error))
}

async fn inserted_behind(
    connection: &mut SqliteConnection,
    position: i64,
) -> Result<HashSet<Uuid>, Error> {
    let ids = sqlx::query_scalar("SELECT id FROM audit_events WHERE position > ?")
        .bind(position)
        .fetch_all(connection)
        .await
        .map_err(|error| convert(APPENDING, &error))?;
    Ok(ids.into_iter().collect())
}

/// What the store holds under these ids; nothing of a row that is there and cannot be read, which
/// is another fact than any event.
async fn stored(
    connection: &mut SqliteConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Option<AuditEvent>>, Error> {
    let hex: Vec<String> = ids
        .iter()
        .map(|id| format!("\"{}\"", id.as_simple()))
        .collect();
    let sql = format!(
        "SELECT {}, {} FROM audit_events WHERE id IN (SELECT unhex(value) FROM json_each(?))",
        row::SUMMARY,
        row::PAYLOADS
    );
    // Put together from constants alone.
    let query = sqlx::query(AssertSqlSafe(sql)).bind(format!("[{}]", hex.join(",")));
    let rows = query
        .fetch_all(connection)
        .await
        .map_err(|error| convert(APPENDING, &error))?;
    let held = |row: &SqliteRow| {
        let id = row
            .try_get("id")
            .map_err(|error| convert(APPENDING, &error))?;
        let event = row::event(row)
            .inspect_err(|error| tracing::warn!(%id, %error, "a stored event is in the way"))
            .ok();
        Ok((id, event))
    };
    rows.iter().map(held).collect()
}

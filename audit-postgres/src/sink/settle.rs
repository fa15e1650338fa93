use std::collections::HashMap;

use audit_core::event::AuditEvent;
use audit_core::sink::{Receipt, Refusal};
use audit_core::{Error, ErrorKind};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use uuid::Uuid;

use super::insert::{APPENDING, Inserted};
use crate::error::convert;
use crate::row;

/// Receipts for a batch of which some events were there before: the same fact, or another one
/// under the same id.
pub(super) async fn receipts(
    connection: &mut PgConnection,
    events: &[AuditEvent],
    inserted: Inserted,
) -> Result<Vec<Receipt>, Error> {
    let Inserted::Some(flags) = inserted else {
        return Ok(vec![Receipt::Stored; events.len()]);
    };
    let not_inserted = events
        .iter()
        .zip(&flags)
        .filter(|(_, is_stored)| !**is_stored);
    let ids = not_inserted.map(|(event, _)| *event.id.as_uuid()).collect();
    let held = stored(connection, ids).await?;
    let receipt = |(event, is_stored): (&AuditEvent, &bool)| match held.get(event.id.as_uuid()) {
        _ if *is_stored => Ok(Receipt::Stored),
        Some(Some(held)) if held.is_same_fact(event) => Ok(Receipt::AlreadyStored),
        Some(_) => Ok(Receipt::Refused(Refusal::conflict())),
        // It was in the way a moment ago: retention took it meanwhile.
        None => Err(Error::new(
            ErrorKind::Unavailable,
            "an event was removed while it was compared: append again",
        )),
    };
    events.iter().zip(&flags).map(receipt).collect()
}

/// What the store holds under these ids; nothing of a row that is there and cannot be read, which
/// is another fact than any event.
async fn stored(
    connection: &mut PgConnection,
    ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, Option<AuditEvent>>, Error> {
    let sql = format!(
        "SELECT {}, {} FROM audit_events WHERE id = ANY($1)",
        row::SUMMARY,
        row::PAYLOADS
    );
    // Put together from constants alone.
    let query = sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(ids);
    let rows = query
        .fetch_all(connection)
        .await
        .map_err(|error| convert(APPENDING, &error))?;
    let held = |row: &PgRow| {
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

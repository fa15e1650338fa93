use std::collections::BTreeMap;

use audit_core::Error;
use audit_core::event::{AuditEvent, Timestamp};
use audit_core::sink::Receipt;
use sqlx::SqliteConnection;

use super::insert::APPENDING;
use crate::error::{ResultError, convert};

/// Sets refused events aside; one that was set aside before stays as it is.
pub(super) async fn set_aside(
    connection: &mut SqliteConnection,
    events: &[AuditEvent],
    receipts: &[Receipt],
    refused: &BTreeMap<usize, ResultError>,
    now: Timestamp,
) -> Result<(), Error> {
    for (place, (event, receipt)) in events.iter().zip(receipts).enumerate() {
        let Receipt::Refused(refusal) = receipt else {
            continue;
        };
        sqlx::query(
            "INSERT INTO audit_dead_letters (set_aside_at, event_id, reason, result_code, event)
             SELECT ?1, ?2, ?3, ?4, ?5
             WHERE NOT EXISTS (SELECT 1 FROM audit_dead_letters WHERE event_id = ?2 AND event = ?5)",
        )
        .bind(now.as_micros())
        .bind(*event.id.as_uuid())
        .bind(refusal.to_string())
        .bind(refused.get(&place).map(ResultError::code))
        .bind(event.to_json())
        .execute(&mut *connection)
        .await
        .map_err(|error| convert(APPENDING, &error))?;
    }
    Ok(())
}

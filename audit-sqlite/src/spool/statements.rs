//! What the writer does to attempts and dead letters within a transaction.

use audit_core::Error;
use audit_core::event::{AuditEvent, EventId, Timestamp};
use sqlx::SqliteConnection;

use super::command::Refused;
use crate::error::convert;

pub(super) const WRITING: &str = "the spool cannot be written";

pub(super) async fn open_intents(
    connection: &mut SqliteConnection,
    intents: &[AuditEvent],
) -> Result<(), Error> {
    const INSERT: &str = "INSERT INTO intents (id, event) VALUES (?, ?) ON CONFLICT DO NOTHING";
    for intent in intents {
        let query = sqlx::query(INSERT)
            .bind(*intent.id.as_uuid())
            .bind(intent.to_json());
        let inserted = query.execute(&mut *connection).await;
        inserted.map_err(|error| convert("the attempt cannot be kept", &error))?;
    }
    Ok(())
}

pub(super) async fn settle_intents(
    connection: &mut SqliteConnection,
    ids: Vec<&EventId>,
) -> Result<(), Error> {
    for id in ids {
        let query = sqlx::query("DELETE FROM intents WHERE id = ?").bind(*id.as_uuid());
        let deleted = query.execute(&mut *connection).await;
        deleted.map_err(|error| convert(WRITING, &error))?;
    }
    Ok(())
}

pub(super) async fn set_aside(
    connection: &mut SqliteConnection,
    refused: &Refused,
) -> Result<(), Error> {
    const INSERT: &str = "INSERT INTO dead_letters (set_aside_at, event_id, reason, event)
        VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let set_aside = sqlx::query(INSERT)
        .bind(Timestamp::as_micros(refused.set_aside_at))
        .bind(refused.id.map(|id| *id.as_uuid()))
        .bind(refused.reason.as_str())
        .bind(refused.event.as_str())
        .execute(connection)
        .await;
    set_aside
        .map(drop)
        .map_err(|error| convert(WRITING, &error))
}

use audit_core::Error;
use audit_core::event::AuditEvent;
use audit_core::sink::{Receipt, Refusal};
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt as _;

use super::insert::APPENDING;
use crate::error::convert;

/// An event that the store refuses, and why.
pub(super) struct DeadLetter<'a> {
    pub(super) event: &'a AuditEvent,
    pub(super) refusal: Refusal,
    pub(super) sqlstate: Option<Box<str>>,
}

impl<'a> DeadLetter<'a> {
    /// The events that were refused for their id: the store holds another one under it.
    pub(super) fn of_conflicts(
        events: &'a [AuditEvent],
        receipts: &[Receipt],
    ) -> impl Iterator<Item = Self> {
        events
            .iter()
            .zip(receipts)
            .filter_map(|(event, receipt)| match receipt {
                Receipt::Refused(refusal) => Some(Self {
                    event,
                    refusal: refusal.clone(),
                    sqlstate: None,
                }),
                _ => None,
            })
    }
}

/// Sets refused events aside; one that was set aside before stays as it is.
pub(super) async fn set_aside(
    connection: &mut PgConnection,
    letters: &[DeadLetter<'_>],
) -> Result<(), Error> {
    if letters.is_empty() {
        return Ok(());
    }
    let forms: Vec<String> = letters
        .iter()
        .map(|letter| letter.event.to_json())
        .collect();
    let reasons: Vec<String> = letters
        .iter()
        .map(|letter| letter.refusal.to_string())
        .collect();
    let query = sqlx::query(
        "INSERT INTO audit_dead_letters (event_id, reason, sqlstate, event)
         SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
         ON CONFLICT DO NOTHING",
    )
    .bind(
        letters
            .iter()
            .map(|letter| *letter.event.id.as_uuid())
            .bind_iter(),
    )
    .bind(reasons)
    .bind(
        letters
            .iter()
            .map(|letter| letter.sqlstate.as_deref())
            .bind_iter(),
    )
    .bind(forms)
    .persistent(false);
    query
        .execute(connection)
        .await
        .map_err(|error| convert(APPENDING, &error))?;
    Ok(())
}

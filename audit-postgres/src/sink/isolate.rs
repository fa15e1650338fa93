use std::ops::Range;

use audit_core::event::AuditEvent;
use audit_core::sink::{Receipt, Refusal};
use sqlx::{Connection as _, PgConnection};

use super::dead_letter::{DeadLetter, set_aside};
use super::insert::{APPENDING, Failure, Inserted, insert};
use super::settle;
use crate::error::convert;
use crate::pool::Pool;

/// Stores a batch of which the server refuses some events: halves it until they are alone, sets
/// them aside, and commits all of it at once.
///
/// One transaction with a savepoint for each try: dropped half-way, nothing of it is stored.
pub(super) async fn append(
    pool: &Pool,
    connection: &mut PgConnection,
    events: &[AuditEvent],
) -> Result<Vec<Receipt>, Failure> {
    let failed = |error| Failure::Batch(convert(APPENDING, &error));
    let mut transaction = pool.begin(connection).await.map_err(failed)?;
    // What is checked at the commit only could not be laid at one event's door.
    sqlx::query("SET CONSTRAINTS ALL IMMEDIATE")
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    let mut receipts = Vec::with_capacity(events.len());
    let mut letters = Vec::new();
    // The front is on top, so that the order of the batch stays that of the table.
    let mut open: Vec<Range<usize>> = std::iter::once(0..events.len()).collect();
    while let Some(range) = open.pop() {
        let part = &events[range.clone()];
        match try_part(&mut transaction, part, range.start).await {
            Ok(inserted) => {
                let settled = settle::receipts(&mut transaction, part, inserted).await;
                let settled = settled.map_err(Failure::Batch)?;
                letters.extend(DeadLetter::of_conflicts(part, &settled));
                receipts.extend(settled);
            }
            Err(Failure::Refused(server)) if part.len() == 1 => {
                let refusal = Refusal::unstorable(server.to_string());
                receipts.push(Receipt::Refused(refusal.clone()));
                letters.extend(part.iter().map(|event| DeadLetter {
                    event,
                    refusal: refusal.clone(),
                    sqlstate: Some(server.sqlstate().into()),
                }));
            }
            Err(Failure::Refused(_)) => {
                let middle = range.start + part.len() / 2;
                open.push(middle..range.end);
                open.push(range.start..middle);
            }
            Err(failure) => return Err(failure),
        }
    }
    let is_set_aside = set_aside(&mut transaction, &letters).await;
    is_set_aside.map_err(Failure::Batch)?;
    transaction.commit().await.map_err(failed)?;
    Ok(receipts)
}

async fn try_part(
    transaction: &mut PgConnection,
    part: &[AuditEvent],
    first_order: usize,
) -> Result<Inserted, Failure> {
    let failed = |error| Failure::Batch(convert(APPENDING, &error));
    let mut savepoint = transaction.begin().await.map_err(failed)?;
    match insert(&mut savepoint, part, first_order).await {
        Ok(inserted) => {
            savepoint.commit().await.map_err(failed)?;
            Ok(inserted)
        }
        Err(failure) => {
            savepoint.rollback().await.map_err(failed)?;
            Err(failure)
        }
    }
}

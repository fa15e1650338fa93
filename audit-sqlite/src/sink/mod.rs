//! Appending: one task that writes, and what it does with a batch.

mod dead_letter;
mod insert;
mod isolate;
mod job;
mod settle;
mod writer;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use audit_core::event::{AuditEvent, Timestamp};
use audit_core::sink::{Appended, AuditSink, Durability, Forwarding, Health, Receipt};
use audit_core::{Error, ErrorKind};
use sqlx::SqliteConnection;

use crate::store::SqliteStore;
use insert::{APPENDING, Failure};

pub(crate) use writer::Writer;

/// Appends within a transaction of the caller's. `now` is when a refused event is set aside.
pub(crate) async fn append_within(
    connection: &mut SqliteConnection,
    events: &[AuditEvent],
    now: Timestamp,
) -> Result<Vec<Receipt>, Error> {
    let before = settle::last_position(connection).await?;
    append_behind(connection, events, before, now).await
}

/// Appends within a transaction before which this was the last position.
async fn append_behind(
    connection: &mut SqliteConnection,
    events: &[AuditEvent],
    before: i64,
    now: Timestamp,
) -> Result<Vec<Receipt>, Error> {
    let refused = match insert::insert(connection, events).await {
        Ok(n_stored) if n_stored == events.len() => {
            return Ok(vec![Receipt::Stored; events.len()]);
        }
        Ok(_) => BTreeMap::new(),
        Err(Failure::Batch(error)) => return Err(error),
        Err(Failure::Refused(_)) => isolate::insert_each(connection, events).await?,
    };
    let receipts = settle::receipts(connection, events, before, &refused).await?;
    dead_letter::set_aside(connection, events, &receipts, &refused, now).await?;
    Ok(receipts)
}

/// What is wrong with one event is in its receipt. So an error is about none of them.
fn of_batch(error: Error) -> Error {
    if error.is_rejected() {
        return Error::with_source(ErrorKind::Unavailable, APPENDING, error);
    }
    error
}

#[async_trait]
impl AuditSink for SqliteStore {
    /// Hands the batch to the one task that writes. Batches that come while a transaction is being
    /// committed share the next one.
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        if self.writer().is_closed() {
            return Err(writer::closed());
        }
        if events.is_empty() {
            return Ok(Appended::new(Vec::new()));
        }
        let receipts = self.writer().append(events.to_vec()).await;
        Ok(Appended::new(receipts.map_err(of_batch)?))
    }

    /// Nothing waits here.
    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn health(&self) -> Health {
        const PATIENCE: Duration = Duration::from_secs(2);
        if self.writer().is_closed() {
            return Health::unavailable("the store was closed");
        }
        match tokio::time::timeout(PATIENCE, self.writer().probe()).await {
            Ok(Ok(())) => Health::ready(),
            Ok(Err(error)) => Health::unavailable(crate::error::with_sources(&error)),
            Err(_) => Health::unavailable(
                "the file cannot be written to at once: another process is writing, or the disk is slow",
            ),
        }
    }

    /// The writer takes no more, ends what it has, and gives its connection back. What is stored
    /// can still be read.
    async fn close(&self) -> Result<(), Error> {
        self.writer().close().await;
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Committed
    }

    fn forwarding(&self) -> Option<Forwarding> {
        None
    }
}

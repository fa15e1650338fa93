mod dead_letter;
mod insert;
mod isolate;
mod partition;
mod settle;

use async_trait::async_trait;
use audit_core::event::AuditEvent;
use audit_core::sink::{Appended, AuditSink, Durability, Forwarding, Health, Receipt};
use audit_core::{Error, ErrorKind};
use sqlx::PgConnection;

use crate::config::PostgresConfig;
use crate::error::convert;
use crate::pool::Pool;
use dead_letter::{DeadLetter, set_aside};
use insert::{APPENDING, Failure};

/// Appends to `audit_events`, with the rights of the writer.
///
/// One statement for a batch, which is one round trip and one transaction: an append that is
/// dropped half-way is stored whole or not at all. What that statement does not settle takes
/// further ones: an id that was there is compared, a missing partition is made, and a batch with
/// an event that the server refuses is taken apart within one transaction, the refused ones going
/// to `audit_dead_letters`.
///
/// A clone shares the connections.
#[derive(Clone, Debug)]
pub struct PostgresSink {
    pool: Pool,
}

impl PostgresSink {
    /// Connects, and makes sure that the schema is there and the partitions of today and of the
    /// next month.
    ///
    /// # Errors
    /// The server cannot be reached, or the migrations did not run: the text says what to do.
    pub async fn connect(config: &PostgresConfig) -> Result<Self, Error> {
        let sink = Self::connect_lazily(config);
        let mut lease = sink.pool.lease().await?;
        let ready = partition::ensure_ahead(&sink.pool, &mut lease);
        sink.pool.within(1, ready).await?;
        lease.give_back();
        Ok(sink)
    }

    /// Connects with the first append, for a gateway that starts before its database does.
    ///
    /// Must be called within a tokio runtime.
    #[must_use]
    pub fn connect_lazily(config: &PostgresConfig) -> Self {
        Self {
            pool: Pool::for_sink(config),
        }
    }

    async fn try_append(&self, events: &[AuditEvent]) -> Result<Vec<Receipt>, Error> {
        let mut lease = self.pool.lease().await?;
        let whole = async {
            match self.append_whole(&mut lease, events).await {
                Ok(receipts) => Ok(Some(receipts)),
                Err(Failure::Batch(error)) => Err(error),
                Err(Failure::MissingPartition | Failure::Refused(_)) => Ok(None),
            }
        };
        let receipts = match self.pool.within(3, whole).await? {
            Some(receipts) => receipts,
            None => {
                let in_parts = append_in_parts(&self.pool, &mut lease, events);
                self.pool.within(PATIENCE_FOR_PARTS, in_parts).await?
            }
        };
        lease.give_back();
        Ok(receipts)
    }

    /// The usual case: everything with one statement.
    async fn append_whole(
        &self,
        connection: &mut PgConnection,
        events: &[AuditEvent],
    ) -> Result<Vec<Receipt>, Failure> {
        if !self.pool.needs_transactions() {
            let inserted = insert::insert(&self.pool, connection, events, 0).await?;
            return settle_and_set_aside(connection, events, inserted).await;
        }
        let failed = |error| Failure::Batch(convert(APPENDING, &error));
        let mut transaction = self.pool.begin(connection).await.map_err(failed)?;
        let inserted = insert::insert(&self.pool, &mut transaction, events, 0).await?;
        let receipts = settle_and_set_aside(&mut transaction, events, inserted).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(receipts)
    }
}

/// What a batch with a missing partition or a refused event takes. Within a transaction of the
/// caller's it is a part of that.
pub(crate) async fn append_in_parts(
    pool: &Pool,
    connection: &mut PgConnection,
    events: &[AuditEvent],
) -> Result<Vec<Receipt>, Error> {
    // Retention may take a partition away again in between, but hardly twice.
    for attempt in 0..3 {
        partition::ensure(pool, connection, events, attempt > 0).await?;
        match isolate::append(pool, connection, events).await {
            Ok(receipts) => return Ok(receipts),
            Err(Failure::Batch(error)) => return Err(error),
            Err(Failure::Refused(server)) => {
                return Err(Error::with_source(
                    ErrorKind::Unavailable,
                    APPENDING,
                    server,
                ));
            }
            Err(Failure::MissingPartition) => {}
        }
    }
    Err(Error::new(
        ErrorKind::Unavailable,
        "the partition of an event disappears as soon as it is made: retention removes what is written now",
    ))
}

/// How many statements' time a batch has that is taken apart: each of its halves is one.
const PATIENCE_FOR_PARTS: u32 = 20;

async fn settle_and_set_aside(
    connection: &mut PgConnection,
    events: &[AuditEvent],
    inserted: insert::Inserted,
) -> Result<Vec<Receipt>, Failure> {
    let receipts = settle::receipts(connection, events, inserted).await;
    let receipts = receipts.map_err(Failure::Batch)?;
    let letters: Vec<_> = DeadLetter::of_conflicts(events, &receipts).collect();
    let is_set_aside = set_aside(connection, &letters).await;
    is_set_aside.map_err(Failure::Batch)?;
    Ok(receipts)
}

/// What is wrong with one event is in its receipt. So an error is about none of them, whatever its
/// code means where a row is written: a login that was refused, a partition that may not be made.
fn of_batch(error: Error) -> Error {
    if error.is_retryable() || error.is_closed() {
        return error;
    }
    Error::with_source(ErrorKind::Unavailable, APPENDING, error)
}

#[async_trait]
impl AuditSink for PostgresSink {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        if self.pool.is_closed() {
            return Err(Error::new(ErrorKind::Closed, "the store was closed"));
        }
        if events.is_empty() {
            return Ok(Appended::new(Vec::new()));
        }
        let receipts = self.try_append(events).await.map_err(of_batch)?;
        Ok(Appended::new(receipts))
    }

    /// Nothing waits here.
    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn health(&self) -> Health {
        if self.pool.is_closed() {
            return Health::unavailable("the store was closed");
        }
        match self.pool.is_writable().await {
            Ok(true) => Health::ready(),
            Ok(false) => Health::unavailable(
                "the database is read-only: it is a standby, or `default_transaction_read_only` is on",
            ),
            Err(error) => Health::unavailable(crate::error::with_sources(&error)),
        }
    }

    async fn close(&self) -> Result<(), Error> {
        self.pool.close().await;
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Committed
    }

    fn forwarding(&self) -> Option<Forwarding> {
        None
    }
}

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::Error;
use crate::event::{AuditEvent, EventId};

/// Keeps the attempts of calls that change things, before their tools run.
///
/// An intent is the record that a call would have if nothing more were heard of it: outcome
/// [`Interrupted`](crate::event::Outcome::Interrupted), the id that its true record will have.
/// When a logger is built, it takes over the intents of owners that have died and records each
/// as it is.
///
/// # Contract
/// **Durable.** When [`open`](Self::open) returns `Ok`, the intents survive kill -9 of the process,
/// and of the machine as far as the log promises.
///
/// **Taken over once.** [`take_over`](Self::take_over) gives intents of which the owner lives no
/// longer, and of no other. It makes the caller their owner: nobody else gets them while it
/// lives. An owner is one open log, so two loggers that share one share their intents too.
///
/// **Settled at leisure.** [`settle`](Self::settle) need not be durable at once. An intent that
/// comes back although its call was recorded does no harm: the store has that id already, and the
/// logger drops the intent.
///
/// A log that is also the sink should remove an intent in the transaction that keeps its record.
///
/// # Cancel safety
/// Every future may be dropped at any await; of the intents that an `open` was to keep all are
/// kept, or none.
#[async_trait]
pub trait IntentLog: Debug + Send + Sync + 'static {
    /// Keeps intents, before their tools run.
    ///
    /// # Errors
    /// None of them is kept for sure: the calls must not run.
    async fn open(&self, intents: &[AuditEvent]) -> Result<(), Error>;

    /// Forgets intents of which the records are kept or lost for good. Ids that are not known are
    /// passed over.
    ///
    /// # Errors
    /// They may come back, when this owner has died.
    async fn settle(&self, ids: &[EventId]) -> Result<(), Error>;

    /// At most `limit` intents of owners that live no longer, now those of the caller. Empty when
    /// there are no more that were not given out before.
    ///
    /// # Errors
    /// The log cannot be read; its intents stay where they are.
    async fn take_over(&self, limit: usize) -> Result<Vec<AuditEvent>, Error>;
}

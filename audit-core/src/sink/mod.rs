//! Where events go: the contract of a sink, and sinks around sinks.
//!
//! A wrapper is a sink too, so they are put together in the order in which they should work: what
//! is named first is met first.
//!
//! | wrapper | what it does |
//! |---|---|
//! | [`FanOut`] | brings each batch to several sinks, by a rule |
//! | [`Retry`] | tries again what may succeed later |
//! | [`TeeLog`] | writes a line to the log for each event |
//!
//! ```
//! use audit_core::sink::{FanOut, FanOutRule, Retry, TeeLog};
//! use audit_core::{AuditSink, Error};
//!
//! fn stack(postgres: impl AuditSink, file: impl AuditSink) -> Result<impl AuditSink, Error> {
//!     let both = FanOut::builder(FanOutRule::All)
//!         .sink("postgres", TeeLog::new(postgres))
//!         .sink("file", file)
//!         .build()?;
//!     Ok(Retry::new(both))
//! }
//! ```

mod appended;
mod forward;
mod forwarding;
mod health;
mod receipt;

mod fan_out;
mod retry;
mod tee_log;

use std::fmt::Debug;

use async_trait::async_trait;

pub use appended::{Appended, LastAnswer};
pub use fan_out::{FanOut, FanOutBuilder, FanOutRule, LaneOptions, LaneStatus};
pub use forwarding::Forwarding;
pub use health::{Health, Readiness};
pub use receipt::{Durability, Receipt, Refusal, RefusalKind};
pub use retry::Retry;
pub use tee_log::TeeLog;

use crate::error::Error;
use crate::event::AuditEvent;

/// Takes events and keeps them: a store, or a wrapper around one.
///
/// # Contract
/// **Who calls.** Usually one task of one logger, a batch at a time; but every method may be
/// called by many tasks at once, and the same event may come by two ways.
///
/// **Exactly once.** [`append`](Self::append) stores an event id once, for ever. The same event
/// again, whoever numbered it ([`AuditEvent::is_same_fact`]), is [`Receipt::AlreadyStored`]; the
/// same id with other content is [`Receipt::Refused`] as a [conflict](RefusalKind::Conflict). What
/// was stored first stays, with its number.
///
/// **Ok means kept.** When `append` returns `Ok`, every event that is `Stored` or `AlreadyStored`
/// is as safe as [`durability`](Self::durability) says, and readers of the same store see it.
///
/// **No poison.** An event that the store refuses, whatever the reason, gets `Refused` with the
/// reason, and its neighbors are stored.
///
/// **All or nothing on `Err`.** `Err` is about the whole batch: none of its events were stored by
/// this call. Only if the error [is retryable](Error::is_retryable) may it be that all of them
/// were (an answer that was lost); the caller appends the same batch again, and each event is
/// stored once. Of a sink around several stores this holds for each store: such an error may mean
/// that some have the batch and others do not yet.
///
/// **Order.** Within a batch, and from one `append` to the next that begins after it, events are
/// stored in the order in which they are given. That order is what followers see.
///
/// **Two answers.** A sink that keeps events on their way to a last store (a spool) answers twice:
/// the receipts say what it keeps, [`Appended::last`] what the last store says. Such a sink says so
/// by [`forwarding`](Self::forwarding), and sees to it alone that what the last store refuses is
/// not lost in silence. A sink that wraps one hands its second answer on.
///
/// **Unchanged.** Every field is given back as it came: texts uncut, times to the microsecond,
/// numbers exact, payloads equal as JSON values.
///
/// An implementor must never drop an event silently, answer `Ok` before the events are kept,
/// change an event, print a payload, or panic.
///
/// # Cancel safety
/// Every future may be dropped at any await. The sink stays usable; of a batch whose `append` was
/// dropped either all events that would have been stored are, or none. Appending it again stores
/// each once.
///
/// Each promise has a case of the same name in the conformance suite of `audit-testkit`.
#[async_trait]
pub trait AuditSink: Debug + Send + Sync + 'static {
    /// Stores a batch, and answers for each event in its order.
    ///
    /// An empty batch is `Ok` and touches nothing.
    ///
    /// # Errors
    /// The batch was not stored as a whole: the store is unavailable, full or closed.
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error>;

    /// Waits until everything that was appended before the call has reached its last store. For a
    /// store that is nothing to wait for; for a spool it is the end of its forwarding.
    ///
    /// # Errors
    /// Something that was appended cannot be handed on, or the sink was closed before it was.
    async fn flush(&self) -> Result<(), Error>;

    /// Whether an append would work now, and if not, why. Cheap, and never waits for long.
    async fn health(&self) -> Health;

    /// Flushes, then gives resources back. From then on every `append` is an error that
    /// [is closed](Error::is_closed). Closing again is `Ok`. What was stored stays stored.
    ///
    /// # Errors
    /// The flush failed; the sink is closed all the same.
    async fn close(&self) -> Result<(), Error>;

    /// What the `Ok` of an append means here. Does not change while the sink lives.
    fn durability(&self) -> Durability;

    /// What the second answer of an append means, and what waits for it now; `None` for a sink
    /// that answers once. Cheap. Whether there is one, and what it means, does not change while the
    /// sink lives.
    fn forwarding(&self) -> Option<Forwarding>;
}

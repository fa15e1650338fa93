//! One batch to several sinks, each in a lane of its own.

mod builder;
mod gather;
mod lane;
mod last;
mod meters;
mod options;
mod parcel;
mod rule;
mod shared;
mod view;
mod work;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Sleep;

pub use builder::FanOutBuilder;
pub use options::LaneOptions;
pub use rule::FanOutRule;
pub use view::LaneStatus;

use self::gather::Call;
use self::shared::{Closing, Shared};
use super::{Appended, AuditSink, Durability, Forwarding, Health, LastAnswer};
use crate::contain::Contained;
use crate::error::{Error, ErrorKind};
use crate::event::AuditEvent;

/// One batch to several sinks, each in a lane of its own: a queue, a task, a deadline. A sink that
/// hangs, is slow or panics delays no other, and an append waits for it only if the rule says so.
///
/// # Contract
/// A batch enters the lanes of all sinks at once, or, should its append be dropped before that,
/// none: the order within each sink is the order of the appends. What comes of it is said by the
/// [rule](FanOutRule):
///
/// | | `All` | `Any` | `Primary` |
/// |---|---|---|---|
/// | `append` is `Ok` | when every sink answered | when each event is kept by some sink, or every sink answered or failed | when the first sink answered |
/// | an event is refused | if one sink refuses it | if no sink keeps it and one refuses it | if the first sink refuses it |
/// | `append` is an error | if one sink fails; retryable, if one of the errors is | if every sink fails | if the first sink fails |
/// | `flush` is `Ok` | when every sink flushed | when some sink flushed | when the first sink flushed |
/// | `health` is unavailable | if one sink is | if all are | if the first is |
/// | `durability` | the weakest | the weakest | the first's |
/// | second answer | when every last store has answered | when some last store keeps it | the first's |
///
/// **Under `All`** a sink is asked once for each append, and the caller (a logger, or a
/// [`Retry`](super::Retry) around this) comes again: a sink that has the batch already says
/// [`AlreadyStored`](super::Receipt::AlreadyStored), one that has not stores it then. An error that
/// is not retryable is that of one sink; the others may have the batch. When a sink fails, whoever
/// waits in its lane is told at once, instead of waiting for it to fail again.
///
/// **Under `Any` and `Primary`** a lane on which the answer does not wait brings its batches to its
/// sink by itself, in order, however long the sink is down: with backoff, without a limit on tries.
/// The lane is bounded and in memory. A sink *misses* events that the answer says are kept when its
/// lane is full, when the sink fails for good or refuses them, or when the fan-out ends first. That
/// is counted for each sink ([`lanes`](Self::lanes), the metric `audit_lane_missed_total`), logged,
/// and [`health`](AuditSink::health) is degraded from then on. **Put a spool before a sink that must
/// not miss anything:** its lane then ends at the local disk.
///
/// An append that comes again while a lane still has its batch (after an error under `Any`, after a
/// timeout around it) waits for that batch, and does not fill the lane with repeats.
///
/// **Flush.** It waits until the lanes are empty of what was appended before, and no longer than its
/// deadline for a sink that does not work and on which the answer does not wait.
///
/// **Deadlines.** One append to one sink may take as long as its lane's deadline. A sink that blocks
/// its thread instead of awaiting can only be held off by a runtime with other threads.
///
/// **The end.** [`close`](AuditSink::close) lets nothing in, gives the lanes until the
/// [close deadline](FanOutBuilder::close_deadline) to bring what they have, then closes the sinks.
/// Under every rule its error says how many events a sink did not get. A fan-out that is dropped
/// ends in the same way, in the background, but leaves the sinks open.
///
/// # Cancel safety
/// An append that is dropped leaves its batch in the lanes: it is stored by all sinks that work, or,
/// dropped before it was polled, by none.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use audit_core::sink::{FanOut, FanOutRule};
/// use audit_core::{AuditSink, Error};
///
/// fn both(postgres: impl AuditSink, file: impl AuditSink) -> Result<FanOut, Error> {
///     FanOut::builder(FanOutRule::All)
///         .sink("postgres", postgres)
///         .sink("file", file)
///         .deadline(Duration::from_secs(5))
///         .build()
/// }
/// ```
pub struct FanOut {
    shared: Arc<Shared>,
    close_deadline: Duration,
    /// Whether somebody was told how closing ended.
    is_told: AtomicBool,
}

/// How long a readiness probe waits for a sink.
const HEALTH_DEADLINE: Duration = Duration::from_secs(2);

impl FanOut {
    /// Begins a fan-out of this rule.
    pub fn builder(rule: FanOutRule) -> FanOutBuilder {
        FanOutBuilder::new(rule)
    }

    fn new(shared: Arc<Shared>, close_deadline: Duration) -> Self {
        Self {
            shared,
            close_deadline,
            is_told: AtomicBool::new(false),
        }
    }

    /// The rule.
    #[must_use]
    pub fn rule(&self) -> FanOutRule {
        self.shared.rule
    }

    /// What waits in each lane, and what each sink missed.
    #[must_use]
    pub fn lanes(&self) -> Vec<LaneStatus> {
        self.shared.lanes.iter().map(LaneStatus::of).collect()
    }

    /// A timer of the fan-out's own runtime: its callers may be on another, or on none.
    fn timer(&self, duration: Duration) -> Sleep {
        crate::runtime::sleep(&self.shared.runtime, duration)
    }

    fn forwards(&self) -> Vec<bool> {
        self.shared.lanes.iter().map(|lane| lane.forwards).collect()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl AuditSink for FanOut {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        if events.is_empty() {
            self.shared.check_open()?;
            return Ok(Appended::new(Vec::new()));
        }
        let rule = self.shared.rule;
        let (receipts, parcel) = self.shared.enter(events)?.answer().await?;
        let appended = Appended::new(receipts);
        let forwards = self.forwards();
        if !view::forwards(rule, &forwards) {
            return Ok(appended);
        }
        let last = LastAnswer::new(last::last_answer(rule, parcel, forwards));
        Ok(appended.with_last_answer(last))
    }

    async fn flush(&self) -> Result<(), Error> {
        let Shared { rule, lanes, .. } = &*self.shared;
        let calls = lanes
            .iter()
            .map(|lane| -> Call<'_, _> { Box::pin(lane.drained(self.timer(lane.deadline))) });
        let drained = gather::all(calls.collect()).await;
        let calls = lanes
            .iter()
            .zip(drained)
            .map(|(lane, drained)| -> Call<'_, _> {
                Box::pin(async move {
                    drained.map_err(|error| lane.named(error))?;
                    Contained::new(|| lane.sink.flush()).await
                })
            });
        gather::until(calls.collect(), |results| rule.done(results)).await
    }

    async fn health(&self) -> Health {
        if let Err(closed) = self.shared.check_open() {
            return Health::unavailable(closed.to_string());
        }
        let calls = self.shared.lanes.iter().map(|lane| -> Call<'_, _> {
            let timer = self.timer(HEALTH_DEADLINE);
            Box::pin(view::health_of(lane, timer))
        });
        view::health(self.shared.rule, &gather::all(calls.collect()).await)
    }

    async fn close(&self) -> Result<(), Error> {
        let Shared { rule, lanes, .. } = &*self.shared;
        self.shared.close(Closing {
            within: self.close_deadline,
            closes_sinks: true,
        });
        let calls = lanes
            .iter()
            .map(|lane| -> Call<'_, _> { Box::pin(lane.end_of_work()) });
        let ended = gather::all(calls.collect()).await;
        if self.is_told.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let left = lanes
            .iter()
            .zip(&ended)
            .filter(|(_, ended)| ended.n_left > 0);
        let left: Vec<_> = left
            .map(|(lane, ended)| format!("{} events for the sink `{}`", ended.n_left, lane.name))
            .collect();
        if !left.is_empty() {
            let text = format!(
                "the fan-out was closed with {} in its lanes",
                left.join(", ")
            );
            return Err(Error::new(ErrorKind::Timeout, text));
        }
        let closed: Vec<_> = ended.into_iter().map(|ended| Some(ended.closed)).collect();
        rule.done(&closed).unwrap_or(Ok(()))
    }

    fn durability(&self) -> Durability {
        let lanes = self.shared.lanes.iter();
        let of_sinks: Vec<_> = lanes.map(|lane| lane.durability).collect();
        self.shared.rule.durability(&of_sinks)
    }

    fn forwarding(&self) -> Option<Forwarding> {
        view::forwarding(self.shared.rule, &self.shared.lanes)
    }
}

impl Drop for FanOut {
    fn drop(&mut self) {
        self.shared.close(Closing {
            within: self.close_deadline,
            closes_sinks: false,
        });
    }
}

impl fmt::Debug for FanOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FanOut")
            .field("rule", &self.shared.rule)
            .field("lanes", &self.lanes())
            .finish_non_exhaustive()
    }
}

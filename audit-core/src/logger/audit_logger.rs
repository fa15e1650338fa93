use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::watch;
use tokio::time::Sleep;

use super::acknowledgement::{Acknowledgement, Recorded};
use super::batcher::Finished;
use super::builder::{AuditLoggerBuilder, Overload};
use super::call::OpenCall;
use super::counters::{Counters, LoggerCounters};
use super::loss::{LossReason, Losses};
use super::queue::Queue;
use super::room::Reservation;
use super::shutdown::{self, ShutdownReport};
use super::stamper::Stamper;
use crate::error::Error;
use crate::event::{EventDraft, Seq, Timestamp, WriterId};
use crate::payload::{Payload, PayloadPolicy};
use crate::sink::{AuditSink, Durability, Health};

/// Records calls: the handle that a gateway holds. A clone is cheap and records to the same queue.
///
/// # Contract
/// * Every call that [`begin`](Self::begin) let through is recorded, whatever becomes of it.
/// * Records are numbered without a gap, in the order in which they were finished.
/// * A sink that is unavailable is waited for, without a limit on tries; the queue fills
///   meanwhile, up to its bounds.
/// * A record that the sink refuses is told to its caller, counted, and told by a loss event
///   (method [`LOSS_METHOD`](super::LOSS_METHOD)); its neighbors are stored.
/// * When the last handle is dropped, what is queued is still stored while the runtime lives; use
///   [`shutdown`](Self::shutdown) to wait for it.
///
/// # Examples
/// ```
/// use audit_core::event::{EventDraft, Method, Outcome};
/// use audit_core::{AuditLogger, AuditSink, Error};
///
/// async fn record(sink: impl AuditSink) -> Result<(), Error> {
///     let logger = AuditLogger::builder(sink).build()?;
///     logger.log_event(EventDraft::new(Method::tools_call()).outcome(Outcome::Ok)).await?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct AuditLogger {
    handle: Arc<Handle>,
    durability: Durability,
}

/// What all clones of a logger share. Its end lets the queue drain.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    finished: watch::Receiver<Option<Finished>>,
    give_up: watch::Sender<bool>,
}

/// What a logger shares with its open calls and its batcher.
pub(super) struct Shared {
    pub(super) queue: Queue,
    pub(super) stamper: Stamper,
    pub(super) payload_policy: PayloadPolicy,
    pub(super) writer: WriterId,
    pub(super) sink: Arc<dyn AuditSink>,
    pub(super) overload: Overload,
    pub(super) runtime: runtime::Handle,
    /// The room that is reserved for a call whose record is not known yet.
    pub(super) most_bytes_per_event: u32,
    pub(super) counters: Counters,
    pub(super) losses: Losses,
}

impl AuditLogger {
    /// Begins a logger that writes to this sink.
    pub fn builder(sink: impl AuditSink) -> AuditLoggerBuilder {
        AuditLoggerBuilder::new(Arc::new(sink))
    }

    pub(super) fn new(
        shared: Arc<Shared>,
        durability: Durability,
        finished: watch::Receiver<Option<Finished>>,
        give_up: watch::Sender<bool>,
    ) -> Self {
        Self {
            handle: Arc::new(Handle {
                shared,
                finished,
                give_up,
            }),
            durability,
        }
    }

    /// Begins a call: its moment is now, and room for its record is reserved.
    ///
    /// # Errors
    /// The queue is full and stayed so ([`Overload`]), the logger was shut down, or the draft's id
    /// and moment do not fit each other. Nothing was recorded; the call should not run.
    ///
    /// # Cancel safety
    /// Dropped while it waits for room, nothing has begun.
    pub async fn begin(&self, mut draft: EventDraft) -> Result<OpenCall, Error> {
        let shared = self.shared();
        // The wait for room is part of what the caller waits for.
        let began = shared.stamper.monotonic();
        let moment = draft.fill_moment(|given| shared.stamper.stamp(given))?;
        let room = shared.reserve(moment.0).await?;
        Ok(OpenCall::new(
            Arc::clone(shared),
            draft,
            moment,
            began,
            room,
            self.durability,
        ))
    }

    /// Records an event that is complete, and waits for the durability of this handle.
    ///
    /// # Errors
    /// As [`begin`](Self::begin); or the sink refused the event or failed for good: it is not
    /// stored.
    ///
    /// # Cancel safety
    /// Dropped while it waits for room, nothing is recorded; dropped later, the event is on its
    /// way and is stored once. To try again without a double, give the draft an id and a moment:
    /// the same event again is [`Recorded::AlreadyStored`].
    pub async fn log_event(&self, mut event: EventDraft) -> Result<Recorded, Error> {
        let shared = self.shared();
        let (ts, _) = event.fill_moment(|given| shared.stamper.stamp(given))?;
        let Some(room) = shared.reserve(ts).await? else {
            return Ok(Recorded::Shed);
        };
        shared.record(event, room, self.durability).await
    }

    /// Takes no more calls, waits for the open ones, stores what is queued and flushes the sink;
    /// gives up after `deadline` and reports what remained.
    ///
    /// The sink is not closed: others may write to it. Every clone of the logger is shut down; of
    /// several shutdowns at once the shortest deadline holds. The logger's runtime must be running.
    ///
    /// # Cancel safety
    /// Dropped early, the draining goes on; call it again to wait for the rest.
    pub async fn shutdown(&self, deadline: Duration) -> ShutdownReport {
        let Handle {
            shared,
            finished,
            give_up,
        } = &*self.handle;
        shutdown::shutdown(shared, finished.clone(), give_up, deadline).await
    }

    /// A handle to the same logger, whose calls wait for this durability.
    ///
    /// # Errors
    /// The sink promises less.
    pub fn with_durability(&self, durability: Durability) -> Result<Self, Error> {
        super::builder::check_durability(durability, &*self.shared().sink)?;
        Ok(Self {
            handle: Arc::clone(&self.handle),
            durability,
        })
    }

    /// Whether calls may begin, and if not, why: the answer for a readiness probe.
    pub async fn health(&self) -> Health {
        if !self.shared().queue.is_open() {
            return Health::unavailable("the audit logger was shut down");
        }
        let health = self.shared().sink.health().await;
        if health.is_ready() && !self.shared().has_room() {
            return Health::degraded("the audit queue is full");
        }
        health
    }

    /// What the logger did so far, and what it holds.
    #[must_use]
    pub fn counters(&self) -> LoggerCounters {
        let Shared {
            counters, queue, ..
        } = &**self.shared();
        let usage = queue.usage();
        LoggerCounters {
            accepted: counters.accepted.get(),
            stored: counters.stored.get(),
            duplicates: counters.duplicates.get(),
            refused: counters.refused.get(),
            failed: counters.failed.get(),
            shed: counters.shed.get(),
            batches: counters.batches.get(),
            retries: counters.retries.get(),
            queued_events: usage.events,
            queued_bytes: usage.bytes,
            most_queued_events: usage.most_events,
            most_queued_bytes: usage.most_bytes,
            open_calls: queue.room().n_open(),
        }
    }

    /// The name under which this logger numbers its events.
    #[must_use]
    pub fn writer(&self) -> &WriterId {
        &self.shared().writer
    }

    /// The rules by which the logger's calls keep payloads.
    #[must_use]
    pub fn payload_policy(&self) -> &PayloadPolicy {
        &self.shared().payload_policy
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }
}

impl Shared {
    /// Room for the record of a call that began at `ts`; `None` if it is shed, which is counted.
    async fn reserve(&self, ts: Timestamp) -> Result<Option<Reservation>, Error> {
        let room = self.queue.room();
        let timer = |wait| self.sleep(wait);
        let reserved = room
            .reserve(self.most_bytes_per_event, self.overload, timer)
            .await?;
        if reserved.is_none() {
            self.counters.shed.add_one();
            self.losses.add(LossReason::QueueFull, ts);
            self.queue.wake();
        }
        Ok(reserved)
    }

    /// A timer of the logger's own runtime: its callers may be on another, or on none.
    pub(super) fn sleep(&self, duration: Duration) -> Sleep {
        let _context = self.runtime.enter();
        tokio::time::sleep(duration)
    }

    fn has_room(&self) -> bool {
        self.queue.room().has_room(self.most_bytes_per_event)
    }

    /// Makes the record and puts it into its room.
    pub(super) fn record(
        &self,
        draft: EventDraft,
        room: Reservation,
        durability: Durability,
    ) -> Acknowledgement {
        // A payload that was made elsewhere may be larger than what room was reserved for.
        let most = self.payload_policy.limits().bytes;
        let is_too_large = |payload: &Payload| payload.json().is_some_and(|json| json.len() > most);
        let draft = draft.narrow_payloads(&self.payload_policy, is_too_large);
        // The queue gives the true number when the record enters.
        let event = match draft.stamp(self.writer.clone(), Seq::FIRST) {
            Ok(event) => event,
            Err(invalid) => return Acknowledgement::answered(Err(invalid.into())),
        };
        let (answer, acknowledgement) = if durability == Durability::Queued {
            (None, Acknowledgement::answered(Ok(Recorded::Queued)))
        } else {
            let (answer, acknowledgement) = Acknowledgement::waiting();
            (Some(answer), acknowledgement)
        };
        let id = event.id;
        match self.queue.push(event, room, answer) {
            Ok(()) => {
                self.counters.accepted.add_one();
                acknowledgement
            }
            Err(error) => {
                self.counters.failed.add_one();
                tracing::error!(%id, "a call ended after the audit logger was shut down: it is not recorded");
                Acknowledgement::answered(Err(error))
            }
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("writer", &self.writer)
            .field("sink", &self.sink)
            .finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.queue.drain();
    }
}

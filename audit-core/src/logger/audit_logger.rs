use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::watch;
use tokio::time::Sleep;

use super::acknowledgement::{Acknowledgements, Asked, Recorded};
use super::batcher::Finished;
use super::builder::{AuditLoggerBuilder, Overload};
use super::call::OpenCall;
use super::counters::LoggerCounters;
use super::intent::IntentLog;
use super::loss::{LossReason, Losses};
use super::metrics::Meters;
use super::policy::AuditPolicy;
use super::queue::{Arrival, Queue};
use super::room::Reservation;
use super::shutdown::{self, ShutdownReport};
use super::stamper::Stamper;
use crate::contain::Contained;
use crate::error::{Error, ErrorKind};
use crate::event::{AuditEvent, EventDraft, Method, Outcome, Seq, Timestamp, ToolName, WriterId};
use crate::payload::{Payload, PayloadPolicy};
use crate::sink::{AuditSink, Durability, Forwarding, Health};
use crate::trouble::Throttle;

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
    /// What callers of this handle wait for; the policy's word, if it is `None`.
    durability: Option<Durability>,
}

/// How long a readiness probe waits for the sink.
const HEALTH_DEADLINE: Duration = Duration::from_secs(2);

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
    /// What the first answer of the sink promises.
    pub(super) durability: Durability,
    pub(super) policy: AuditPolicy,
    pub(super) intents: Option<Arc<dyn IntentLog>>,
    /// How long the sink or the log of intents may take to answer.
    pub(super) answer_deadline: Duration,
    pub(super) overload: Overload,
    pub(super) runtime: runtime::Handle,
    /// The room that is reserved for a call whose record is not known yet.
    pub(super) most_bytes_per_event: u32,
    pub(super) meters: Meters,
    pub(super) losses: Losses,
    /// Lines about batches that failed.
    pub(super) failures: Throttle,
    /// Lines about records that were refused.
    pub(super) refusals: Throttle,
}

impl AuditLogger {
    /// Begins a logger that writes to this sink.
    pub fn builder(sink: impl AuditSink) -> AuditLoggerBuilder {
        AuditLoggerBuilder::new(Arc::new(sink))
    }

    pub(super) fn new(
        shared: Arc<Shared>,
        finished: watch::Receiver<Option<Finished>>,
        give_up: watch::Sender<bool>,
    ) -> Self {
        Self {
            handle: Arc::new(Handle {
                shared,
                finished,
                give_up,
            }),
            durability: None,
        }
    }

    /// Begins a call: its moment is now, and room for its record is reserved. If the policy says
    /// so, the attempt is made durable before this returns, with all that the draft says by then:
    /// give it the request, if an interrupted call should show it.
    ///
    /// # Errors
    /// The queue is full and stayed so ([`Overload`]), the attempt could not be made durable, the
    /// logger was shut down, or the draft's id and moment do not fit each other. Nothing was
    /// recorded; the call must not run. A call that is to be announced is refused where others are
    /// shed.
    ///
    /// # Cancel safety
    /// Dropped while it waits for room, nothing has begun. Dropped while the attempt is made
    /// durable, the call is recorded as aborted.
    pub async fn begin(&self, mut draft: EventDraft) -> Result<OpenCall, Error> {
        let shared = self.shared();
        // The wait for room is part of what the caller waits for.
        let began = shared.stamper.monotonic();
        let moment = draft.fill_moment(|given| shared.stamper.stamp(given))?;
        let is_announced = shared.is_announced(&draft);
        let overload = match shared.overload {
            Overload::Shed if is_announced => Overload::Reject,
            overload => overload,
        };
        let room = shared.reserve(moment.0, overload).await?;
        let call = OpenCall::new(
            Arc::clone(shared),
            draft,
            moment,
            began,
            room,
            self.durability,
        );
        if is_announced {
            return call.announce().await;
        }
        Ok(call)
    }

    /// Tells of a call that goes on although [`begin`](Self::begin) failed for it: some gateways
    /// rather serve without a record than not at all. A loss event then says how many such calls
    /// there were, and when; it waits for a sink that is unavailable as any record does.
    pub fn tell_unrecorded(&self) {
        let shared = self.shared();
        shared.meters.unrecorded.add_one();
        shared
            .losses
            .add(LossReason::Unrecorded, shared.stamper.now());
        shared.queue.wake();
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
        let Some(room) = shared.reserve(ts, shared.overload).await? else {
            return Ok(Recorded::Shed);
        };
        let outcome = event.with_outcome();
        let asked = shared.asked(self.durability, event.of_method(), event.tool(), outcome);
        shared.record(event, room, asked, false).only(asked).await
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

    /// A handle to the same logger, whose callers wait for this durability whatever the policy
    /// says.
    ///
    /// # Errors
    /// The sink does not offer it.
    pub fn with_durability(&self, durability: Durability) -> Result<Self, Error> {
        super::builder::check_durability(durability, &*self.shared().sink)?;
        Ok(Self {
            handle: Arc::clone(&self.handle),
            durability: Some(durability),
        })
    }

    /// Whether calls may begin, and if not, why: the answer for a readiness probe. Sets the gauges
    /// of the [metrics](super::metrics), too.
    ///
    /// A sink that does not answer within two seconds is unavailable. While the queue is full,
    /// calls are refused or wait: that is unavailable as well, unless the logger sheds.
    pub async fn health(&self) -> Health {
        let shared = self.shared();
        shared.publish();
        if !shared.queue.is_open() {
            return Health::unavailable("the audit logger was shut down");
        }
        let health = tokio::select! {
            biased;
            health = shared.sink.health() => health,
            () = shared.sleep(HEALTH_DEADLINE) => {
                Health::unavailable("the audit sink does not answer")
            }
        };
        if health.is_ready() && !shared.has_room() {
            return match shared.overload {
                Overload::Shed => Health::degraded("the audit queue is full: calls go unrecorded"),
                Overload::Reject | Overload::Wait(_) => {
                    Health::unavailable("the audit queue is full: calls are refused")
                }
            };
        }
        health
    }

    /// Sets the gauges of the [metrics](super::metrics): for whoever is about to be scraped.
    /// Without a recorder it does nothing.
    pub fn publish_metrics(&self) {
        self.shared().publish();
    }

    /// What the logger did so far, and what it holds.
    #[must_use]
    pub fn counters(&self) -> LoggerCounters {
        let Shared { meters, queue, .. } = &**self.shared();
        let usage = queue.usage();
        LoggerCounters {
            accepted: meters.accepted.get(),
            stored: meters.stored.get(),
            duplicates: meters.duplicates.get(),
            refused: meters.refused.get(),
            failed: meters.failed.get(),
            unrecorded: meters.unrecorded.get(),
            shed: meters.shed.get(),
            announced: meters.announced.get(),
            interrupted: meters.interrupted.get(),
            batches: meters.batches.get(),
            retries: meters.retries.get(),
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
    async fn reserve(
        &self,
        ts: Timestamp,
        overload: Overload,
    ) -> Result<Option<Reservation>, Error> {
        let room = self.queue.room();
        let timer = |wait| self.sleep(wait);
        let reserved = room
            .reserve(self.most_bytes_per_event, overload, timer)
            .await?;
        if reserved.is_none() {
            self.meters.shed.add_one();
            self.losses.add(LossReason::QueueFull, ts);
            self.queue.wake();
        }
        Ok(reserved)
    }

    /// A timer of the logger's own runtime: its callers may be on another, or on none.
    pub(super) fn sleep(&self, duration: Duration) -> Sleep {
        crate::runtime::sleep(&self.runtime, duration)
    }

    fn has_room(&self) -> bool {
        self.queue.room().has_room(self.most_bytes_per_event)
    }

    fn is_announced(&self, draft: &EventDraft) -> bool {
        self.intents.is_some() && self.policy.is_write_ahead(draft.of_method(), draft.tool())
    }

    /// Makes an attempt durable.
    pub(super) async fn announce(&self, draft: &EventDraft) -> Result<(), Error> {
        let Some(intents) = &self.intents else {
            return Ok(());
        };
        let draft = draft.clone().outcome(Outcome::Interrupted);
        let intent = self.stamp(draft)?;
        let intents = Contained::new(|| intents.open(std::slice::from_ref(&intent)));
        self.in_time(intents).await?;
        self.meters.announced.add_one();
        Ok(())
    }

    /// What a caller waits for, by what its handle and the policy say.
    pub(super) fn asked(
        &self,
        durability: Option<Durability>,
        method: &Method,
        tool: Option<&ToolName>,
        outcome: Outcome,
    ) -> Asked {
        let durability = durability
            .or_else(|| self.policy.durability_of(method, tool, outcome))
            .unwrap_or(self.durability);
        match durability {
            Durability::Queued => Asked::Nothing,
            durability if durability == self.durability => Asked::Kept,
            Durability::Committed | Durability::Spooled => Asked::Last,
        }
    }

    /// An answer of the sink or the log of intents, or an error in its stead when it takes too
    /// long. The work is dropped then, which the contracts allow at any await.
    pub(super) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            done = work => done,
            () = self.sleep(self.answer_deadline) => Err(Error::new(
                ErrorKind::Timeout,
                "no answer before the logger's deadline",
            )),
        }
    }

    /// Whether to write a line of this kind now, and how many were held back since the last one.
    pub(super) fn admits(&self, throttle: &Throttle) -> Option<u64> {
        throttle.admits(self.stamper.monotonic())
    }

    /// Sets the gauges.
    pub(super) fn publish(&self) {
        let now = (self.stamper.monotonic(), self.stamper.now());
        let n_open_calls = self.queue.room().n_open();
        let forwarding = self.sink.forwarding();
        self.meters
            .publish(&self.queue.usage(), n_open_calls, now, forwarding);
    }

    pub(super) fn forwarding(&self) -> Option<Forwarding> {
        self.sink.forwarding()
    }

    /// Makes the record and puts it into its room.
    pub(super) fn record(
        &self,
        draft: EventDraft,
        room: Reservation,
        asked: Asked,
        is_announced: bool,
    ) -> Acknowledgements {
        let event = match self.stamp(draft) {
            Ok(event) => event,
            Err(error) => return Acknowledgements::answered(&Err(error)),
        };
        let id = event.id;
        let (answers, acknowledgements) = asked.channels();
        let arrival = Arrival {
            event,
            answers,
            entered: self.stamper.monotonic(),
        };
        match self.queue.push(arrival, room, is_announced) {
            Ok(()) => {
                self.meters.accepted.add_one();
                acknowledgements
            }
            Err(error) => {
                self.meters.failed.add_one();
                if let Some(n_held_back) = self.admits(&self.failures) {
                    tracing::error!(%id, n_held_back, "a call ended after the audit logger was shut down: it is not recorded");
                }
                Acknowledgements::answered(&Err(error))
            }
        }
    }

    /// Makes the event; the queue gives it its true number when it enters.
    fn stamp(&self, draft: EventDraft) -> Result<AuditEvent, Error> {
        // A payload that was made elsewhere may be larger than what room was reserved for.
        let most = self.payload_policy.limits().bytes;
        let is_too_large = |payload: &Payload| payload.json().is_some_and(|json| json.len() > most);
        let draft = draft.narrow_payloads(&self.payload_policy, is_too_large);
        Ok(draft.stamp(self.writer.clone(), Seq::FIRST)?)
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

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::audit_logger::{AuditLogger, Shared};
use super::batcher::Batcher;
use super::intent::IntentLog;
use super::last_answers;
use super::loss::Losses;
use super::metrics::Meters;
use super::policy::AuditPolicy;
use super::queue::{self, Queue};
use super::stamper::Stamper;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorKind};
use crate::event::{self, WriterId};
use crate::ids::{IdSource, MonotonicIds};
use crate::payload::PayloadPolicy;
use crate::runtime;
use crate::sink::{AuditSink, Durability};
use crate::trouble::Throttle;

/// What happens to a call that begins while the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overload {
    /// It is refused at once.
    Reject,
    /// It goes on without a record; a loss event says how many, why and when.
    Shed,
    /// It waits for room, and is refused if none comes in this time.
    Wait(Duration),
}

/// Builds an [`AuditLogger`].
#[must_use = "a builder does nothing until `build`"]
pub struct AuditLoggerBuilder {
    sink: Arc<dyn AuditSink>,
    clock: Box<dyn Clock>,
    ids: Box<dyn IdSource>,
    writer_name: Option<String>,
    payload_policy: PayloadPolicy,
    sink_name: String,
    policy: AuditPolicy,
    intents: Option<Arc<dyn IntentLog>>,
    answer_deadline: Duration,
    overload: Overload,
    queue_events: usize,
    queue_bytes: usize,
    batch_events: usize,
    batch_bytes: usize,
    batches_in_flight: usize,
    runtime: Option<Handle>,
}

impl AuditLoggerBuilder {
    pub(super) fn new(sink: Arc<dyn AuditSink>) -> Self {
        Self {
            sink,
            clock: Box::new(SystemClock::new()),
            ids: Box::new(MonotonicIds::new()),
            writer_name: None,
            payload_policy: PayloadPolicy::default(),
            sink_name: "sink".to_owned(),
            policy: AuditPolicy::new(),
            intents: None,
            answer_deadline: Duration::from_secs(30),
            overload: Overload::Wait(Duration::from_secs(5)),
            queue_events: 65_536,
            queue_bytes: 64 << 20,
            batch_events: 1_000,
            batch_bytes: 8 << 20,
            batches_in_flight: 1,
            runtime: None,
        }
    }

    /// Where time comes from; the operating system's clocks, if nothing is said.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Where ids come from; [`MonotonicIds`], if nothing is said.
    pub fn ids(mut self, ids: impl IdSource) -> Self {
        self.ids = Box::new(ids);
        self
    }

    /// The beginning of the name under which events are numbered, for readers: `gateway-1` gives
    /// `gateway-1/` and 12 random digits. Each logger begins with number 1, hence has a name that
    /// was never used.
    pub fn writer_name(mut self, name: impl Into<String>) -> Self {
        self.writer_name = Some(name.into());
        self
    }

    /// By which rules the payloads of calls are kept.
    pub fn payload_policy(mut self, policy: PayloadPolicy) -> Self {
        self.payload_policy = policy;
        self
    }

    /// The name of the sink in metrics; `sink`, if nothing is said.
    pub fn sink_name(mut self, name: impl Into<String>) -> Self {
        self.sink_name = name.into();
        self
    }

    /// What callers wait for where no rule of the policy says otherwise; what the sink promises
    /// with its first answer, if nothing is said.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.policy = self.policy.durability(durability);
        self
    }

    /// What callers wait for, and which calls are announced before their tools run.
    pub fn policy(mut self, policy: AuditPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Where attempts are kept before their tools run. What loggers that died left there is
    /// recorded as interrupted, before anything else.
    pub fn intents(mut self, intents: impl IntentLog) -> Self {
        self.intents = Some(Arc::new(intents));
        self
    }

    /// How long one append, and one attempt that is made durable, may take: 30 seconds, if nothing
    /// is said. A sink that takes longer is unavailable: its batch is tried again.
    pub fn answer_deadline(mut self, deadline: Duration) -> Self {
        self.answer_deadline = deadline;
        self
    }

    /// What happens to a call that begins while the queue is full; it waits five seconds, if
    /// nothing is said.
    pub fn overload(mut self, overload: Overload) -> Self {
        self.overload = overload;
        self
    }

    /// The most records that are open, queued or being written at once: 65,536, if nothing is
    /// said.
    pub fn queue_events(mut self, n_events: usize) -> Self {
        self.queue_events = n_events;
        self
    }

    /// The most bytes that records may take while they are open, queued or being written: 64 MiB,
    /// if nothing is said. A call that has not ended holds as much as its record could take at
    /// the most: with the default limits of payloads some 28 KiB, so that 64 MiB let 2,300 calls be
    /// open at once.
    pub fn queue_bytes(mut self, n_bytes: usize) -> Self {
        self.queue_bytes = n_bytes;
        self
    }

    /// The most events of a batch: 1,000, if nothing is said.
    pub fn batch_events(mut self, n_events: usize) -> Self {
        self.batch_events = n_events;
        self
    }

    /// The most bytes in memory of a batch, unless one event alone is larger: 8 MiB, if nothing is
    /// said.
    pub fn batch_bytes(mut self, n_bytes: usize) -> Self {
        self.batch_bytes = n_bytes;
        self
    }

    /// How many batches are stored at once: one, if nothing is said, and then the store has the
    /// events in the order of their numbers. A database over a network does more at a time: with
    /// two, one batch is sent while the other one is committed. A number that is missing in the
    /// store can then be on its way.
    pub fn batches_in_flight(mut self, n_batches: usize) -> Self {
        self.batches_in_flight = n_batches;
        self
    }

    /// The tokio runtime that stores the batches; the current one, if nothing is said. It needs
    /// its timer.
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Begins the logger.
    ///
    /// # Errors
    /// A bound is too small or too large, the policy asks for what cannot be kept (a durability that
    /// the sink does not offer, attempts on record without a log of intents), or there is no
    /// runtime.
    pub fn build(self) -> Result<AuditLogger, Error> {
        self.check_policy()?;
        let forwards = self.sink.forwarding().is_some();
        let most = event::most_in_memory(&self.payload_policy.limits()) + queue::ENTRY;
        self.check_bounds(most)?;
        let runtime = self.runtime_handle()?;
        let queue = Queue::new(self.queue_events, self.queue_bytes);
        let shared = Arc::new(Shared {
            queue,
            stamper: Stamper::new(self.clock, self.ids),
            payload_policy: self.payload_policy,
            writer: new_writer(self.writer_name.as_deref())?,
            durability: self.sink.durability(),
            sink: self.sink,
            policy: self.policy,
            intents: self.intents,
            answer_deadline: self.answer_deadline,
            overload: self.overload,
            runtime: runtime.clone(),
            most_bytes_per_event: u32::try_from(most)
                .map_err(|_| too_large("the limit of payloads"))?,
            meters: Meters::new(
                self.writer_name.as_deref().unwrap_or("audit"),
                &self.sink_name,
                forwards,
            ),
            losses: Losses::default(),
            failures: Throttle::default(),
            refusals: Throttle::default(),
        });
        let last_answers = forwards.then(|| {
            let (sender, batches) = mpsc::unbounded_channel();
            runtime.spawn(last_answers::hand_on(batches));
            sender
        });
        let (give_up, given_up) = watch::channel(false);
        let (finished_sender, finished) = watch::channel(None);
        let batcher = Batcher::new(
            Arc::clone(&shared),
            self.batch_events,
            self.batch_bytes,
            self.batches_in_flight,
            given_up,
            last_answers,
            finished_sender,
        );
        runtime.spawn(batcher.run());
        Ok(AuditLogger::new(shared, finished, give_up))
    }

    fn check_policy(&self) -> Result<(), Error> {
        self.policy
            .check(|durability| check_durability(durability, &*self.sink))?;
        if self.policy.has_write_ahead() && self.intents.is_none() {
            let text = "the policy asks to write ahead, and there is no log of intents to write \
                        to: give the logger one by `intents`";
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        Ok(())
    }

    fn check_bounds(&self, most_bytes_per_event: usize) -> Result<(), Error> {
        let too_small = |what: &str, least: usize| {
            Err(Error::new(
                ErrorKind::Invalid,
                format!("{what} must be at least {least}"),
            ))
        };
        if self.queue_events == 0 {
            return too_small("`queue_events`", 1);
        }
        if self.batch_events == 0 {
            return too_small("`batch_events`", 1);
        }
        if self.batches_in_flight == 0 {
            return too_small("`batches_in_flight`", 1);
        }
        if self.queue_bytes < most_bytes_per_event {
            return too_small(
                "`queue_bytes`, with these limits of payloads,",
                most_bytes_per_event,
            );
        }
        let most_permits = tokio::sync::Semaphore::MAX_PERMITS;
        if self.queue_bytes > most_permits || self.queue_events > most_permits {
            return Err(too_large("a bound of the queue"));
        }
        Ok(())
    }

    fn runtime_handle(&self) -> Result<Handle, Error> {
        let no_runtime =
            "the logger needs a tokio runtime: build it inside one, or pass one to `runtime`";
        let runtime = match &self.runtime {
            Some(runtime) => runtime.clone(),
            None => runtime::current(no_runtime)?,
        };
        runtime::check_timer(&runtime)?;
        Ok(runtime)
    }
}

impl fmt::Debug for AuditLoggerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLoggerBuilder")
            .field("sink", &self.sink)
            .field("policy", &self.policy)
            .field("overload", &self.overload)
            .finish_non_exhaustive()
    }
}

/// A promise is made only if the sink can keep it. `Spooled` is no weaker kind of `Committed`: it
/// promises that an outage of the store costs nothing but disk.
pub(super) fn check_durability(durability: Durability, sink: &dyn AuditSink) -> Result<(), Error> {
    let first = sink.durability();
    let last = sink.forwarding().map(|forwarding| forwarding.durability);
    if durability == Durability::Queued || durability == first || Some(durability) == last {
        return Ok(());
    }
    let offers = match last {
        Some(last) => format!("{first}, then {last}"),
        None => first.to_string(),
    };
    let advice = match durability {
        Durability::Spooled => "put a spool before the store, or ask for what it offers",
        Durability::Committed | Durability::Queued => {
            "take another sink, or ask for what it offers"
        }
    };
    Err(Error::new(
        ErrorKind::Invalid,
        format!("the logger is asked for {durability}, and its sink offers {offers}: {advice}"),
    ))
}

/// A name that no logger ever had.
fn new_writer(name: Option<&str>) -> Result<WriterId, Error> {
    // 48 bits: what follows a name is only ever compared with the runs of the same name.
    let run = format!("{:012x}", rand::random::<u64>() >> 16);
    let writer = match name {
        Some(name) => format!("{name}/{run}"),
        None => uuid::Builder::from_random_bytes(rand::random())
            .into_uuid()
            .to_string(),
    };
    Ok(WriterId::new(writer)?)
}

fn too_large(what: &str) -> Error {
    Error::new(
        ErrorKind::Invalid,
        format!("{what} is too large for this machine"),
    )
}

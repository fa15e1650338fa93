use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use audit_core::event::{AuditEvent, EventDraft, Method, Outcome};
use audit_core::logger::Recorded;
use audit_core::payload::Payload;
use audit_core::sink::{Appended, AuditSink, Durability, Forwarding, Health};
use audit_core::{AuditLogger, Error, ErrorKind};
use audit_sqlite::{Spool, SpoolConfig};
use tokio::task::JoinSet;

use super::Failure;

/// What a process took in memory during an outage of its store, and while it caught up.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Figures {
    /// Events that were kept during the outage.
    pub n_events: usize,
    /// What waited on the disk at its end.
    pub spooled_bytes: u64,
    /// How long it took to keep them.
    pub keeping: Duration,
    /// How long it took to send them on.
    pub sending: Duration,
    /// Before the first event.
    pub resident_before: u64,
    /// At the end of the outage.
    pub resident_after: u64,
    /// The most until the end of the outage.
    pub peak: u64,
    /// The most until everything was sent on.
    pub peak_at_the_end: u64,
}

/// The budget of the logger's queue.
const BUDGET: usize = 64 << 20;
/// What the process may take beside it.
const BESIDE: u64 = 64 << 20;
const CALLERS: usize = 256;

impl Figures {
    /// What the process may take.
    pub const LIMIT: u64 = BUDGET as u64 + BESIDE;

    /// Whether it took no more than it may.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.peak_at_the_end <= Self::LIMIT
    }
}

/// Keeps so many events of about 1 KB in a spool whose store is down, then lets the store come
/// back.
///
/// The figures are of the whole process, so it should do nothing else.
///
/// # Errors
/// The folder cannot be used, there is no `/proc`, or an event was not kept or not sent on.
pub async fn fill(folder: &Path, n_events: usize) -> Result<Figures, Failure> {
    let store = Counting::default();
    let config = SpoolConfig::new(folder)
        .max_bytes(64 << 30)
        .close_deadline(Duration::from_secs(600));
    let spool = Spool::open(config, store.clone()).await?;
    let logger = AuditLogger::builder(spool.clone())
        .queue_bytes(BUDGET)
        .build()?;
    let resident_before = status("VmRSS")?;
    let begin = Instant::now();
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let n_calls = n_events / CALLERS + usize::from(number < n_events % CALLERS);
        callers.spawn(call(logger.clone(), n_calls));
    }
    while let Some(called) = callers.join_next().await {
        called??;
    }
    let keeping = begin.elapsed();
    let waiting = spool.forwarding().map_or(0, |forwarding| forwarding.bytes);
    let (resident_after, peak) = (status("VmRSS")?, status("VmHWM")?);
    let begin = Instant::now();
    store.is_up.store(true, Ordering::SeqCst);
    spool.flush().await?;
    let sending = begin.elapsed();
    drop(logger);
    spool.close().await?;
    let n_stored = store.n_stored.load(Ordering::SeqCst);
    if n_stored != n_events {
        return Err(format!("{n_events} events were kept, and {n_stored} sent on").into());
    }
    Ok(Figures {
        n_events,
        spooled_bytes: waiting,
        keeping,
        sending,
        resident_before,
        resident_after,
        peak,
        peak_at_the_end: status("VmHWM")?,
    })
}

async fn call(logger: AuditLogger, n_calls: usize) -> Result<(), Error> {
    let text = "word ".repeat(110);
    for _ in 0..n_calls {
        let payload = format!(r#"{{"text":"{text}"}}"#);
        let draft = EventDraft::new(Method::tools_call())
            .outcome(Outcome::Ok)
            .request(Payload::from_json(
                payload,
                &audit_core::payload::PayloadContext::request(logger.payload_policy()),
            ));
        let recorded = logger.log_event(draft).await?;
        if recorded != Recorded::Spooled {
            let text = format!("an event is {recorded:?}, and not spooled");
            return Err(Error::new(ErrorKind::Internal, text));
        }
    }
    Ok(())
}

/// A figure of this process, in bytes.
fn status(name: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")
        .map_err(|error| format!("the memory is read from /proc, which only Linux has: {error}"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kibibytes.ok_or_else(|| format!("/proc/self/status has no {name}"))? << 10)
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes >> 20;
        writeln!(f, "{:<36}{:>10}", "events during the outage", self.n_events)?;
        for (name, bytes) in [
            ("waiting on the disk, MiB", self.spooled_bytes),
            ("resident before, MiB", self.resident_before),
            ("resident at the outage's end, MiB", self.resident_after),
            ("peak of the outage, MiB", self.peak),
            ("peak until all was sent on, MiB", self.peak_at_the_end),
            ("limit, MiB", Self::LIMIT),
        ] {
            writeln!(f, "{name:<36}{:>10}", mib(bytes))?;
        }
        for (name, time) in [
            ("keeping, ms", self.keeping),
            ("sending on, ms", self.sending),
        ] {
            writeln!(f, "{name:<36}{:>10}", time.as_millis())?;
        }
        Ok(())
    }
}

/// A store that is down until it is said to be up, and then only counts.
#[derive(Clone, Debug, Default)]
struct Counting {
    is_up: Arc<AtomicBool>,
    n_stored: Arc<AtomicUsize>,
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl AuditSink for Counting {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        if !self.is_up.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "the store is down"));
        }
        self.n_stored.fetch_add(events.len(), Ordering::SeqCst);
        Ok(Appended::all_stored(events.len()))
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn health(&self) -> Health {
        Health::ready()
    }

    async fn close(&self) -> Result<(), Error> {
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Committed
    }

    fn forwarding(&self) -> Option<Forwarding> {
        None
    }
}

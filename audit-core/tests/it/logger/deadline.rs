//! A sink that hangs, a probe that does not, and several batches at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use audit_core::event::{AuditEvent, Outcome};
use audit_core::logger::{Overload, Recorded};
use audit_core::sink::{Appended, Durability, Forwarding, Health, Readiness};
use audit_core::{AuditLogger, AuditSink, Error, ErrorKind};
use audit_memory::MemoryStore;
use audit_testkit::Gate;

use super::support::{Act, ScriptedSink, draft, soon, tools};

#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_is_tried_again_after_the_deadline() {
    let sink = ScriptedSink::new(|attempt, _| match attempt {
        0..3 => Act::Hang,
        _ => Act::Store,
    });
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .answer_deadline(Duration::from_secs(7))
        .build()
        .unwrap();
    let began = tokio::time::Instant::now();
    let logged = logger.log_event(draft("a").outcome(Outcome::Ok)).await;
    assert_eq!(logged.unwrap(), Recorded::Stored);
    assert!(began.elapsed() >= Duration::from_secs(21));
    assert_eq!(logger.counters().retries, 3);
    assert_eq!(tools(&sink.store.recorded()), ["a"]);
}

/// A store of which the probe hangs, and which counts how many appends it has at once.
#[derive(Debug)]
struct Counting {
    store: MemoryStore,
    gate: Gate,
    n_now: AtomicUsize,
    most: AtomicUsize,
}

impl Counting {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            store: MemoryStore::new(),
            gate: Gate::new(),
            n_now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl AuditSink for Counting {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let n_now = self.n_now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(n_now, Ordering::SeqCst);
        self.gate.pass().await;
        self.n_now.fetch_sub(1, Ordering::SeqCst);
        self.store.append(events).await
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn health(&self) -> Health {
        self.gate.pass().await;
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

#[tokio::test(start_paused = true)]
async fn a_probe_does_not_wait_for_a_sink_that_hangs() {
    let sink = Counting::new();
    let logger = AuditLogger::builder(Arc::clone(&sink)).build().unwrap();
    let began = tokio::time::Instant::now();
    let health = logger.health().await;
    assert_eq!(health.readiness, Readiness::Unavailable);
    assert!(began.elapsed() <= Duration::from_secs(3));
    sink.gate.open();
    assert_eq!(logger.health().await, Health::ready());
}

#[tokio::test]
async fn a_full_queue_is_not_ready_unless_calls_go_on_without_a_record() {
    for (overload, readiness) in [
        (Overload::Reject, Readiness::Unavailable),
        (
            Overload::Wait(Duration::from_secs(9)),
            Readiness::Unavailable,
        ),
        (Overload::Shed, Readiness::Degraded),
    ] {
        let logger = AuditLogger::builder(MemoryStore::new())
            .queue_events(1)
            .overload(overload)
            .build()
            .unwrap();
        let call = logger.begin(draft("a")).await.unwrap();
        assert_eq!(logger.health().await.readiness, readiness, "{overload:?}");
        soon(call.finish(Outcome::Ok)).await.unwrap();
        assert_eq!(logger.health().await, Health::ready());
        soon(logger.shutdown(Duration::from_secs(9))).await;
        assert_eq!(logger.health().await.readiness, Readiness::Unavailable);
    }
}

#[tokio::test]
async fn as_many_batches_are_under_way_as_are_asked_for() {
    for n_batches in [1, 2, 5] {
        let sink = Counting::new();
        let logger = AuditLogger::builder(Arc::clone(&sink))
            .batch_events(1)
            .batches_in_flight(n_batches)
            .build()
            .unwrap();
        let mut answers = Vec::new();
        for _ in 0..12 {
            let call = logger.begin(draft("a")).await.unwrap();
            answers.push(call.finish(Outcome::Ok));
        }
        soon(sink.gate.arrived(n_batches)).await;
        assert_eq!(sink.n_now.load(Ordering::SeqCst), n_batches);
        sink.gate.open();
        for answer in answers {
            soon(answer).await.unwrap();
        }
        assert!(
            soon(logger.shutdown(Duration::from_secs(9)))
                .await
                .is_complete()
        );
        assert_eq!(sink.most.load(Ordering::SeqCst), n_batches);
        assert_eq!(sink.store.n_events(), 12);
    }
    let none = AuditLogger::builder(MemoryStore::new()).batches_in_flight(0);
    assert_eq!(none.build().unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_shutdown_that_gives_up_gets_back_what_several_batches_hold() {
    let sink = Counting::new();
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .batch_events(2)
        .batches_in_flight(3)
        .build()
        .unwrap();
    for _ in 0..10 {
        let call = logger.begin(draft("a")).await.unwrap();
        call.finish(Outcome::Ok).detach();
    }
    soon(sink.gate.arrived(3)).await;
    let report = soon(logger.shutdown(Duration::ZERO)).await;
    let mut numbers: Vec<_> = report
        .unstored
        .iter()
        .map(|event| event.seq.get())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    let counters = logger.counters();
    assert_eq!((counters.queued_events, counters.queued_bytes), (0, 0));
}

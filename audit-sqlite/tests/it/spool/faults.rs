//! A disk that is full or may only be read, a clock that is set back, a store that answers late,
//! and a long outage.

use std::fs;
use std::process::Command;
use std::time::Duration;

use async_trait::async_trait;
use audit_core::event::{AuditEvent, EventDraft, EventId, Method, Outcome, Timestamp};
use audit_core::logger::Recorded;
use audit_core::sink::{Appended, Durability, Forwarding, Health, Receipt};
use audit_core::{AuditLogger, AuditSink, Clock as _, Error, ErrorKind};
use audit_memory::MemoryStore;
use audit_sqlite::{Spool, SpoolConfig};
use audit_testkit::{FaultPlan, FaultySink, Gate, ManualClock, SmallDisk, fixture};

use super::support::{Folder, crash, soon};

fn draft() -> EventDraft {
    EventDraft::new(Method::tools_call()).outcome(Outcome::Ok)
}

fn ids(events: &[AuditEvent]) -> Vec<EventId> {
    let mut ids: Vec<_> = events.iter().map(|event| event.id).collect();
    ids.sort_unstable();
    ids
}

/// A store that hangs at its first append, until the gate is open.
fn hanging(store: &MemoryStore, gate: &Gate) -> FaultySink<MemoryStore> {
    FaultySink::new(store.clone(), FaultPlan::new().hang(gate))
}

#[tokio::test]
async fn needs_root_a_full_disk_keeps_callers_waiting_and_loses_nothing() {
    let disk = SmallDisk::mount(6 << 20).unwrap();
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![0; 2 << 20]).unwrap();
    let (store, gate) = (MemoryStore::new(), Gate::new());
    let config = SpoolConfig::new(disk.path().join("spool"));
    let spool = Spool::open(config, hanging(&store, &gate)).await.unwrap();
    let mut kept = Vec::new();
    let (rest, error) = loop {
        let first = u64::try_from(kept.len()).unwrap() + 1;
        assert!(first < 100_000, "the disk is never full");
        let batch = fixture::events(first..first + 50);
        match spool.append(&batch).await {
            Ok(appended) => {
                drop(appended);
                kept.extend(batch);
            }
            Err(error) => break (batch, error),
        }
    };
    assert!(error.is_retryable(), "{error:?}");
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("make room"), "{why}");

    // What is smaller than that batch may still fit: many callers are too many.
    let logger = AuditLogger::builder(spool.clone()).build().unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..500 {
        let logger = logger.clone();
        callers.spawn(async move { logger.log_event(draft()).await });
    }
    soon(async {
        while logger.counters().retries < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    fs::remove_file(&ballast).unwrap();
    while let Some(recorded) = soon(callers.join_next()).await {
        assert_eq!(recorded.unwrap().unwrap(), Recorded::Spooled);
    }
    drop(spool.append(&rest).await.unwrap());
    kept.extend(rest);
    gate.open();
    soon(spool.flush()).await.unwrap();
    let recorded = store.recorded();
    assert_eq!(recorded.len(), kept.len() + 500);
    let (of_logger, of_spool): (Vec<_>, Vec<_>) = recorded
        .into_iter()
        .partition(|event| &event.writer == logger.writer());
    assert_eq!(ids(&of_spool), ids(&kept));
    let seqs: Vec<u64> = of_logger.iter().map(|event| event.seq.get()).collect();
    assert_eq!(
        seqs,
        (1..=500).collect::<Vec<_>>(),
        "in order, without a gap"
    );
}

async fn remount(disk: &SmallDisk, how: &str) {
    let mount = || {
        Command::new("mount")
            .args(["-o", &format!("remount,{how}")])
            .arg(disk.path())
            .output()
            .unwrap()
    };
    // Who had it open for writing may still be closing it.
    soon(async {
        while !mount().status.success() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn needs_root_a_spool_that_may_only_be_read_is_an_error_and_no_damage() {
    let disk = SmallDisk::mount(6 << 20).unwrap();
    let (store, gate) = (MemoryStore::new(), Gate::new());
    let config = SpoolConfig::new(disk.path().join("spool"));
    let spool = Spool::open(config.clone(), hanging(&store, &gate))
        .await
        .unwrap();
    drop(spool.append(&fixture::events(1..=10)).await.unwrap());
    gate.arrived(1).await;
    let path = spool.path().to_owned();
    crash(spool).await;
    remount(&disk, "ro").await;
    let error = Spool::open(config.clone(), store.clone())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains("check the rights"), "{error}");
    remount(&disk, "rw").await;
    let spool = Spool::open(config, store.clone()).await.unwrap();
    assert_eq!(spool.path(), path, "the file is not set aside");
    soon(spool.flush()).await.unwrap();
    assert_eq!(store.recorded(), fixture::events(1..=10));
}

#[tokio::test]
async fn a_clock_that_is_set_back_changes_no_order_and_loses_nothing() {
    const HOUR: i64 = 3_600_000_000;
    let folder = Folder::new();
    let (first, gate) = (MemoryStore::new(), Gate::new());
    let clock = ManualClock::new(fixture::moment(1));
    let logger = |spool: &Spool| {
        let logger = AuditLogger::builder(spool.clone()).clock(clock.clone());
        logger.build().unwrap()
    };
    let set_back = || {
        let earlier = clock.now().as_micros() - HOUR;
        clock.set(Timestamp::from_micros(earlier).unwrap());
    };
    let log = async |logger: &AuditLogger| {
        for _ in 0..5 {
            clock.advance(Duration::from_millis(1));
            let recorded = soon(logger.log_event(draft())).await.unwrap();
            assert_eq!(recorded, Recorded::Spooled);
        }
    };
    let spool = folder.open(hanging(&first, &gate)).await;
    let before = logger(&spool);
    log(&before).await;
    set_back();
    log(&before).await;
    let writer = before.writer().clone();
    soon(before.shutdown(Duration::ZERO)).await;
    drop(before);
    crash(spool).await;

    // The next process finds a clock that was set back again.
    set_back();
    let store = MemoryStore::new();
    let spool = folder.open(store.clone()).await;
    let after = logger(&spool);
    log(&after).await;
    soon(spool.flush()).await.unwrap();
    let recorded = store.recorded();
    assert_eq!(first.n_events(), 0);
    let seqs: Vec<_> = recorded
        .iter()
        .map(|event| (event.writer == writer, event.seq.get()))
        .collect();
    let expected = (1..=10).map(|seq| (true, seq));
    let expected = expected.chain((1..=5).map(|seq| (false, seq)));
    assert_eq!(
        seqs,
        expected.collect::<Vec<_>>(),
        "the order in which they were told"
    );
    let mut unique = ids(&recorded);
    unique.dedup();
    assert_eq!(unique.len(), 15);
    assert_eq!(
        recorded[4].ts.as_micros() - recorded[5].ts.as_micros(),
        HOUR - 1_000
    );
    assert!(recorded.iter().all(|event| event.id.is_of(event.ts)));
}

/// A store that stores at once, and answers the first append when the gate is open.
#[derive(Debug)]
struct Late {
    store: MemoryStore,
    answers: FaultySink<MemoryStore>,
}

#[async_trait]
impl AuditSink for Late {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let appended = self.store.append(events).await?;
        drop(self.answers.append(&[]).await?);
        Ok(appended)
    }

    async fn flush(&self) -> Result<(), Error> {
        self.store.flush().await
    }

    async fn health(&self) -> Health {
        self.store.health().await
    }

    async fn close(&self) -> Result<(), Error> {
        self.store.close().await
    }

    fn durability(&self) -> Durability {
        self.store.durability()
    }

    fn forwarding(&self) -> Option<Forwarding> {
        None
    }
}

#[tokio::test]
async fn a_store_that_answers_late_or_too_late_has_each_event_once() {
    for deadline in [Duration::from_millis(20), Duration::from_secs(60)] {
        let folder = Folder::new();
        let (store, gate) = (MemoryStore::new(), Gate::new());
        let late = Late {
            store: store.clone(),
            answers: hanging(&MemoryStore::new(), &gate),
        };
        let config = folder.config().answer_deadline(deadline);
        let spool = Spool::open(config, late).await.unwrap();
        let mut answers = Vec::new();
        for number in 1..=10 {
            let appended = soon(spool.append(&[fixture::event(number)])).await.unwrap();
            assert_eq!(
                appended.receipts(),
                [Receipt::Stored],
                "nobody waits for the store"
            );
            answers.push(appended.last());
        }
        gate.arrived(1).await;
        if deadline > Duration::from_secs(1) {
            assert_eq!(
                spool.forwarding().unwrap().n_events,
                10,
                "there is no answer yet"
            );
            gate.open();
        }
        for answer in answers {
            assert!(soon(answer).await.unwrap()[0].is_kept());
        }
        soon(spool.flush()).await.unwrap();
        assert_eq!(store.recorded(), fixture::events(1..=10));
        assert!(spool.dead_letters(9).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_outage_is_caught_up_in_order() {
    const N_EVENTS: u64 = 100_000;
    let folder = Folder::new();
    let (store, gate) = (Ordered::default(), Gate::new());
    let spool = folder
        .open(FaultySink::new(store.clone(), FaultPlan::new().hang(&gate)))
        .await;
    for first in (1..=N_EVENTS).step_by(1_000) {
        let batch = fixture::events(first..first + 1_000);
        let appended = spool.append(&batch).await.unwrap();
        assert!(appended.is_all_kept());
    }
    let waiting = spool.forwarding().unwrap();
    assert_eq!(waiting.n_events, N_EVENTS);
    gate.open();
    soon(spool.flush()).await.unwrap();
    assert_eq!(store.n_events(), N_EVENTS);
    let waiting = spool.forwarding().unwrap();
    assert_eq!((waiting.n_events, waiting.bytes), (0, 0));
}

/// Keeps no events, only that they come in the order of their numbers, without a gap.
#[derive(Clone, Debug, Default)]
struct Ordered(std::sync::Arc<std::sync::Mutex<u64>>);

impl Ordered {
    fn n_events(&self) -> u64 {
        *self.0.lock().unwrap()
    }
}

#[async_trait]
impl AuditSink for Ordered {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let mut last = self.0.lock().unwrap();
        for event in events {
            assert_eq!(event.seq.get(), *last + 1, "no gap, no double");
            *last += 1;
        }
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

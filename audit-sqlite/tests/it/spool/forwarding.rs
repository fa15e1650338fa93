//! What is on the disk reaches the store: in order, once, whatever the store does meanwhile.

use std::sync::Arc;
use std::time::Duration;

use audit_core::event::EventId;
use audit_core::sink::{Durability, Receipt};
use audit_core::{AuditSink as _, ErrorKind};
use audit_memory::MemoryStore;
use audit_sqlite::Spool;
use audit_testkit::{FaultPlan, FaultySink, Gate, fixture};

use super::support::{Folder, crash, event, soon, stored};

fn ids(events: &[audit_core::AuditEvent]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

#[tokio::test]
async fn a_store_that_hangs_keeps_nobody_waiting() {
    let folder = Folder::new();
    let gate = Gate::new();
    let store = MemoryStore::new();
    let spool = folder
        .open(FaultySink::new(store.clone(), FaultPlan::new().hang(&gate)))
        .await;
    let mut answers = Vec::new();
    for number in 1..=5 {
        let appended = soon(spool.append(&[event(number)])).await.unwrap();
        assert_eq!(appended.receipts(), [Receipt::Stored]);
        answers.push(appended.last());
    }
    gate.arrived(1).await;
    assert_eq!(store.n_events(), 0, "nothing of it was the store's Ok");
    let forwarding = spool.forwarding().unwrap();
    assert_eq!(forwarding.n_events, 5);
    assert_eq!(forwarding.durability, Durability::Committed);
    assert_eq!(forwarding.oldest, Some(event(1).ts));
    assert!(forwarding.bytes > 0);
    gate.open();
    for answer in answers {
        assert_eq!(soon(answer).await.unwrap(), [Receipt::Stored]);
    }
    soon(spool.flush()).await.unwrap();
    assert_eq!(ids(&store.recorded()), ids(&fixture::events(1..=5)));
    let forwarding = spool.forwarding().unwrap();
    assert_eq!((forwarding.n_events, forwarding.bytes), (0, 0));
    assert_eq!(forwarding.oldest, None);
}

#[tokio::test]
async fn a_store_that_never_answers_is_asked_again() {
    let folder = Folder::new();
    let gate = Gate::new();
    let store = MemoryStore::new();
    let plan = FaultPlan::new().hang(&gate).hang(&gate);
    let config = folder.config().answer_deadline(Duration::from_millis(5));
    let spool = Spool::open(config, FaultySink::new(store.clone(), plan))
        .await
        .unwrap();
    drop(spool.append(&[event(1)]).await.unwrap());
    soon(spool.flush()).await.unwrap();
    assert_eq!(store.n_events(), 1);
    gate.arrived(2).await;
}

#[tokio::test]
async fn lost_answers_and_failures_leave_each_event_once_and_in_order() {
    let folder = Folder::new();
    let store = MemoryStore::new();
    let plan = FaultPlan::new()
        .fail(2)
        .store_then_fail(2)
        .panic()
        .tear(1)
        .fail_with(1, ErrorKind::Full)
        .fail_with(1, ErrorKind::Closed);
    let spool = folder.open(FaultySink::new(store.clone(), plan)).await;
    for number in 0..20 {
        let batch = fixture::events(number * 5 + 1..=number * 5 + 5);
        drop(spool.append(&batch).await.unwrap());
    }
    soon(spool.flush()).await.unwrap();
    assert_eq!(ids(&store.recorded()), ids(&fixture::events(1..=100)));
    assert!(spool.dead_letters(9).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_spooled_before_a_crash_is_sent_first_and_in_order() {
    for window_bytes in [0, 1, 8 << 20] {
        let folder = Folder::new();
        let down = FaultySink::new(MemoryStore::new(), FaultPlan::new().fail(1).for_ever());
        let spool = folder.open(down).await;
        for number in 1..=30 {
            drop(spool.append(&[event(number)]).await.unwrap());
        }
        crash(spool).await;
        let store = MemoryStore::new();
        let config = folder.config().window_bytes(window_bytes).batch_events(7);
        let spool = Spool::open(config, store.clone()).await.unwrap();
        assert!(spool.forwarding().unwrap().n_events <= 30);
        for number in 31..=60 {
            drop(spool.append(&[event(number)]).await.unwrap());
        }
        soon(spool.flush()).await.unwrap();
        assert_eq!(ids(&store.recorded()), ids(&fixture::events(1..=60)));
    }
}

#[tokio::test]
async fn a_batch_leaves_the_disk_only_when_the_store_has_answered() {
    let folder = Folder::new();
    let (gate, first) = (Gate::new(), MemoryStore::new());
    let plan = FaultPlan::new().pass(1).hang(&gate);
    let spool = folder.open(FaultySink::new(first.clone(), plan)).await;
    let kept = spool.append(&fixture::events(1..=3)).await.unwrap();
    soon(kept.last()).await.unwrap();
    drop(spool.append(&fixture::events(4..=6)).await.unwrap());
    gate.arrived(1).await;
    crash(spool).await;
    let second = MemoryStore::new();
    let spool = folder.open(second.clone()).await;
    soon(spool.flush()).await.unwrap();
    assert_eq!(ids(&first.recorded()), ids(&fixture::events(1..=3)));
    assert_eq!(ids(&second.recorded()), ids(&fixture::events(4..=6)));
}

#[tokio::test]
async fn the_second_answer_is_what_the_store_says_of_each_event() {
    let folder = Folder::new();
    let store = MemoryStore::new();
    let [(_, conflict), ..] = &fixture::conflicts(1)[..] else {
        panic!("there are conflicts");
    };
    assert!(store.append(&[event(1)]).await.unwrap().is_all_kept());
    let spool = folder.open(store.clone()).await;
    let batch = [event(2), event(1), conflict.clone(), event(3)];
    let appended = spool.append(&batch).await.unwrap();
    assert_eq!(appended.receipts(), vec![Receipt::Stored; 4]);
    let last = soon(appended.last()).await.unwrap();
    assert_eq!(last[0], Receipt::Stored);
    assert_eq!(last[1], Receipt::AlreadyStored);
    assert!(matches!(&last[2], Receipt::Refused(refusal)
        if audit_core::Error::from(refusal.clone()).is_conflict()));
    assert_eq!(last[3], Receipt::Stored);
}

#[tokio::test]
async fn whoever_waits_for_the_store_is_told_when_the_spool_ends_first() {
    let folder = Folder::new();
    let down = FaultySink::new(MemoryStore::new(), FaultPlan::new().fail(1).for_ever());
    let spool = folder.open(down).await;
    let appended = spool.append(&[event(1)]).await.unwrap();
    let error = soon(spool.close()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let text = error.to_string();
    assert!(
        text.contains("1 events") && text.contains(&*folder.path().to_string_lossy()),
        "{text}"
    );
    let error = soon(appended.last()).await.unwrap_err();
    assert!(error.is_closed());
    assert!(spool.append(&[event(2)]).await.unwrap_err().is_closed());
    assert!(!spool.health().await.is_ready());
}

#[tokio::test]
async fn a_large_backlog_does_not_meet_a_store_that_comes_up_again_all_at_once() {
    let folder = Folder::new();
    let down = FaultySink::new(MemoryStore::new(), FaultPlan::new().fail(1).for_ever());
    let spool = folder.open(down).await;
    for number in 0..20 {
        let batch = fixture::events(number * 100 + 1..=number * 100 + 100);
        drop(spool.append(&batch).await.unwrap());
    }
    crash(spool).await;
    let store = MemoryStore::new();
    let sizes = Arc::new(Sizes::new(store.clone()));
    let spool = folder.open(Arc::clone(&sizes)).await;
    soon(spool.flush()).await.unwrap();
    assert_eq!(stored(&store, 2_000).await.len(), 2_000);
    let sizes = sizes.sizes();
    // The first try fails; what comes behind it grows from little.
    assert!(
        sizes[1] <= 50 && sizes[2] <= 100 && sizes[3] <= 200,
        "{sizes:?}"
    );
    assert!(sizes.iter().skip(3).any(|size| *size >= 200), "{sizes:?}");
}

/// A store that is down once, and remembers how much it was sent.
#[derive(Debug)]
struct Sizes {
    inner: FaultySink<MemoryStore>,
    sizes: std::sync::Mutex<Vec<usize>>,
}

impl Sizes {
    fn new(store: MemoryStore) -> Self {
        Self {
            inner: FaultySink::new(store, FaultPlan::new().fail(1)),
            sizes: std::sync::Mutex::default(),
        }
    }

    fn sizes(&self) -> Vec<usize> {
        self.sizes.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl audit_core::AuditSink for Sizes {
    async fn append(
        &self,
        events: &[audit_core::AuditEvent],
    ) -> Result<audit_core::sink::Appended, audit_core::Error> {
        self.sizes.lock().unwrap().push(events.len());
        self.inner.append(events).await
    }

    async fn flush(&self) -> Result<(), audit_core::Error> {
        self.inner.flush().await
    }

    async fn health(&self) -> audit_core::sink::Health {
        self.inner.health().await
    }

    async fn close(&self) -> Result<(), audit_core::Error> {
        self.inner.close().await
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }

    fn forwarding(&self) -> Option<audit_core::sink::Forwarding> {
        self.inner.forwarding()
    }
}

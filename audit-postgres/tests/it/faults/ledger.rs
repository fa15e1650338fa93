//! Writers under load, and the account of what they were told.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_core::event::AuditEvent;
use audit_core::sink::Receipt;
use audit_core::{AuditSink, Error};
use audit_testkit::fixture;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::soon;

/// Writers that append batch after batch, each until it is acknowledged.
pub(crate) struct Load {
    ledger: Arc<Ledger>,
    is_over: Arc<AtomicBool>,
    writers: Vec<JoinHandle<()>>,
}

/// What was acknowledged, and what failed.
#[derive(Default)]
pub(crate) struct Ledger {
    acknowledged: Mutex<BTreeSet<Uuid>>,
    n_acknowledged: watch::Sender<usize>,
    n_failed: AtomicU64,
    /// What the failed appends said, each text once.
    failures: Mutex<BTreeSet<String>>,
}

const EVENTS_PER_BATCH: u64 = 20;

impl Load {
    pub(crate) fn start(sink: &Arc<dyn AuditSink>, n_writers: usize) -> Self {
        let ledger = Arc::new(Ledger::default());
        let is_over = Arc::new(AtomicBool::new(false));
        let next = Arc::new(AtomicU64::new(1));
        let writer = |_| {
            let (next, is_over) = (Arc::clone(&next), Arc::clone(&is_over));
            tokio::spawn(write(Arc::clone(sink), Arc::clone(&ledger), next, is_over))
        };
        Self {
            writers: (0..n_writers).map(writer).collect(),
            ledger,
            is_over,
        }
    }

    /// Waits until so many events more were acknowledged than now.
    pub(crate) async fn acknowledge_more(&self, n: usize) {
        let mut seen = self.ledger.n_acknowledged.subscribe();
        let goal = *seen.borrow_and_update() + n;
        let reached = soon("the next acknowledgement", seen.wait_for(|it| *it >= goal)).await;
        drop(reached.expect("the ledger lives"));
    }

    /// Waits until an append failed, after now.
    pub(crate) async fn fail_once_more(&self) {
        let before = self.n_failed();
        soon("a failed append", async {
            while self.n_failed() == before {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Waits until an append failed that says this, such as a SQLSTATE.
    pub(crate) async fn fail_with(&self, text: &str) {
        soon(text, async {
            while !self.ledger.has_failed_with(text) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    pub(crate) fn n_failed(&self) -> u64 {
        self.ledger.n_failed()
    }

    /// Lets every writer end its batch, then holds the store to what they were told. Gives back
    /// what is stored.
    pub(crate) async fn settle(self, fault: &str, pool: &PgPool) -> BTreeSet<Uuid> {
        self.is_over.store(true, Ordering::Relaxed);
        for writer in self.writers {
            soon("the end of a writer", writer)
                .await
                .expect("no writer panics");
        }
        self.ledger.settle(fault, pool).await
    }
}

impl Ledger {
    /// Appends a batch, again and again until it is acknowledged.
    pub(crate) async fn append(&self, sink: &dyn AuditSink, batch: &[AuditEvent]) -> Vec<Receipt> {
        loop {
            match sink.append(batch).await {
                Ok(appended) => {
                    assert!(appended.is_all_kept(), "{appended:?}");
                    self.acknowledge(batch);
                    return appended.into_receipts();
                }
                Err(error) => self.fail(&error),
            }
            // A pause between tries, as every caller makes.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A batch was acknowledged.
    pub(crate) fn acknowledge(&self, batch: &[AuditEvent]) {
        let ids = batch.iter().map(|event| *event.id.as_uuid());
        let mut acknowledged = self.acknowledged.lock().expect("nobody panics");
        acknowledged.extend(ids);
        self.n_acknowledged.send_replace(acknowledged.len());
    }

    /// An append failed, as one does that is worth repeating.
    pub(crate) fn fail(&self, error: &Error) {
        assert!(error.is_retryable(), "{error:?}");
        let mut failures = self.failures.lock().expect("nobody panics");
        failures.insert(format!("{error:?}"));
        self.n_failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn n_failed(&self) -> u64 {
        self.n_failed.load(Ordering::Relaxed)
    }

    /// Whether an append failed that says this.
    pub(crate) fn has_failed_with(&self, text: &str) -> bool {
        let failures = self.failures.lock().expect("nobody panics");
        failures.iter().any(|failure| failure.contains(text))
    }

    /// Holds the store to what was told, and prints the account. Gives back what is stored.
    pub(crate) async fn settle(&self, fault: &str, pool: &PgPool) -> BTreeSet<Uuid> {
        let stored: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM audit_events")
            .fetch_all(pool)
            .await
            .expect("the server is back");
        let distinct: BTreeSet<Uuid> = stored.iter().copied().collect();
        let acknowledged = self.acknowledged.lock().expect("nobody panics").clone();
        let n_lost = acknowledged.difference(&distinct).count();
        let n_doubled = stored.len() - distinct.len();
        eprintln!(
            "{fault}: {} appends failed and were repeated; {} events acknowledged, {} stored, {n_lost} lost, {n_doubled} doubled",
            self.n_failed(),
            acknowledged.len(),
            stored.len(),
        );
        assert_eq!((n_lost, n_doubled), (0, 0), "{fault}");
        // Every writer went on until its batch was acknowledged.
        assert_eq!(acknowledged.len(), stored.len(), "{fault}");
        let set_aside: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_dead_letters")
            .fetch_one(pool)
            .await
            .expect("the server is back");
        assert_eq!(
            set_aside, 0,
            "{fault}: an outage is no reason to refuse an event"
        );
        distinct
    }
}

async fn write(
    sink: Arc<dyn AuditSink>,
    ledger: Arc<Ledger>,
    next: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
) {
    while !is_over.load(Ordering::Relaxed) {
        let first = next.fetch_add(EVENTS_PER_BATCH, Ordering::Relaxed);
        let batch = fixture::events(first..first + EVENTS_PER_BATCH);
        ledger.append(&*sink, &batch).await;
    }
}

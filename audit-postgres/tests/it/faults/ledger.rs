//! Writers under load, and the account of what they were told.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_core::AuditSink;
use audit_core::event::AuditEvent;
use audit_testkit::fixture;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::soon;

/// Writers that append batch after batch, each until it is acknowledged.
pub(super) struct Load {
    ledger: Arc<Ledger>,
    writers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Ledger {
    next: AtomicU64,
    is_over: AtomicBool,
    acknowledged: Mutex<BTreeSet<Uuid>>,
    n_acknowledged: watch::Sender<usize>,
    n_failed: AtomicU64,
}

const EVENTS_PER_BATCH: u64 = 20;

impl Load {
    pub(super) fn start(sink: &Arc<dyn AuditSink>, n_writers: usize) -> Self {
        let ledger = Arc::new(Ledger::default());
        let writer = |_| tokio::spawn(write(Arc::clone(sink), Arc::clone(&ledger)));
        Self {
            writers: (0..n_writers).map(writer).collect(),
            ledger,
        }
    }

    /// Waits until so many events more were acknowledged than now.
    pub(super) async fn acknowledge_more(&self, n: usize) {
        let mut seen = self.ledger.n_acknowledged.subscribe();
        let goal = *seen.borrow_and_update() + n;
        let reached = soon("the next acknowledgement", seen.wait_for(|it| *it >= goal)).await;
        drop(reached.expect("the ledger lives"));
    }

    /// Waits until an append failed, after now.
    pub(super) async fn fail_once_more(&self) {
        let before = self.n_failed();
        soon("a failed append", async {
            while self.n_failed() == before {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    pub(super) fn n_failed(&self) -> u64 {
        self.ledger.n_failed.load(Ordering::Relaxed)
    }

    /// Lets every writer end its batch, then holds the store to what they were told.
    pub(super) async fn settle(self, fault: &str, pool: &PgPool) {
        self.ledger.is_over.store(true, Ordering::Relaxed);
        for writer in self.writers {
            soon("the end of a writer", writer)
                .await
                .expect("no writer panics");
        }
        let stored: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM audit_events")
            .fetch_all(pool)
            .await
            .expect("the server is back");
        let distinct: BTreeSet<Uuid> = stored.iter().copied().collect();
        let acknowledged = self
            .ledger
            .acknowledged
            .lock()
            .expect("no writer panics")
            .clone();
        let n_lost = acknowledged.difference(&distinct).count();
        let n_doubled = stored.len() - distinct.len();
        eprintln!(
            "{fault}: {} appends failed and were repeated; {} events acknowledged, {} stored, {n_lost} lost, {n_doubled} doubled",
            self.ledger.n_failed.load(Ordering::Relaxed),
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
    }
}

async fn write(sink: Arc<dyn AuditSink>, ledger: Arc<Ledger>) {
    while !ledger.is_over.load(Ordering::Relaxed) {
        let first = ledger.next.fetch_add(EVENTS_PER_BATCH, Ordering::Relaxed) + 1;
        let batch = fixture::events(first..first + EVENTS_PER_BATCH);
        append_until_acknowledged(&*sink, &batch, &ledger).await;
        let ids = batch.iter().map(|event| *event.id.as_uuid());
        let mut acknowledged = ledger.acknowledged.lock().expect("no writer panics");
        acknowledged.extend(ids);
        ledger.n_acknowledged.send_replace(acknowledged.len());
    }
}

async fn append_until_acknowledged(sink: &dyn AuditSink, batch: &[AuditEvent], ledger: &Ledger) {
    loop {
        match sink.append(batch).await {
            Ok(appended) => {
                assert!(appended.is_all_kept(), "{appended:?}");
                return;
            }
            Err(error) => {
                assert!(error.is_retryable(), "{error:?}");
                ledger.n_failed.fetch_add(1, Ordering::Relaxed);
                // A pause between tries, as every caller makes.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

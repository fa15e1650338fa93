//! The contract, case by case, before the memory store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use audit_memory::MemoryStore;
use audit_sqlite::Spool;
use audit_testkit::{Capabilities, Harness, Subject, conformance};

use super::support::{Folder, crash};

struct Spooled;

/// What is left of a spool: its folder, and the store behind it.
type Left = Arc<(Folder, MemoryStore)>;

async fn subject(left: Left) -> Subject {
    let config = left.0.config().close_deadline(Duration::from_secs(30));
    let spool = Spool::open(config, left.1.clone()).await.unwrap();
    Subject::new(spool.clone(), left.1.clone()).with_guard((left, spool))
}

#[async_trait]
impl Harness for Spooled {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new()
            .has_exact_receipts(false)
            .is_visible_before_flush(false)
            .survives_reopen(true)
            .tells_losses(true)
    }

    async fn open(&self) -> Subject {
        subject(Arc::new((Folder::new(), MemoryStore::new()))).await
    }

    async fn reopen(&self, dropped: Subject) -> Option<Subject> {
        let (left, spool) = {
            let (left, spool) = dropped.guard::<(Left, Spool)>()?;
            (Arc::clone(left), spool.clone())
        };
        drop(dropped);
        crash(spool).await;
        Some(subject(left).await)
    }
}

audit_testkit::conformance!(spool, Spooled);

#[test]
fn what_a_spool_cannot_know_is_left_out() {
    assert_eq!(
        conformance::left_out(&Spooled.capabilities()),
        [
            "other_content_under_an_id_is_refused",
            "an_unstorable_event_is_refused_alone",
            "a_failed_batch_keeps_nothing",
            "a_full_store_keeps_nothing_of_a_batch",
        ]
    );
}

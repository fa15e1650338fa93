use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audit_core::event::AuditEvent;
use audit_core::{AuditSink, Error};
use audit_memory::MemoryStore;
use audit_sqlite::{Spool, SpoolConfig};
use audit_testkit::fixture;
use tempfile::TempDir;

/// A folder for spools, gone after the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Looks for orphans often, and waits for no close.
    pub(crate) fn config(&self) -> SpoolConfig {
        SpoolConfig::new(self.path())
            .adopt_every(Duration::from_millis(20))
            .close_deadline(Duration::ZERO)
    }

    pub(crate) async fn open(&self, store: impl AuditSink) -> Spool {
        self.try_open(store).await.unwrap()
    }

    pub(crate) async fn try_open(&self, store: impl AuditSink) -> Result<Spool, Error> {
        Spool::open(self.config(), store).await
    }

    /// The databases in it.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|it| it == "db"))
            .collect()
    }
}

/// Drops a spool as a crash would, and waits until its file can be taken over.
pub(crate) async fn crash(spool: Spool) {
    let lock = format!("{}-lock", spool.path().display());
    drop(spool);
    let lock = File::open(lock).unwrap();
    soon(async {
        while lock.try_lock().is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work)
        .await
        .expect("it should not take this long")
}

/// Waits until the store has so many events.
pub(crate) async fn stored(store: &MemoryStore, n_events: usize) -> Vec<AuditEvent> {
    soon(store.wait_for(|events| events.len() >= n_events)).await;
    store.recorded()
}

pub(crate) fn event(number: u64) -> AuditEvent {
    fixture::event(number)
}

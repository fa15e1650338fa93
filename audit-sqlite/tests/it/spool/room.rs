//! Bounds, and what cannot be opened.

use audit_core::AuditSink as _;
use audit_core::ErrorKind;
use audit_core::sink::Readiness;
use audit_memory::MemoryStore;
use audit_sqlite::{Spool, SpoolConfig};
use audit_testkit::{FaultPlan, FaultySink, Gate, fixture};

use super::support::{Folder, crash, soon};

#[tokio::test]
async fn a_full_spool_takes_nothing_until_the_store_has_taken_something() {
    let folder = Folder::new();
    let gate = Gate::new();
    let store = MemoryStore::new();
    let sink = FaultySink::new(store.clone(), FaultPlan::new().hang(&gate));
    let spool = Spool::open(folder.config().max_bytes(1 << 20), sink)
        .await
        .unwrap();
    let mut number = 0;
    let mut next = || {
        number += 100;
        fixture::events(number - 99..=number)
    };
    let error = loop {
        match spool.append(&next()).await {
            Ok(kept) => drop(kept),
            Err(error) => break error,
        }
        let waiting = spool.forwarding().unwrap().bytes;
        assert!(waiting <= 1 << 20, "{waiting}");
    };
    assert!(error.is_retryable(), "waiting mends it");
    let health = spool.health().await;
    assert_eq!(health.readiness, Readiness::Degraded, "{health:?}");
    gate.open();
    soon(spool.flush()).await.unwrap();
    assert_eq!(spool.health().await.readiness, Readiness::Ready);
    assert!(spool.append(&next()).await.unwrap().is_all_kept());
}

#[tokio::test]
async fn a_batch_that_is_larger_than_the_spool_goes_through_alone() {
    let folder = Folder::new();
    let store = MemoryStore::new();
    let spool = Spool::open(folder.config().max_bytes(1 << 20), store.clone())
        .await
        .unwrap();
    let batch = fixture::events(1..=4_000);
    let appended = soon(spool.append(&batch)).await.unwrap();
    soon(appended.last()).await.unwrap();
    assert_eq!(store.n_events(), 4_000);
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_what_to_do() {
    let folder = Folder::new();
    for (config, says) in [
        (folder.config().max_bytes(9), "max_bytes"),
        (folder.config().batch_events(0), "batch_events"),
        (
            folder.config().adopt_every(std::time::Duration::ZERO),
            "adopt_every",
        ),
    ] {
        let error = Spool::open(config, MemoryStore::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(says), "{error}");
    }
    let spool = folder.open(MemoryStore::new()).await;
    let error = folder.try_open(spool).await.unwrap_err();
    assert!(error.to_string().contains("spool itself"), "{error}");
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = Spool::open(SpoolConfig::new(&file), MemoryStore::new()).await;
    assert!(error.unwrap_err().to_string().contains("folder"));
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_left_alone() {
    use sqlx::ConnectOptions as _;

    let folder = Folder::new();
    let spool = folder.open(MemoryStore::new()).await;
    let path = spool.path().to_owned();
    crash(spool).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = options.connect().await.unwrap();
    let newer = sqlx::query("PRAGMA user_version = 2");
    newer.execute(&mut connection).await.unwrap();
    drop(connection);
    let error = folder.try_open(MemoryStore::new()).await.unwrap_err();
    assert!(error.to_string().contains("newer version"), "{error}");
    assert_eq!(folder.files(), [path]);
}

#[cfg(unix)]
#[tokio::test]
async fn its_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new();
    let config = SpoolConfig::new(folder.path().join("spool"));
    let spool = Spool::open(config, MemoryStore::new()).await.unwrap();
    drop(spool.append(&fixture::events(1..=3)).await.unwrap());
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let inside = spool.path().parent().unwrap();
    assert_eq!(mode(inside), 0o700);
    let mut n_files = 0;
    for entry in std::fs::read_dir(inside).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        n_files += 1;
    }
    assert!(n_files >= 3, "the database, its log, and the lock");
}

#[tokio::test]
async fn what_an_outage_took_is_given_back_to_the_disk() {
    let folder = Folder::new();
    let gate = Gate::new();
    let store = MemoryStore::new();
    let sink = FaultySink::new(store.clone(), FaultPlan::new().hang(&gate));
    let config = folder.config().free_bytes(1 << 20);
    let spool = Spool::open(config, sink).await.unwrap();
    for number in 0..40 {
        let batch = fixture::events(number * 2_000 + 1..=number * 2_000 + 2_000);
        drop(spool.append(&batch).await.unwrap());
    }
    let path = spool.path().to_owned();
    let bytes = || std::fs::metadata(&path).unwrap().len();
    assert!(bytes() > 16 << 20, "{}", bytes());
    gate.open();
    soon(spool.flush()).await.unwrap();
    // It is done behind the answers, and seen in the file when the log was taken in.
    soon(async {
        let mut number = 80_000;
        while bytes() > 8 << 20 {
            number += 1;
            drop(spool.append(&fixture::events([number])).await.unwrap());
            soon(spool.flush()).await.unwrap();
        }
    })
    .await;
    assert!(store.n_events() >= 80_000);
}

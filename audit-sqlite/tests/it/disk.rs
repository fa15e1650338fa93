//! A disk that is full, and one that may only be read.

use std::fs;
use std::path::Path;
use std::process::Command;

use audit_core::ErrorKind;
use audit_core::event::AuditEvent;
use audit_core::sink::AuditSink;
use audit_sqlite::{SqliteConfig, SqliteReader, SqliteStore};
use audit_testkit::{SmallDisk, fixture};

use crate::database::{keep, list};

fn source(error: &audit_core::Error) -> String {
    let source = std::error::Error::source(error);
    source.expect("an error of SQLite has its code").to_string()
}

/// Appends until something does not fit; gives back that batch and those that did.
async fn fill(store: &SqliteStore) -> (Vec<AuditEvent>, Vec<AuditEvent>) {
    let mut kept = Vec::new();
    for number in 0..10_000 {
        let batch = fixture::events(number * 50 + 1..number * 50 + 51);
        match store.append(&batch).await {
            Ok(appended) => {
                assert!(appended.is_all_kept());
                kept.extend(batch);
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
                let why = source(&error);
                assert!(why.contains("make room") && why.contains("13"), "{why}");
                return (batch, kept);
            }
        }
    }
    panic!("the disk is never full");
}

#[tokio::test]
async fn needs_root_a_full_disk_loses_and_doubles_nothing() {
    let disk = SmallDisk::mount(6 << 20).unwrap();
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![0; 2 << 20]).unwrap();
    let config = SqliteConfig::new(disk.path().join("audit.db"));
    let store = SqliteStore::open(&config).await.unwrap();
    let (batch, mut kept) = fill(&store).await;
    // Nothing of the batch that did not fit is there, and what was answered for is.
    assert_eq!(list(&store).await, kept);
    let error = store.append(&batch).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    fs::remove_file(&ballast).unwrap();
    keep(&store, &batch).await;
    kept.extend(batch);
    assert_eq!(list(&store).await, kept);
    drop(store);
    let store = SqliteStore::open(&config).await.unwrap();
    assert_eq!(store.set_aside(), None);
    assert_eq!(list(&store).await, kept);
}

fn remount(folder: &Path, how: &str) {
    let done = Command::new("mount")
        .args(["-o", &format!("remount,{how}")])
        .arg(folder)
        .status();
    assert!(done.unwrap().success());
}

#[tokio::test]
async fn needs_root_a_disk_that_may_only_be_read_is_an_error_and_no_damage() {
    let disk = SmallDisk::mount(6 << 20).unwrap();
    let config = SqliteConfig::new(disk.path().join("audit.db"));
    let store = SqliteStore::open(&config).await.unwrap();
    let events = fixture::events(1..=10);
    keep(&store, &events).await;
    store.close().await.unwrap();
    drop(store);
    remount(disk.path(), "ro");
    let error = SqliteStore::open(&config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    remount(disk.path(), "rw");
    let store = SqliteStore::open(&config).await.unwrap();
    assert_eq!(store.set_aside(), None);
    assert_eq!(list(&store).await, events);
    keep(&store, &fixture::events(11..=20)).await;
    let reader = SqliteReader::open(&config).await.unwrap();
    assert_eq!(list(&reader).await.len(), 20);
}

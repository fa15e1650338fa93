//! Damaged files are set aside; files that are merely out of reach are not.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use audit_core::event::{AuditEvent, Outcome};
use audit_core::payload::Payload;
use audit_core::sink::AuditSink;
use audit_core::{Error, ErrorKind};
use audit_sqlite::{DAMAGE_METHOD, DAMAGE_ROLE, SetAside, SqliteStore};
use audit_testkit::fixture;

use crate::database::{Database, close, keep, list, run};

/// A store of some hundred events that was closed, as one file.
async fn closed_store() -> Database {
    let database = Database::new();
    let store = database.open().await;
    keep(&store, &fixture::events(1..=300)).await;
    store.close().await.unwrap();
    drop(store);
    database
}

fn write_at(path: &Path, offset: u64, bytes: &[u8]) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(bytes, offset).unwrap();
}

fn garbage(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from(at * 31 % 251).unwrap())
        .collect()
}

fn tells_of(event: &AuditEvent, aside: &SetAside) {
    assert_eq!(event.method.as_str(), DAMAGE_METHOD);
    assert_eq!(event.role.as_str(), DAMAGE_ROLE);
    assert_eq!(event.outcome, Outcome::InternalError);
    let request = event.request().and_then(Payload::json).unwrap();
    let name = aside.path.file_name().unwrap().to_str().unwrap();
    assert!(request.contains(name), "{request}");
    assert!(request.contains("reason"), "{request}");
}

/// Opens a store whose file is damaged, and looks at what comes of it.
async fn is_set_aside(database: &Database, kind: &str) {
    let damaged = fs::read(database.path()).unwrap();
    let store = database.open().await;
    let aside = store
        .set_aside()
        .unwrap_or_else(|| panic!("{kind} is noticed"));
    assert!(!aside.reason.is_empty(), "{kind}");
    assert_eq!(
        fs::read(&aside.path).unwrap(),
        damaged,
        "{kind}: nothing of it is changed"
    );
    let told = list(&store).await;
    assert_eq!(told.len(), 1, "{kind}");
    tells_of(&told[0], aside);
    keep(&store, &fixture::events(1..=5)).await;
    store.close().await.unwrap();
    drop(store);
    // It is told once.
    let store = database.open().await;
    assert_eq!(store.set_aside(), None, "{kind}");
    assert_eq!(list(&store).await.len(), 6, "{kind}");
}

#[tokio::test]
async fn what_is_no_database_is_set_aside() {
    let texts: [&[u8]; 4] = [
        b"xy",
        b"a log of something else, which somebody gave the name of the database\n",
        &garbage(100_000),
        &[0; 8_192],
    ];
    for text in texts {
        let database = Database::new();
        fs::write(database.path(), text).unwrap();
        is_set_aside(&database, &format!("{} bytes of something", text.len())).await;
    }
}

#[tokio::test]
async fn a_broken_header_is_set_aside() {
    let database = closed_store().await;
    write_at(&database.path(), 0, &garbage(100));
    is_set_aside(&database, "a broken header").await;
}

#[tokio::test]
async fn half_a_file_is_set_aside() {
    let database = closed_store().await;
    let length = fs::metadata(database.path()).unwrap().len();
    let file = fs::OpenOptions::new()
        .write(true)
        .open(database.path())
        .unwrap();
    file.set_len(length / 2).unwrap();
    is_set_aside(&database, "half a file").await;
}

#[tokio::test]
async fn a_broken_page_in_the_middle_is_set_aside() {
    let database = closed_store().await;
    let n_pages = fs::metadata(database.path()).unwrap().len() / 4_096;
    // From the root of a table to the last leaf: whatever page it is, it is noticed.
    for page in [1, 2, 3, n_pages / 2, n_pages - 1] {
        let database = closed_store().await;
        write_at(&database.path(), page * 4_096, &garbage(4_096));
        is_set_aside(&database, &format!("page {page} of {n_pages}")).await;
    }
}

#[tokio::test]
async fn a_lost_row_of_an_index_is_set_aside() {
    let database = closed_store().await;
    database
        .run(
            "PRAGMA writable_schema = ON;
             CREATE TABLE gone AS SELECT rootpage FROM sqlite_schema WHERE name = 'audit_events_id';
             UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'audit_holds')
             WHERE name = 'audit_events_id';",
        )
        .await;
    is_set_aside(&database, "an index that is another table").await;
}

#[tokio::test]
async fn a_log_without_its_database_is_set_aside_and_not_deleted() {
    let database = Database::new();
    let store = database.open().await;
    keep(&store, &fixture::events(1..=5)).await;
    let log = database.folder().join("audit.db-wal");
    let of_log = fs::read(&log).unwrap();
    assert!(!of_log.is_empty());
    store.close().await.unwrap();
    drop(store);
    fs::remove_file(database.path()).unwrap();
    fs::write(&log, &of_log).unwrap();
    let store = database.open().await;
    let aside = store.set_aside().expect("the log is noticed");
    let mut kept = aside.path.clone().into_os_string();
    kept.push("-wal");
    assert_eq!(fs::read(kept).unwrap(), of_log);
    let told = list(&store).await;
    assert_eq!(told.len(), 1);
    tells_of(&told[0], aside);
}

#[tokio::test]
async fn who_ended_before_saying_so_has_it_said_by_the_next() {
    let database = closed_store().await;
    let aside = database.folder().join("audit.db.damaged-20260101T000000Z");
    fs::rename(database.path(), &aside).unwrap();
    let store = database.open().await;
    assert_eq!(store.set_aside(), None);
    let told = list(&store).await;
    let request = told[0].request().and_then(Payload::json).unwrap();
    assert!(
        request.contains("audit.db.damaged-20260101T000000Z"),
        "{request}"
    );
    assert_eq!(told.len(), 1);
}

#[tokio::test]
async fn two_that_are_damaged_in_one_second_are_kept_both() {
    let database = Database::new();
    let mut names = Vec::new();
    for number in 0..3 {
        fs::write(
            database.path(),
            format!("no database, for the {number}th time"),
        )
        .unwrap();
        let store = database.open().await;
        names.push(store.set_aside().unwrap().path.clone());
        store.close().await.unwrap();
    }
    for (number, name) in names.iter().enumerate() {
        let text = fs::read_to_string(name).unwrap();
        assert_eq!(text, format!("no database, for the {number}th time"));
    }
}

#[tokio::test]
async fn what_another_one_has_open_is_not_set_aside() {
    let database = Database::new();
    let store = database.open().await;
    keep(&store, &fixture::events(1..=5)).await;
    // Taken into the file, so that it is read from there.
    database.run("PRAGMA wal_checkpoint(TRUNCATE)").await;
    write_at(&database.path(), 0, &garbage(100));
    let config = database.config().busy_timeout(Duration::from_millis(50));
    let error = SqliteStore::open(&config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains("another process"), "{error}");
    is_in_place(&database, error);
    // The last one gone, the next one may.
    store.close().await.unwrap();
    let other = SqliteStore::open(&config).await.unwrap();
    assert!(other.set_aside().is_some());
}

fn is_in_place(database: &Database, error: Error) {
    let files = database.files();
    assert!(
        !files.iter().any(|name| name.contains("damaged")),
        "{files:?} {error:?}"
    );
}

#[tokio::test]
async fn what_is_locked_is_not_set_aside() {
    let database = closed_store().await;
    let mut other = database.connect().await;
    run(
        &mut other,
        "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM audit_holds",
    )
    .await;
    let config = database.config().busy_timeout(Duration::from_millis(50));
    let error = SqliteStore::open(&config).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    is_in_place(&database, error);
    run(&mut other, "ROLLBACK").await;
    close(other).await;
    let store = database.open().await;
    assert_eq!(list(&store).await.len(), 300);
}

#[tokio::test]
async fn what_is_newer_is_not_set_aside() {
    let database = closed_store().await;
    database
        .run("INSERT INTO audit_migrations (version, name, checksum, applied_at) VALUES (9000, 'of the future', x'00', 0)")
        .await;
    let error = SqliteStore::open(&database.config()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("9000") && text.contains("update it"),
        "{text}"
    );
    is_in_place(&database, error);
}

#[tokio::test]
async fn damage_that_is_met_later_is_an_error_that_no_retry_mends() {
    let database = closed_store().await;
    let config = database.config().check_on_open(false);
    let n_pages = fs::metadata(database.path()).unwrap().len() / 4_096;
    // What the schema stands on is whole.
    for page in n_pages / 2..n_pages {
        write_at(&database.path(), page * 4_096, &garbage(4_096));
    }
    let store = SqliteStore::open(&config).await.unwrap();
    assert_eq!(store.set_aside(), None);
    let error = store.append(&fixture::events(1..=300)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    store.close().await.unwrap();
    drop(store);
    let store = database.open().await;
    assert!(store.set_aside().is_some());
}

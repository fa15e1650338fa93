//! The files of a store: whose they are, and what takes them away.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use audit_core::ErrorKind;
use audit_core::sink::AuditSink;
use audit_sqlite::{SqliteConfig, SqliteReader, SqliteStore};
use audit_testkit::fixture;

use crate::database::{Database, keep, list};

#[tokio::test]
async fn all_files_are_their_owners_alone() {
    let database = Database::new();
    let store = database.open().await;
    keep(&store, &fixture::events(1..=3)).await;
    let files = database.files();
    assert_eq!(
        files,
        ["audit.db", "audit.db-lock", "audit.db-shm", "audit.db-wal"]
    );
    for name in files {
        let metadata = fs::metadata(database.folder().join(&name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_closed_store_leaves_one_file_that_holds_everything() {
    let database = Database::new();
    let store = database.open().await;
    let events = fixture::events(1..=3);
    keep(&store, &events).await;
    store.close().await.unwrap();
    drop(store);
    assert_eq!(database.files(), ["audit.db", "audit.db-lock"]);
    let elsewhere = database.folder().join("copy.db");
    fs::copy(database.path(), &elsewhere).unwrap();
    let copy = SqliteReader::open(&SqliteConfig::new(&elsewhere))
        .await
        .unwrap();
    assert_eq!(list(&copy).await, events);
}

#[tokio::test]
async fn a_file_that_was_removed_takes_no_event_to_its_grave() {
    let database = Database::new();
    let store = database.open().await;
    keep(&store, &fixture::events(1..=3)).await;
    fs::remove_file(database.path()).unwrap();
    let error = store.append(&fixture::events(4..=5)).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("moved or removed"), "{error}");
    assert!(!store.health().await.is_ready());
}

#[tokio::test]
async fn a_file_that_was_moved_away_and_back_goes_on() {
    let database = Database::new();
    let store = database.open().await;
    keep(&store, &fixture::events(1..=3)).await;
    let aside = database.folder().join("aside.db");
    fs::rename(database.path(), &aside).unwrap();
    fs::write(database.path(), "").unwrap();
    let error = store.append(&fixture::events(4..=5)).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("another file"), "{error}");
    fs::rename(&aside, database.path()).unwrap();
    keep(&store, &fixture::events(4..=5)).await;
    assert_eq!(list(&store).await, fixture::events(1..=5));
}

#[tokio::test]
async fn a_link_leads_to_its_file() {
    let database = Database::new();
    let store = database.open().await;
    keep(&store, &fixture::events(1..=3)).await;
    let link = database.folder().join("link.db");
    std::os::unix::fs::symlink("audit.db", &link).unwrap();
    let other = SqliteStore::open(&SqliteConfig::new(&link)).await.unwrap();
    keep(&other, &fixture::events(4..=5)).await;
    assert_eq!(list(&store).await, fixture::events(1..=5));
    let files = database.files();
    assert!(
        !files.iter().any(|name| name.starts_with("link.db-")),
        "{files:?}"
    );
}

#[tokio::test]
async fn a_name_that_looks_like_an_address_is_a_name() {
    let database = Database::new();
    for name in ["file:a?mode=memory.db", ":memory:", "a%20b#c.db", "ä ö.db"] {
        let config = SqliteConfig::new(database.folder().join(name));
        let store = SqliteStore::open(&config).await.unwrap();
        keep(&store, &fixture::events(1..=2)).await;
        store.close().await.unwrap();
        assert!(database.folder().join(name).exists(), "{name}");
    }
}

#[tokio::test]
async fn without_a_folder_the_error_says_so() {
    let database = Database::new();
    let config = SqliteConfig::new(database.folder().join("missing").join("audit.db"));
    let error = SqliteStore::open(&config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("folder"), "{error}");
    let error = SqliteStore::open(&SqliteConfig::new(database.folder()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
}

#[tokio::test]
async fn a_reader_makes_no_file_and_changes_none() {
    let database = Database::new();
    let error = SqliteReader::open(&database.config()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert_eq!(database.files(), [""; 0]);
    fs::write(database.path(), "").unwrap();
    let error = SqliteReader::open(&database.config()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    assert_eq!(fs::read(database.path()).unwrap(), b"");
    fs::write(database.path(), vec![7; 4_096]).unwrap();
    let error = SqliteReader::open(&database.config()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
    assert_eq!(database.files(), ["audit.db"]);
}

#[tokio::test]
async fn the_database_of_something_else_is_left_alone() {
    let database = Database::new();
    database.run("CREATE TABLE bookmarks (url TEXT)").await;
    let error = SqliteStore::open(&database.config()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("something else"), "{error}");
    let tables: String = database
        .value("SELECT group_concat(name) FROM sqlite_schema")
        .await;
    assert_eq!(tables, "bookmarks");
}

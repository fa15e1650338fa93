//! What a reader may take of the file, and of the writer beside it.

use std::time::Duration;

use audit_core::ErrorKind;
use audit_core::reader::{AuditReader, Condition, Filter, GroupBy, StatisticsRequest, TextField};
use audit_sqlite::{SqliteReader, SqliteStore};
use audit_testkit::fixture;

use crate::database::{Database, keep, list, run};

/// A question that takes long: each of many words is looked for in every text of every event.
fn long_question() -> StatisticsRequest {
    let words = (0..40).map(|n| Condition::Contains(format!("no text holds {n}").into()));
    let filter = words.fold(Filter::all(), Filter::with);
    StatisticsRequest::new(filter).group_by(GroupBy::Text(TextField::Tool))
}

async fn store() -> (Database, SqliteStore) {
    let database = Database::new();
    let store = database.open().await;
    let events = fixture::events(1..=8_000);
    for batch in events.chunks(2_000) {
        keep(&store, batch).await;
    }
    (database, store)
}

/// Whether nobody reads from the log: then it can be taken in whole.
async fn until_the_log_is_free(database: &Database) {
    let mut connection = database.connect().await;
    run(&mut connection, "PRAGMA busy_timeout = 1").await;
    let is_free = async {
        loop {
            let query = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)");
            let (is_busy, _, _): (i64, i64, i64) = query.fetch_one(&mut connection).await.unwrap();
            if is_busy == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let freed = tokio::time::timeout(Duration::from_secs(20), is_free).await;
    freed.expect("no question is left that reads");
}

#[tokio::test]
async fn a_question_ends_with_its_time() {
    let (database, store) = store().await;
    let config = database.config().query_timeout(Duration::from_millis(5));
    let reader = SqliteReader::open(&database.config()).await.unwrap();
    reader.statistics(&long_question()).await.unwrap();
    let hasty = SqliteStore::open(&config).await.unwrap();
    let error = hasty.statistics(&long_question()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    assert!(error.to_string().contains("query_timeout"), "{error}");
    // Its statement ends too, and keeps neither the log nor a place.
    until_the_log_is_free(&database).await;
    for _ in 0..10 {
        let error = hasty.statistics(&long_question()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    }
    keep(&store, &fixture::events(8_001..=8_001)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_keep_no_event_waiting() {
    let database = Database::new();
    let config = database.config().reader_connections(1);
    let store = SqliteStore::open(&config).await.unwrap();
    keep(&store, &fixture::events(1..=10)).await;
    // Who reads a snapshot for as long as it likes.
    let mut other = database.connect().await;
    run(&mut other, "BEGIN; SELECT count(*) FROM audit_events").await;
    keep(&store, &fixture::events(11..=20)).await;
    assert_eq!(list(&store).await.len(), 20);
    run(&mut other, "COMMIT").await;
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_is_ended() {
    let (database, store) = store().await;
    for _ in 0..5 {
        let long = long_question();
        let question = store.statistics(&long);
        let dropped = tokio::time::timeout(Duration::from_millis(5), question).await;
        assert!(dropped.is_err(), "a long question takes long");
    }
    until_the_log_is_free(&database).await;
    assert_eq!(
        store.count(&Filter::all(), 10_000).await.unwrap().n_events,
        8_000
    );
}

#[tokio::test]
async fn a_reader_goes_over_to_the_file_that_takes_the_place() {
    let database = Database::new();
    let store = database.open().await;
    keep(&store, &fixture::events(1..=3)).await;
    let reader = SqliteReader::open(&database.config()).await.unwrap();
    assert_eq!(list(&reader).await.len(), 3);
    drop(store);
    for name in database.files() {
        std::fs::rename(
            database.folder().join(&name),
            database.folder().join(format!("old-{name}")),
        )
        .unwrap();
    }
    let store = database.open().await;
    keep(&store, &fixture::events(4..=4)).await;
    assert_eq!(list(&reader).await, fixture::events(4..=4));
}

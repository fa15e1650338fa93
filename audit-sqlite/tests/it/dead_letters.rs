use audit_core::sink::Receipt;
use audit_core::{AuditEvent, AuditSink, ErrorKind};
use audit_sqlite::SqliteStore;
use audit_testkit::fixture;

use crate::database::{Database, keep, list};

const REFUSE: &str = "CREATE TRIGGER refuse BEFORE INSERT ON audit_events
    BEGIN SELECT RAISE(ABORT, 'what nobody may see'); END";

/// Three events, refused by a trigger that somebody put there.
async fn refused() -> (Database, SqliteStore, Vec<AuditEvent>) {
    let database = Database::new();
    let store = database.open().await;
    database.run(REFUSE).await;
    let events = fixture::events(1..=3);
    assert!(!store.append(&events).await.unwrap().is_all_kept());
    (database, store, events)
}

#[tokio::test]
async fn letters_are_listed_page_by_page() {
    let (_database, store, events) = refused().await;
    let letters = store.dead_letters();
    let first = letters.list(None, 2).await.unwrap();
    let rest = letters.list(Some(first[1].number), 2).await.unwrap();
    let ids: Vec<_> = first.iter().chain(&rest).map(|it| it.event_id).collect();
    assert_eq!(ids, events.iter().map(|event| event.id).collect::<Vec<_>>());
    assert_eq!(first[0].result_code, Some(1_811));
    assert!(
        !first[0].reason.contains("nobody may see"),
        "{}",
        first[0].reason
    );
    assert_eq!(AuditEvent::from_json(&first[0].event).unwrap(), events[0]);
    assert!(first[0].set_aside_at > events[0].ts);
    assert!(!format!("{:?}", first[0]).contains("tools/call"));
    // Brought again, they are set aside once.
    assert!(!store.append(&events).await.unwrap().is_all_kept());
    assert_eq!(letters.list(None, 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn the_latest_letters_come_first_however_many_there_are() {
    let (_database, store, events) = refused().await;
    let letters = store.dead_letters();
    let latest = letters.latest(2).await.unwrap();
    let ids: Vec<_> = latest.iter().map(|letter| letter.event_id).collect();
    assert_eq!(ids, [events[2].id, events[1].id]);
    assert_eq!(letters.count(2).await.unwrap(), 2);
    assert_eq!(letters.count(10).await.unwrap(), 3);
}

#[tokio::test]
async fn a_letter_is_gone_once_its_event_is_stored() {
    let (database, store, events) = refused().await;
    let letters = store.dead_letters();
    let all = letters.list(None, 10).await.unwrap();
    let numbers: Vec<_> = all.iter().map(|letter| letter.number).collect();
    // The reason is there still: nothing changes.
    let receipt = letters.retry(numbers[0]).await.unwrap();
    assert!(matches!(receipt, Receipt::Refused(_)), "{receipt:?}");
    assert_eq!(letters.list(None, 10).await.unwrap(), all);
    database.run("DROP TRIGGER refuse").await;
    assert_eq!(letters.retry(numbers[0]).await.unwrap(), Receipt::Stored);
    // Stored by somebody else meanwhile.
    keep(&store, &events[1..2]).await;
    let receipt = letters.retry(numbers[1]).await.unwrap();
    assert_eq!(receipt, Receipt::AlreadyStored);
    let error = letters.retry(numbers[1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(letters.remove(numbers[2]).await.unwrap());
    assert!(!letters.remove(numbers[2]).await.unwrap());
    assert_eq!(letters.list(None, 10).await.unwrap(), []);
    assert_eq!(list(&store).await, events[..2]);
}

#[tokio::test]
async fn a_conflict_is_set_aside_without_a_code() {
    let database = Database::new();
    let store = database.open().await;
    keep(&store, &[fixture::full_event(1)]).await;
    let other = fixture::conflicts(1)[0].1.clone();
    let batch = [fixture::event(2), other.clone(), fixture::event(3)];
    assert!(!store.append(&batch).await.unwrap().is_all_kept());
    let letters = store.dead_letters().list(None, 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].result_code, None);
    assert_eq!(AuditEvent::from_json(&letters[0].event).unwrap(), other);
}

#[tokio::test]
async fn a_letter_that_holds_no_event_stays() {
    let (database, store, _) = refused().await;
    database
        .run("UPDATE audit_dead_letters SET event = '{}' WHERE dead_letter_id = 1")
        .await;
    let error = store.dead_letters().retry(1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(store.dead_letters().list(None, 10).await.unwrap().len(), 3);
}

/// Of a large batch with a refused event in each statement, the rest is stored, in its order.
#[tokio::test]
async fn a_batch_is_taken_apart_within_its_transaction() {
    let database = Database::new();
    let store = database.open().await;
    database
        .run(
            "CREATE TRIGGER refuse BEFORE INSERT ON audit_events WHEN NEW.seq % 50 = 0
              BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .await;
    let events = fixture::events(1..=300);
    let receipts = store.append(&events).await.unwrap().into_receipts();
    let kept: Vec<_> = events
        .iter()
        .filter(|it| it.seq.get() % 50 != 0)
        .cloned()
        .collect();
    for (event, receipt) in events.iter().zip(&receipts) {
        assert_eq!(
            receipt.is_kept(),
            event.seq.get() % 50 != 0,
            "{event:?} {receipt:?}"
        );
    }
    assert_eq!(list(&store).await, kept);
    let order: String = database
        .value("SELECT group_concat(seq) FROM (SELECT seq FROM audit_events ORDER BY position)")
        .await;
    let expected: Vec<String> = kept.iter().map(|event| event.seq.to_string()).collect();
    assert_eq!(order, expected.join(","));
}

/// A trigger that ends the transaction leaves nothing half done.
#[tokio::test]
async fn a_trigger_that_rolls_back_fails_the_batch_as_a_whole() {
    let database = Database::new();
    let store = database.open().await;
    database
        .run(
            "CREATE TRIGGER refuse BEFORE INSERT ON audit_events WHEN NEW.seq = 3
              BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
        )
        .await;
    let error = store.append(&fixture::events(1..=5)).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(error.to_string().contains("ABORT"), "{error}");
    assert!(list(&store).await.is_empty());
    database.run("DROP TRIGGER refuse").await;
    keep(&store, &fixture::events(1..=5)).await;
}

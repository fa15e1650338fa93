use audit_core::sink::Receipt;
use audit_core::{AuditEvent, AuditSink, ErrorKind};
use audit_postgres::PostgresMaintainer;

use crate::database::{Database, at, event_at};

/// Three events, refused by a trigger that somebody put there.
async fn refused() -> (Database, PostgresMaintainer, Vec<AuditEvent>) {
    let (database, maintainer) = Database::migrated().await;
    let sink = database.sink().await;
    database
        .run("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
              CREATE TRIGGER refuse BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION refuse()")
        .await;
    let events: Vec<_> = (1..=3)
        .map(|number| event_at(at("2026-11-23T00:00:00Z"), number))
        .collect();
    assert!(!sink.append(&events).await.unwrap().is_all_kept());
    (database, maintainer, events)
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_listed_page_by_page() {
    let (database, maintainer, events) = refused().await;
    let letters = maintainer.dead_letters();
    let first = letters.list(None, 2).await.unwrap();
    let rest = letters.list(Some(first[1].number), 2).await.unwrap();
    let ids: Vec<_> = first
        .iter()
        .chain(&rest)
        .map(|letter| letter.event_id)
        .collect();
    assert_eq!(ids, events.iter().map(|event| event.id).collect::<Vec<_>>());
    assert_eq!(first[0].sqlstate.as_deref(), Some("P0001"));
    assert_eq!(AuditEvent::from_json(&first[0].event).unwrap(), events[0]);
    assert!(first[0].set_aside_at > at("2020-01-01T00:00:00Z"));
    assert!(!format!("{:?}", first[0]).contains("tools/call"));
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_letters_come_first_however_many_there_are() {
    let (database, maintainer, events) = refused().await;
    let letters = maintainer.dead_letters();
    let latest = letters.latest(2).await.unwrap();
    let ids: Vec<_> = latest.iter().map(|letter| letter.event_id).collect();
    assert_eq!(ids, [events[2].id, events[1].id]);
    assert_eq!(letters.count(2).await.unwrap(), 2);
    assert_eq!(letters.count(10).await.unwrap(), 3);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_gone_once_its_event_is_stored() {
    let (database, maintainer, events) = refused().await;
    let letters = maintainer.dead_letters();
    let numbers: Vec<_> = letters
        .list(None, 10)
        .await
        .unwrap()
        .iter()
        .map(|letter| letter.number)
        .collect();
    // The reason is there still: nothing changes.
    assert!(matches!(
        letters.retry(numbers[0]).await.unwrap(),
        Receipt::Refused(_)
    ));
    assert_eq!(letters.list(None, 10).await.unwrap().len(), 3);
    database.run("DROP TRIGGER refuse ON audit_events").await;
    assert_eq!(letters.retry(numbers[0]).await.unwrap(), Receipt::Stored);
    // Stored by somebody else meanwhile.
    let appended = database.sink().await.append(&events[1..2]).await.unwrap();
    assert!(appended.is_all_kept());
    assert_eq!(
        letters.retry(numbers[1]).await.unwrap(),
        Receipt::AlreadyStored
    );
    assert_eq!(
        letters.retry(numbers[1]).await.unwrap_err().kind(),
        ErrorKind::Invalid
    );
    assert!(letters.remove(numbers[2]).await.unwrap());
    assert!(!letters.remove(numbers[2]).await.unwrap());
    assert!(letters.list(None, 10).await.unwrap().is_empty());
    let n: i64 = database.value("SELECT count(*) FROM audit_events").await;
    assert_eq!(n, 2);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_holds_no_event_stays() {
    let (database, maintainer) = Database::migrated().await;
    database
        .run("INSERT INTO audit_dead_letters (event_id, reason, event)
              VALUES ('018cc251-f400-7000-8000-000000000000', 'by hand', '{\"secret\":\"hunter2\"}')")
        .await;
    let letters = maintainer.dead_letters();
    let number = letters.list(None, 1).await.unwrap()[0].number;
    let error = letters.retry(number).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(!format!("{error:?}").contains("hunter2"));
    assert_eq!(letters.list(None, 1).await.unwrap().len(), 1);
    database.drop().await;
}

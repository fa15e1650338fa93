//! Waiting for events without sleeping.

use std::time::Duration;

use audit_core::event::AuditEvent;
use audit_core::sink::AuditSink;
use audit_memory::{MemoryConfig, MemoryStore, WhenFull};
use audit_testkit::fixture;
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn what_is_there_already_is_not_waited_for() {
    let store = MemoryStore::new();
    drop(store.append(&fixture::events([2, 1])).await.unwrap());
    let events = timeout(LONG, store.wait_for(|events| events.len() == 2))
        .await
        .unwrap();
    assert_eq!(events, fixture::events([2, 1]));
}

/// Every batch is seen, whichever thread is faster: a lost wake-up would hang one of the rounds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wake_up_is_lost() {
    for _ in 0..300 {
        let store = MemoryStore::new();
        let writer = store.clone();
        let writing = tokio::spawn(async move {
            for number in 1..=3 {
                drop(writer.append(&[fixture::event(number)]).await.unwrap());
            }
        });
        let all = timeout(LONG, store.wait_for(|events| events.len() == 3)).await;
        assert_eq!(all.unwrap(), fixture::events(1..=3));
        writing.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_comes_is_waited_for() {
    let store = MemoryStore::new();
    let waited = timeout(LONG, store.wait_for(|events| !events.is_empty())).await;
    waited.unwrap_err();
}

#[tokio::test]
async fn the_condition_may_ask_the_store() {
    let store = MemoryStore::new();
    drop(store.append(&fixture::events(1..=2)).await.unwrap());
    let same = store.clone();
    let is_same = move |events: &[AuditEvent]| events.len() == same.n_events();
    timeout(LONG, store.wait_for(is_same)).await.unwrap();
}

#[tokio::test]
async fn a_store_that_forgets_shows_what_it_holds() {
    let config = MemoryConfig::new()
        .max_events(2)
        .when_full(WhenFull::ForgetOldest);
    let store = MemoryStore::with_config(config);
    let writer = store.clone();
    let waiting = tokio::spawn(async move {
        let has_last = |events: &[AuditEvent]| events.iter().any(|event| event.seq.get() == 9);
        timeout(LONG, store.wait_for(has_last)).await
    });
    for number in 1..=9 {
        tokio::task::yield_now().await;
        drop(writer.append(&[fixture::event(number)]).await.unwrap());
    }
    assert_eq!(waiting.await.unwrap().unwrap(), fixture::events(8..=9));
}

#[tokio::test]
async fn a_closed_store_can_still_be_read() {
    let store = MemoryStore::new();
    drop(store.append(&fixture::events(1..=2)).await.unwrap());
    store.close().await.unwrap();
    assert_eq!(store.recorded(), fixture::events(1..=2));
    assert!(format!("{store:?}").contains("is_closed: true"));
}

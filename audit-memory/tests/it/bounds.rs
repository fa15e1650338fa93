//! What the store does at its bounds.

use audit_core::ErrorKind;
use audit_core::event::AuditEvent;
use audit_core::reader::{AuditReader, Filter, FollowFrom, FollowRequest};
use audit_core::sink::{AuditSink, Readiness, Receipt};
use audit_memory::{MemoryConfig, MemoryStore, WhenFull};
use audit_testkit::fixture;

fn forgetting(max_events: usize) -> MemoryStore {
    let config = MemoryConfig::new().max_events(max_events);
    MemoryStore::with_config(config.when_full(WhenFull::ForgetOldest))
}

async fn append(store: &MemoryStore, numbers: impl IntoIterator<Item = u64>) -> Vec<Receipt> {
    let appended = store.append(&fixture::events(numbers)).await;
    appended.unwrap().into_receipts()
}

#[tokio::test]
async fn a_full_store_refuses_the_batch_and_rolls_it_back() {
    let store = MemoryStore::with_config(MemoryConfig::new().max_events(4));
    append(&store, [9, 1]).await;
    let size = store.size_in_memory();
    let error = store
        .append(&fixture::events([3, 1, 5, 7]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(
        error.to_string(),
        "a batch of 4 does not fit the memory store"
    );
    assert_eq!(store.recorded(), fixture::events([9, 1]));
    assert_eq!((store.n_events(), store.size_in_memory()), (2, size));
    assert_eq!(store.get(fixture::event_id(3)).await.unwrap(), None);
    assert_eq!(append(&store, [3, 1, 5]).await.len(), 3);
}

#[tokio::test]
async fn the_bytes_are_bounded_too() {
    let one = fixture::event(1).size_in_memory();
    let store = MemoryStore::with_config(MemoryConfig::new().max_bytes(3 * one + one / 2));
    append(&store, 1..=3).await;
    let error = store.append(&[fixture::event(4)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(store.size_in_memory() <= 3 * one + one / 2);
}

#[tokio::test]
async fn the_oldest_commit_is_forgotten_first_and_counted() {
    let store = forgetting(3);
    append(&store, [5, 1, 9]).await;
    append(&store, [2, 7]).await;
    assert_eq!(store.recorded(), fixture::events([9, 2, 7]));
    assert_eq!(store.n_forgotten(), 2);
    assert_eq!(store.get(fixture::event_id(5)).await.unwrap(), None);
    let sizes: usize = store
        .recorded()
        .iter()
        .map(AuditEvent::size_in_memory)
        .sum();
    assert_eq!(store.size_in_memory(), sizes);
}

#[tokio::test]
async fn a_forgotten_event_is_taken_again() {
    let store = forgetting(2);
    append(&store, [1, 2, 3]).await;
    assert_eq!(append(&store, [1]).await, [Receipt::Stored]);
    assert_eq!(append(&store, [3]).await, [Receipt::AlreadyStored]);
    assert_eq!(store.recorded(), fixture::events([3, 1]));
}

#[tokio::test]
async fn a_batch_larger_than_the_store_leaves_its_end() {
    let store = forgetting(3);
    assert_eq!(append(&store, 1..=10).await, vec![Receipt::Stored; 10]);
    assert_eq!(store.recorded(), fixture::events(8..=10));
    assert_eq!(store.n_forgotten(), 7);
}

#[tokio::test]
async fn an_event_larger_than_the_store_is_refused_alone() {
    let one = fixture::event(1).size_in_memory();
    let config = MemoryConfig::new().max_bytes(2 * one + 16);
    for when_full in [WhenFull::ForgetOldest, WhenFull::Refuse] {
        let store = MemoryStore::with_config(config.when_full(when_full));
        let batch = [
            fixture::event(1),
            fixture::largest_event(2),
            fixture::event(3),
        ];
        let receipts = store.append(&batch).await.unwrap().into_receipts();
        assert!(matches!(receipts[1], Receipt::Refused(_)), "{receipts:?}");
        assert_eq!(store.recorded(), fixture::events([1, 3]));
    }
}

#[tokio::test]
async fn a_follower_that_was_overtaken_is_told_so() {
    let store = forgetting(2);
    append(&store, [1]).await;
    let begin = store
        .follow(&FollowRequest::new(Filter::all()))
        .await
        .unwrap();
    append(&store, [2, 3, 4]).await;
    let late = FollowRequest::new(Filter::all()).from(FollowFrom::After(begin.position));
    let error = store.follow(&late).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let anew = store
        .follow(&FollowRequest::new(Filter::all()))
        .await
        .unwrap();
    let followed: Vec<AuditEvent> = anew.events.into_iter().map(|it| it.event).collect();
    assert_eq!(followed, fixture::events([3, 4]));
}

#[tokio::test]
async fn health_tells_how_much_room_is_left() {
    let store = MemoryStore::with_config(MemoryConfig::new().max_events(10));
    let mut seen = Vec::new();
    for number in 1..=10 {
        seen.push(store.health().await.readiness);
        append(&store, [number]).await;
    }
    seen.push(store.health().await.readiness);
    assert_eq!(seen[..9], [Readiness::Ready; 9]);
    assert_eq!(seen[9..], [Readiness::Degraded, Readiness::Unavailable]);
    let reason = store.health().await.reason.unwrap();
    assert_eq!(reason, "the memory store is full");
    let forgets = forgetting(1);
    append(&forgets, [1, 2]).await;
    assert!(forgets.health().await.is_ready());
}

use std::sync::Arc;

use audit_core::Clock as _;
use audit_memory::{MemoryConfig, MemoryStore, WhenFull};
use audit_testkit::fixture;
use audit_web::access::{Scope, TokenName};
use axum::http::StatusCode;

use crate::support::{Listener, Stand};

async fn listen(stand: &Stand, query: &str) -> Listener {
    let token = stand.token(Scope::Viewer);
    let connected = Listener::connect(stand, token, query, None).await;
    connected.unwrap()
}

async fn store(stand: &Stand, numbers: impl IntoIterator<Item = u64>) {
    stand.append(&fixture::events(numbers)).await;
}

fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    let ids = numbers.into_iter().map(fixture::event_id);
    ids.map(|id| id.to_string()).collect()
}

#[tokio::test]
async fn what_is_committed_from_now_on_is_sent_without_payloads() {
    let stand = Stand::with(&fixture::events(1..=3)).await;
    let mut listener = listen(&stand, "").await;
    let caught_up = listener.next().await.unwrap();
    assert_eq!(caught_up.event, "caught-up");
    assert!(caught_up.id.is_some());
    store(&stand, 4..=5).await;
    let message = listener.next_of("audit").await;
    assert_eq!(message.event_id(), ids([4])[0]);
    assert!(!message.data.contains("request_json"), "{}", message.data);
    assert_eq!(listener.ids(1).await, ids([5]));
}

#[tokio::test]
async fn an_event_that_is_stored_late_among_old_ones_is_sent() {
    let stand = Stand::with(&fixture::events([10])).await;
    let mut listener = listen(&stand, "").await;
    listener.next_of("caught-up").await;
    store(&stand, [3]).await;
    store(&stand, [11]).await;
    assert_eq!(listener.ids(2).await, ids([3, 11]));
}

#[tokio::test]
async fn whoever_connects_again_gets_what_it_missed_and_nothing_twice() {
    let stand = Stand::with(&fixture::events([1])).await;
    let token = stand.token(Scope::Viewer);
    let mut listener = listen(&stand, "").await;
    let mut last = listener.next_of("caught-up").await.id;
    let mut seen = Vec::new();
    let mut number = 1;
    for round in 0..20_u64 {
        // Some of the events are sent, some of them are not read any more, some come in between.
        let count = 1 + round * 37 % 301;
        store(&stand, number + 1..=number + count).await;
        for _ in 0..count / 2 {
            let message = listener.next_of("audit").await;
            last.clone_from(&message.id);
            seen.push(message.event_id());
        }
        drop(listener);
        store(&stand, [number + count + 1]).await;
        number += count + 1;
        let again = Listener::connect(&stand, token, "", last.as_deref()).await;
        listener = again.unwrap();
    }
    let n_left = usize::try_from(number).unwrap() - 1 - seen.len();
    seen.extend(listener.ids(n_left).await);
    assert_eq!(seen, ids(2..=number));
}

#[tokio::test]
async fn whoever_reads_too_slowly_is_told_so_and_then_gets_everything() {
    let stand = Stand::with(&[]).await;
    let mut listener = listen(&stand, "").await;
    listener.next_of("caught-up").await;
    // More than the buffers of a connection and the ring of the hub hold.
    let most = 20_000;
    for begin in (1..=most).step_by(1_000) {
        store(&stand, begin..begin + 1_000).await;
    }
    let mut seen = Vec::new();
    let mut n_behind = 0;
    loop {
        let message = listener.next().await.unwrap();
        match message.event.as_str() {
            "audit" => seen.push(message.event_id()),
            "behind" => n_behind += 1,
            "caught-up" => break,
            other => panic!("{other}: {}", message.data),
        }
    }
    assert!(n_behind > 0, "it was never behind");
    assert_eq!(seen, ids(1..=most));
    // It goes on with what is new.
    store(&stand, [most + 1]).await;
    assert_eq!(listener.ids(1).await, ids([most + 1]));
}

#[tokio::test]
async fn a_filter_holds_for_what_is_replayed_and_for_what_is_new() {
    let stand = Stand::with(&fixture::events(1..=500)).await;
    let mut listener = listen(&stand, "").await;
    let begin = listener.next_of("caught-up").await.id.unwrap();
    store(&stand, 501..=2_000).await;
    let query = format!("?after={begin}&filter=seq%3A%3E%3D1990");
    let mut filtered = listen(&stand, &query).await;
    assert_eq!(filtered.ids(11).await, ids(1_990..=2_000));
    filtered.next_of("caught-up").await;
    store(&stand, [7_000, 1]).await;
    store(&stand, [7_001]).await;
    assert_eq!(filtered.ids(2).await, ids([7_000, 7_001]));
}

#[tokio::test]
async fn two_hundred_viewers_beside_a_busy_writer_see_the_same() {
    let stand = Arc::new(Stand::with(&[]).await);
    let mut viewers = tokio::task::JoinSet::new();
    let n_events = 600;
    for at in 0..200 {
        let mut listener = listen(&stand, "").await;
        let stand = Arc::clone(&stand);
        viewers.spawn(async move {
            let mut last = listener.next_of("caught-up").await.id;
            let mut seen = Vec::new();
            // Every tenth loses its connection half-way.
            if at % 10 == 0 {
                for _ in 0..200 {
                    let message = listener.next_of("audit").await;
                    last.clone_from(&message.id);
                    seen.push(message.event_id());
                }
                let token = stand.token(Scope::Viewer);
                let again = Listener::connect(&stand, token, "", last.as_deref()).await;
                listener = again.unwrap();
            }
            seen.extend(listener.ids(n_events - seen.len()).await);
            seen
        });
    }
    let n_events = u64::try_from(n_events).unwrap();
    for begin in (1..=n_events).step_by(10) {
        store(&stand, begin..begin + 10).await;
        tokio::task::yield_now().await;
    }
    let all = ids(1..=n_events);
    while let Some(seen) = viewers.join_next().await {
        assert_eq!(seen.unwrap(), all);
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_revoked() {
    let stand = Stand::with(&[]).await;
    let mut listener = listen(&stand, "").await;
    listener.next_of("caught-up").await;
    let name = TokenName::new("the-viewer").unwrap();
    assert!(stand.tokens.revoke(&name, stand.clock.now()));
    store(&stand, [1]).await;
    let end = listener.next().await.unwrap();
    assert_eq!(end.event, "end", "{end:?}");
    assert!(listener.next().await.is_none());
    let token = stand.token(Scope::Viewer);
    let (status, _) = Listener::connect(&stand, token, "", None)
        .await
        .unwrap_err();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_position_that_is_not_known_says_to_begin_anew() {
    let forgetful = MemoryStore::with_config(
        MemoryConfig::new()
            .max_events(10)
            .when_full(WhenFull::ForgetOldest),
    );
    let stand = Stand::on(forgetful, &[], |builder| builder).await;
    let mut listener = listen(&stand, "").await;
    let begin = listener.next_of("caught-up").await.id.unwrap();
    drop(listener);
    store(&stand, 1..=30).await;
    let token = stand.token(Scope::Viewer);
    for position in [begin.as_str(), "p1-of-another-store"] {
        let refused = Listener::connect(&stand, token, "", Some(position)).await;
        let (status, problem) = refused.unwrap_err();
        assert_eq!(status, StatusCode::GONE, "{problem}");
        assert!(problem.contains("begin anew"), "{problem}");
    }
    let refused = Listener::connect(&stand, token, "", Some("no position")).await;
    assert_eq!(refused.unwrap_err().0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn streams_end_with_the_server() {
    let stand = Stand::with(&[]).await;
    let mut listener = listen(&stand, "").await;
    listener.next_of("caught-up").await;
    let ended = tokio::spawn(async move { listener.next_of("end").await });
    stand.end().await;
    assert!(ended.await.unwrap().data.contains("the server ends"));
}

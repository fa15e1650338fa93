use std::time::Duration;

use audit_core::Clock;
use audit_core::event::{Outcome, Timestamp};
use audit_mcp::conversation::Side;
use audit_mcp::relay::Relay;
use serde_json::json;
use tokio::time::Instant;

use super::wire::Wire;
use crate::conversation::stand::{Stand, call, request, result};

#[tokio::test]
async fn a_server_that_dies_leaves_its_calls_disconnected() {
    let mut wire = Wire::plain();
    wire.client.say(call(1)).await;
    wire.server.hears_line(call(1)).await;
    let asked = request(1, "roots/list", &json!({}));
    wire.server.say(&asked).await;
    wire.client.hears_line(&asked).await;
    wire.server.leave().await;
    assert_eq!(wire.client.rest().await, b"");
    let (relayed, events) = wire.end().await;
    assert_eq!(relayed.ended_by, Side::Server);
    assert!(relayed.error.is_none(), "{relayed:?}");
    let outcomes: Vec<_> = events.iter().map(|it| it.outcome).collect();
    assert_eq!(
        outcomes,
        [Outcome::UpstreamDisconnected, Outcome::Cancelled]
    );
}

#[tokio::test]
async fn what_is_still_answered_is_handed_on() {
    let mut wire = Wire::plain();
    wire.client.say(call(1)).await;
    wire.client.say(call(2)).await;
    wire.client.leave().await;
    wire.server.line().await;
    wire.server.line().await;
    // The server's input is closed behind the last byte.
    assert_eq!(wire.server.rest().await, b"");
    let answer = result(1, &json!({}));
    wire.server.say(&answer).await;
    wire.client.hears_line(&answer).await;
    wire.server.leave().await;
    let (relayed, events) = wire.end().await;
    assert_eq!(relayed.ended_by, Side::Client);
    let outcomes: Vec<_> = events.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Cancelled]);
}

#[tokio::test]
async fn a_last_line_without_an_end_is_a_line() {
    let mut wire = Wire::plain();
    wire.client.write(call(1).to_string()).await;
    wire.client.leave().await;
    assert_eq!(wire.server.rest().await, call(1).to_string().as_bytes());
    let answer = result(1, &json!({})).to_string();
    wire.server.write(&answer).await;
    wire.server.leave().await;
    assert_eq!(wire.client.rest().await, answer.as_bytes());
    let (_, events) = wire.end().await;
    assert_eq!(events[0].outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_client_that_cannot_be_written_to_is_gone() {
    let mut wire = Wire::plain();
    wire.client.say(call(1)).await;
    wire.server.hears_line(call(1)).await;
    let Wire { client, .. } = &mut wire;
    // Both directions at once, as a process that was killed.
    let (reader, writer) = std::mem::replace(client, dead()).split();
    drop(reader.unsplit(writer));
    wire.server.say(result(2, &json!({}))).await;
    assert_eq!(wire.server.rest().await, b"");
    // The server may have been written to no more by now.
    let (relayed, events) = wire.end().await;
    assert_eq!(relayed.ended_by, Side::Client);
    assert_eq!(events[0].outcome, Outcome::Cancelled);
}

fn dead() -> super::wire::Peer {
    Wire::plain().client
}

/// The time of a runtime that is paused.
#[derive(Debug)]
struct PausedClock(Instant);

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_too_long_has_timed_out_and_is_answered_all_the_same() {
    let stand = Stand::with(|builder| {
        let builder = builder.answer_deadline(Duration::from_secs(20));
        builder.clock(PausedClock(Instant::now()))
    });
    let mut wire = Wire::new(stand, Relay::DEFAULT_WINDOW, 64 << 10);
    for (id, seconds) in [(1, 15), (2, 15), (3, 0)] {
        wire.client.say(call(id)).await;
        wire.server.hears_line(call(id)).await;
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }
    // Of the three the first has waited for 30 seconds.
    while wire.stand().conversation.counters().in_flight > 2 {
        tokio::task::yield_now().await;
    }
    for id in [1, 2, 3] {
        let answer = result(id, &json!({}));
        wire.server.say(&answer).await;
        wire.client.hears_line(&answer).await;
    }
    let (_, events) = wire.close().await;
    let outcomes: Vec<_> = events.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [Outcome::Timeout, Outcome::Ok, Outcome::Ok]);
}

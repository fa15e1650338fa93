use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use audit_core::event::Outcome;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::wire::{Wire, soon};
use crate::conversation::stand::{Stand, call, cancel, request, result};

/// A window that no message fits into.
const WINDOW: usize = 64;

fn long(id: impl Into<Value>) -> Value {
    let params = json!({ "arguments": { "q": "x".repeat(100_000) }, "name": "search" });
    request(id, "tools/call", &params)
}

#[tokio::test]
async fn a_message_longer_than_the_window_has_a_record_like_any_other() {
    let mut wire = Wire::new(Stand::new(), WINDOW, 1 << 20);
    wire.client.say(long("long")).await;
    wire.server.hears_line(long("long")).await;
    let text = "line of a log\n".repeat(10_000);
    let answer = json!({ "content": [{ "type": "text", "text": text }], "isError": true });
    let answer = result("long", &answer);
    wire.server.say(&answer).await;
    wire.client.hears_line(&answer).await;
    let (_, events) = wire.close().await;
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(event.outcome, Outcome::ToolError);
    assert_eq!(event.tool_name.as_ref().unwrap().as_str(), "search");
    assert_eq!(event.request_id.as_ref().unwrap().as_str(), "long");
    let report = event.response().unwrap().report();
    assert!(report.original_bytes > 100_000, "{report:?}");
    assert!(report.truncated, "{report:?}");
    let kept = event.response().unwrap().json().unwrap();
    assert!(kept.contains("line of a log"), "{kept}");
}

#[tokio::test]
async fn a_long_call_is_on_record_before_it_is_complete_at_the_server() {
    let mut wire = Wire::new(Stand::new(), WINDOW, 1 << 20);
    let text = long(1).to_string();
    let (all_but_bracket, bracket) = text.split_at(text.len() - 1);
    wire.client.write(all_but_bracket).await;
    wire.server.hears(all_but_bracket).await;
    assert_eq!(wire.stand().conversation.counters().recorded, 0);
    wire.client.write(format!("{bracket}\n")).await;
    wire.server.hears(format!("{bracket}\n")).await;
    assert_eq!(wire.stand().conversation.counters().in_flight, 1);
    let (_, events) = wire.close().await;
    assert_eq!(events[0].outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn a_long_call_without_room_is_broken_off() {
    let stand = Stand::with_room(1, |builder| builder);
    let mut wire = Wire::new(stand, WINDOW, 1 << 20);
    wire.client.say(call(1)).await;
    wire.server.line().await;
    wire.client.say(long(2)).await;
    let broken = wire.server.line().await;
    serde_json::from_str::<Value>(&broken).expect_err("it is broken off");
    assert!(!broken.ends_with('}') || broken.matches('}').count() < 3);
    let refused: Value = serde_json::from_str(&wire.client.line().await).unwrap();
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&json!(2), &json!(-32603))
    );
    // The next line is whole again.
    let noted = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    wire.client.say(&noted).await;
    wire.server.hears_line(&noted).await;
    let (_, events) = wire.close().await;
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn long_batches_and_cancels_are_read_as_well() {
    let mut wire = Wire::new(Stand::new(), WINDOW, 1 << 20);
    let batch = json!([long(1), call("b"), long(3)]);
    wire.client.say(&batch).await;
    wire.server.hears_line(&batch).await;
    wire.client.say(cancel("b")).await;
    wire.server.line().await;
    let answers = json!([
        result(3, &json!({ "isError": true })),
        result(1, &json!({}))
    ]);
    wire.server.say(&answers).await;
    wire.client.hears_line(&answers).await;
    let (_, events) = wire.close().await;
    let outcomes: Vec<_> = events.iter().map(|it| it.outcome).collect();
    let expected = [Outcome::Cancelled, Outcome::ToolError, Outcome::Ok];
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn a_long_line_that_is_no_message_is_on_record_once() {
    let mut wire = Wire::new(Stand::new(), WINDOW, 1 << 20);
    for line in ["x".repeat(1000), " ".repeat(1000), "[".repeat(1000)] {
        wire.client.say(&line).await;
        wire.server.hears_line(&line).await;
        wire.server.say(&line).await;
        wire.client.hears_line(&line).await;
    }
    assert_eq!(wire.stand().conversation.counters().noise, 2);
    let (_, events) = wire.close().await;
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|it| it.method.as_str() == "invalid"));
}

#[tokio::test]
async fn who_does_not_read_is_not_read_from() {
    let window = 4096;
    let mut wire = Wire::new(Stand::new(), window, 4096);
    let line = vec![b'x'; 64 << 20];
    // Nobody reads at the client: the server cannot write more than what lies on the way.
    let (mut reader, mut writer) =
        std::mem::replace(&mut wire.server, Wire::plain().server).split();
    let written = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&written);
    let writing = tokio::spawn(async move {
        for piece in line.chunks(1024) {
            writer.write_all(piece).await?;
            counted.fetch_add(piece.len(), Ordering::SeqCst);
        }
        std::io::Result::Ok(())
    });
    // The other direction still works, so everybody has had many a turn.
    let noted = format!("{}\n", json!({ "method": "notifications/n" }));
    for _ in 0..1000 {
        wire.client.write(&noted).await;
        let mut line = vec![0; noted.len()];
        soon(reader.read_exact(&mut line)).await.unwrap();
    }
    let most = window + 2 * 4096 + (64 << 10) + 1024;
    let n_bytes = written.load(Ordering::SeqCst);
    assert!(n_bytes <= most, "{n_bytes} bytes lie on the way");
    writing.abort();
    drop(soon(writing).await);
}

use audit_core::event::Outcome;
use audit_mcp::relay::Relay;
use serde_json::{Value, json};

use super::wire::Wire;
use crate::conversation::stand::{Stand, call, cancel, request, result};

#[tokio::test]
async fn a_call_and_its_answer_go_by() {
    let mut wire = Wire::plain();
    wire.client.say(call(1)).await;
    wire.server.hears_line(call(1)).await;
    let answer = result(1, &json!({ "content": [], "isError": true }));
    wire.server.say(&answer).await;
    wire.client.hears_line(&answer).await;
    let (_, events) = wire.close().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].outcome, Outcome::ToolError);
}

#[tokio::test]
async fn bytes_go_by_as_they_are() {
    let mut wire = Wire::plain();
    let odd = b"\n\r\n  {\"a\" : 1}\r\n\xff\xfe no json \x00\n[1,\n\"\xc3\n";
    wire.client.write(odd).await;
    wire.server.hears(odd).await;
    wire.server.write(odd).await;
    wire.client.hears(odd).await;
    let (_, events) = wire.close().await;
    // Blank lines are nothing; the other four are no messages.
    assert_eq!(events.len(), 4, "{events:?}");
    assert!(
        events
            .iter()
            .all(|it| it.outcome == Outcome::InvalidRequest)
    );
}

#[tokio::test]
async fn a_line_end_of_two_bytes_is_one() {
    let mut wire = Wire::plain();
    let line = format!(" {}\r\n", call(1));
    wire.client.write(&line).await;
    wire.server.hears(&line).await;
    let answer = format!("{}\r\n", result(1, &json!({})));
    wire.server.write(&answer).await;
    wire.client.hears(&answer).await;
    let (_, events) = wire.close().await;
    assert_eq!(events[0].outcome, Outcome::Ok);
}

#[tokio::test]
async fn lines_in_one_piece_are_lines_all_the_same() {
    let mut wire = Wire::plain();
    let lines = format!("{}\n{}\n{}\n", call(1), cancel(1), call(2));
    wire.client.write(&lines).await;
    wire.server.hears(&lines).await;
    wire.server.say(result(2, &json!({}))).await;
    wire.client.line().await;
    let (_, events) = wire.close().await;
    let outcomes: Vec<_> = events.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [Outcome::Cancelled, Outcome::Ok]);
}

#[tokio::test]
async fn a_call_without_room_does_not_reach_the_server() {
    let stand = Stand::with_room(1, |builder| builder);
    let mut wire = Wire::new(stand, Relay::DEFAULT_WINDOW, 64 << 10);
    wire.client.say(call(1)).await;
    wire.server.hears_line(call(1)).await;
    wire.client.say(call(2)).await;
    let refused: Value = serde_json::from_str(&wire.client.line().await).unwrap();
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&json!(2), &json!(-32603))
    );
    let noted = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    wire.client.say(&noted).await;
    wire.server.hears_line(&noted).await;
    let asked = request(5, "roots/list", &json!({}));
    wire.server.say(asked).await;
    let refused: Value = serde_json::from_str(&wire.server.line().await).unwrap();
    assert_eq!(refused["id"], 5);
    let answer = result(1, &json!({}));
    wire.server.say(&answer).await;
    wire.client.hears_line(&answer).await;
    let (_, events) = wire.close().await;
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_not_complete_goes_by_as_it_comes() {
    let mut wire = Wire::plain();
    wire.client.say(call(1)).await;
    wire.server.hears_line(call(1)).await;
    let (one, two) = (
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"te"#,
        "xt\":\"a\"}]}}\n",
    );
    wire.server.write(one).await;
    wire.client.hears(one).await;
    wire.server.write(two).await;
    wire.client.hears(two).await;
    let (_, events) = wire.close().await;
    assert_eq!(events[0].outcome, Outcome::Ok);
    let kept = events[0].response().unwrap().json().unwrap();
    assert_eq!(kept, r#"{"content":[{"text":"a"}]}"#);
}

#[tokio::test]
async fn a_request_that_is_not_complete_waits() {
    let mut wire = Wire::plain();
    let line = format!("{}\n", call(1));
    let (one, two) = line.split_at(40);
    wire.client.write(one).await;
    // What the server says goes by meanwhile.
    let noted = json!({ "jsonrpc": "2.0", "method": "notifications/message" });
    wire.server.say(&noted).await;
    wire.client.hears_line(&noted).await;
    assert_eq!(wire.stand().conversation.counters().recorded, 0);
    wire.client.write(two).await;
    wire.server.hears(&line).await;
    assert_eq!(wire.stand().conversation.counters().in_flight, 1);
    let (_, events) = wire.close().await;
    assert_eq!(events[0].outcome, Outcome::Cancelled);
}

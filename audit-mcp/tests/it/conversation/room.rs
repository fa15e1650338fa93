use audit_core::event::{AuditEvent, Outcome};
use audit_core::logger::LOSS_METHOD;
use audit_mcp::conversation::{Passage, Side, Unrecorded};
use serde_json::{Value, json};

use super::stand::{Stand, call, request, result};

#[tokio::test]
async fn a_call_without_room_is_refused_before_it_is_made() {
    let stand = Stand::with_room(1, |builder| builder);
    stand.client(call(1)).await;
    let Passage::Refuse(answer) = stand.pass(Side::Client, call("two")).await else {
        panic!("there is room for one");
    };
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["id"], "two");
    assert_eq!(answer["error"]["code"], -32603);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("audit store"), "{message}");
    // Everything else goes on.
    stand.server(result(1, &json!({}))).await;
    stand
        .client(json!({ "method": "notifications/initialized" }))
        .await;
    assert_eq!(stand.conversation.counters().refused, 1);
    assert_eq!(
        stand
            .only_event()
            .await
            .request_id
            .as_ref()
            .unwrap()
            .as_str(),
        "1"
    );
}

#[tokio::test]
async fn the_id_of_a_refusal_is_spelled_as_it_came() {
    let stand = Stand::with_room(1, |builder| builder);
    stand.client(call(1)).await;
    for id in [
        "12345678901234567890123",
        "1.50",
        r#""\u0061""#,
        "null",
        r#"{"a":[1]}"#,
    ] {
        let frame = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list"}}"#);
        let Passage::Refuse(answer) = stand.pass(Side::Client, frame).await else {
            panic!("{id}");
        };
        assert!(answer.contains(&format!(r#""id":{id},"#)), "{answer}");
    }
    stand.conversation.gone(Side::Client);
}

#[tokio::test]
async fn of_a_batch_all_calls_are_made_or_none() {
    let stand = Stand::with_room(2, |builder| builder);
    let batch = json!([call(1), { "method": "notifications/initialized" }, call(2), call(3)]);
    let Passage::Refuse(answer) = stand.pass(Side::Client, batch).await else {
        panic!("there is room for two");
    };
    let answers: Value = serde_json::from_str(&answer).unwrap();
    let ids: Vec<_> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["id"])
        .collect();
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(stand.conversation.counters().in_flight, 0);
    let outcomes: Vec<_> = stand.events().await.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [Outcome::InternalError, Outcome::InternalError]);
}

#[tokio::test]
async fn a_request_of_the_server_is_refused_as_well() {
    let stand = Stand::with_room(1, |builder| builder);
    stand.client(call(1)).await;
    let asked = request(7, "sampling/createMessage", &json!({}));
    let Passage::Refuse(answer) = stand.pass(Side::Server, asked).await else {
        panic!("there is room for one");
    };
    assert!(answer.contains(r#""id":7,"#), "{answer}");
    stand.conversation.gone(Side::Client);
}

#[tokio::test]
async fn where_the_record_may_fail_calls_go_on() {
    let stand = Stand::with_room(1, |builder| builder.unrecorded(Unrecorded::Forward));
    stand.client(call(1)).await;
    stand.client(call(2)).await;
    stand.client("garbage").await;
    stand.server(result(2, &json!({ "isError": true }))).await;
    stand.server(result(1, &json!({}))).await;
    assert_eq!(stand.conversation.counters().unrecorded, 2);
    let events = stand.events().await;
    let (losses, calls): (Vec<_>, Vec<_>) = events
        .iter()
        .partition(|event| event.method.as_str() == LOSS_METHOD);
    assert_eq!(
        calls.iter().map(|it| it.outcome).collect::<Vec<_>>(),
        [Outcome::Ok]
    );
    // Those that went by are told of, together or one by one.
    let n_told = |loss: &&AuditEvent| {
        let told: Value = serde_json::from_str(loss.request()?.json()?).ok()?;
        assert_eq!(told["reason"], "unrecorded");
        told["count"].as_u64()
    };
    assert_eq!(losses.iter().filter_map(n_told).sum::<u64>(), 2);
}

#[tokio::test]
async fn what_was_shut_down_takes_no_calls() {
    let stand = Stand::new();
    assert_eq!(stand.events().await, []);
    let passage = stand.pass(Side::Client, call(1)).await;
    assert!(matches!(passage, Passage::Refuse(_)));
    let garbage = stand.pass(Side::Client, "garbage").await;
    let Passage::Refuse(answer) = garbage else {
        panic!("nothing passes unrecorded");
    };
    assert!(answer.contains(r#""id":null"#), "{answer}");
}

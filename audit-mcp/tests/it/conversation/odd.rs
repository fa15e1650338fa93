use audit_core::event::Outcome;
use audit_mcp::conversation::Side;
use serde_json::{Value, json};

use super::stand::{Stand, call, error, request, result};

#[tokio::test]
async fn a_batch_has_one_record_for_each_request() {
    let stand = Stand::new();
    let list = request(2, "tools/list", &json!({}));
    let noted = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    stand.client(json!([call(1), noted, list, call("c")])).await;
    let answers = json!([result("c", &json!({ "isError": true })), error(2, -32601)]);
    stand.server(answers).await;
    stand.server(result(1, &json!({}))).await;
    let outcomes: Vec<_> = stand.events().await.iter().map(|it| it.outcome).collect();
    assert_eq!(
        outcomes,
        [Outcome::ToolError, Outcome::RpcError, Outcome::Ok]
    );
}

#[tokio::test]
async fn a_batch_that_nobody_answers_was_no_request() {
    let stand = Stand::new();
    stand.client(json!([call(1), call(2)])).await;
    stand.client(call(3)).await;
    stand.conversation.gone(Side::Client);
    let outcomes: Vec<_> = stand.events().await.iter().map(|it| it.outcome).collect();
    let invalid = Outcome::InvalidRequest;
    assert_eq!(outcomes, [invalid, invalid, Outcome::Cancelled]);
}

#[tokio::test]
async fn a_mixed_batch_is_on_record_as_what_it_is() {
    let stand = Stand::new();
    stand.server(request("s", "roots/list", &json!({}))).await;
    let answered = result("s", &json!({ "roots": [] }));
    stand
        .client(json!([5, "x", call(1), [call(2)], answered, {}]))
        .await;
    stand.server(result(1, &json!({}))).await;
    let outcomes = stand.outcomes().await;
    let all: Vec<_> = outcomes.iter().map(|it| (it.0.as_str(), it.2)).collect();
    let expected = [
        ("invalid", Outcome::InvalidRequest),
        ("roots/list", Outcome::Ok),
        ("tools/call", Outcome::Ok),
    ];
    assert_eq!(all, expected);
}

#[tokio::test]
async fn what_is_no_message_is_on_record_as_that() {
    for frame in [
        "no json",
        "{\"a\"",
        "\"text\"",
        "7",
        "{}",
        "[]x",
        r#"{"jsonrpc":"2.0","id":7}"#,
    ] {
        let stand = Stand::new();
        stand.client(frame).await;
        let event = stand.only_event().await;
        assert_eq!(event.method.as_str(), "invalid", "{frame}");
        assert_eq!(event.outcome, Outcome::InvalidRequest, "{frame}");
        assert_eq!(event.request_id, None, "{frame}");
    }
}

#[tokio::test]
async fn what_a_server_prints_is_no_call() {
    let stand = Stand::new();
    for noise in ["Listening on 8080", "{\"level\":\"info\"}", "7"] {
        stand.server(noise).await;
    }
    assert_eq!(stand.conversation.counters().noise, 3);
    assert_eq!(stand.events().await, []);
}

#[tokio::test]
async fn a_call_without_an_id_gets_no_answer() {
    let stand = Stand::new();
    let params = json!({ "name": "search" });
    stand
        .client(json!({ "jsonrpc": "2.0", "method": "tools/call", "params": params }))
        .await;
    let event = stand.only_event().await;
    assert_eq!(event.outcome, Outcome::InvalidRequest);
    assert_eq!(event.tool_name.as_ref().unwrap().as_str(), "search");
}

#[tokio::test]
async fn an_odd_request_is_what_its_answer_says() {
    let ids = [
        json!(null),
        json!(1.5),
        json!(true),
        json!([1]),
        json!({ "a": 1 }),
        json!(1_u64 << 60),
    ];
    for id in ids {
        let answered = Stand::new();
        answered.client(call(id.clone())).await;
        answered
            .server(result(id.clone(), &json!({ "isError": true })))
            .await;
        answered.conversation.gone(Side::Client);
        let expected = match id {
            // An answer to nothing in particular.
            Value::Null => Outcome::InvalidRequest,
            _ => Outcome::ToolError,
        };
        assert_eq!(answered.only_event().await.outcome, expected, "{id}");
        let ignored = Stand::new();
        ignored.client(call(id.clone())).await;
        ignored.conversation.gone(Side::Server);
        assert_eq!(
            ignored.only_event().await.outcome,
            Outcome::InvalidRequest,
            "{id}"
        );
    }
}

#[tokio::test]
async fn an_error_without_an_id_is_about_the_first_that_was_no_request() {
    let stand = Stand::new();
    stand.client(call(1)).await;
    stand.client(r#"{"id":2,"method":"tools/list"}"#).await;
    stand.client(r#"{"id":3,"method":"tools/list"}"#).await;
    stand.server(error(Value::Null, -32602)).await;
    assert_eq!(stand.conversation.counters().in_flight, 2);
    stand.server(result(3, &json!({}))).await;
    stand.server(result(1, &json!({}))).await;
    let outcomes = stand.outcomes().await;
    let all: Vec<_> = outcomes.iter().map(|it| (it.1.as_deref(), it.2)).collect();
    let expected = [
        (Some("2"), Outcome::InvalidRequest),
        (Some("3"), Outcome::Ok),
        (Some("1"), Outcome::Ok),
    ];
    assert_eq!(all, expected);
}

#[tokio::test]
async fn requests_that_are_none_do_not_pile_up() {
    let stand = Stand::new();
    for id in 0..200 {
        stand
            .client(format!(r#"{{"id":{id},"method":"tools/list"}}"#))
            .await;
    }
    assert_eq!(stand.conversation.counters().in_flight, 64);
    stand.server(result(199, &json!({}))).await;
    stand.conversation.gone(Side::Client);
    let events = stand.events().await;
    assert_eq!(events.len(), 200);
    let n_ok = events.iter().filter(|it| it.outcome.is_ok()).count();
    assert_eq!(n_ok, 1);
}

#[tokio::test]
async fn a_call_that_only_a_lenient_parser_takes_is_on_record() {
    for frame in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":NaN}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}} trailing"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a",}}"#,
        r#"{"jsonrpc":"2.0","id":1,"Method":"tools/call","params":{"name":"a"}}"#,
    ] {
        let stand = Stand::new();
        stand.client(frame).await;
        stand.server(result(1, &json!({ "isError": true }))).await;
        let event = stand.only_event().await;
        assert_eq!(event.tool_name.as_ref().unwrap().as_str(), "a", "{frame}");
        assert_eq!(event.outcome, Outcome::ToolError, "{frame}");
    }
    let two = r#"{"jsonrpc":"2.0","id":1,"method":"a"}{"jsonrpc":"2.0","id":2,"method":"b"}"#;
    let stand = Stand::new();
    stand.client(two).await;
    stand.conversation.gone(Side::Client);
    assert_eq!(stand.events().await.len(), 2);
}

#[tokio::test]
async fn huge_and_deep_things_are_bounded() {
    let stand = Stand::new();
    let id = "i".repeat(1 << 20);
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    stand
        .client(format!(
            r#"{{"jsonrpc":"2.0","id":"{id}","method":"tools/call","params":{{"name":"a","arguments":{deep}}}}}"#
        ))
        .await;
    stand
        .server(format!(
            r#"{{"id":"{id}","jsonrpc":"2.0","result":{deep}}}"#
        ))
        .await;
    let event = stand.only_event().await;
    assert_eq!(event.outcome, Outcome::Ok);
    assert!(event.to_json().len() < 20_000);
}

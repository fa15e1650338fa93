use audit_core::event::Outcome;
use audit_mcp::conversation::{Exchange, Origin, Passage, Side};
use serde_json::{Value, json};

use super::stand::{Stand, call, cancel, error, request, result};

async fn ask(stand: &Stand, frame: Value) -> Exchange {
    let exchange = stand.conversation.exchange(Origin::new());
    let passage = exchange.ask(frame.to_string().as_bytes()).await;
    assert_eq!(passage, Passage::Forward);
    exchange
}

async fn answer(exchange: &Exchange, frame: Value) {
    let passage = exchange.answer(frame.to_string().as_bytes()).await;
    assert_eq!(passage, Passage::Forward);
}

#[tokio::test]
async fn an_exchange_ends_with_its_answer() {
    let stand = Stand::new();
    let mut exchange = ask(&stand, call(1)).await;
    exchange.status(200);
    answer(&exchange, json!({ "method": "notifications/progress" })).await;
    assert_eq!(exchange.in_flight(), 1);
    answer(&exchange, result(1, &json!({ "isError": true }))).await;
    assert_eq!(exchange.in_flight(), 0);
    // The client leaves when it has what it wants.
    exchange.fail(Outcome::Cancelled);
    let event = stand.only_event().await;
    assert_eq!(
        (event.outcome, event.status_code.as_u16()),
        (Outcome::ToolError, 200)
    );
}

#[tokio::test]
async fn without_an_answer_the_status_says_what_came_of_it() {
    for (status, outcome) in [
        (None, Outcome::UpstreamDisconnected),
        (Some(200), Outcome::UpstreamDisconnected),
        (Some(400), Outcome::InvalidRequest),
        (Some(401), Outcome::Unauthenticated),
        (Some(403), Outcome::Denied),
        (Some(404), Outcome::InvalidRequest),
        (Some(429), Outcome::RateLimited),
        (Some(503), Outcome::UpstreamUnavailable),
    ] {
        let stand = Stand::new();
        let mut exchange = ask(&stand, call(1)).await;
        if let Some(status) = status {
            exchange.status(status);
        }
        exchange.finish();
        let event = stand.only_event().await;
        assert_eq!(event.outcome, outcome, "{status:?}");
        if let Some(status) = status {
            assert_eq!(event.status_code.as_u16(), status);
        }
    }
}

#[tokio::test]
async fn an_exchange_that_fails_says_how() {
    for outcome in [
        Outcome::Cancelled,
        Outcome::Timeout,
        Outcome::UpstreamUnavailable,
        Outcome::UpstreamDisconnected,
    ] {
        let stand = Stand::new();
        ask(&stand, call(1)).await.fail(outcome);
        assert_eq!(stand.only_event().await.outcome, outcome);
    }
}

#[tokio::test]
async fn an_error_without_an_id_is_about_the_exchange() {
    let no_id = json!({ "jsonrpc": "2.0", "error": { "code": -32000, "message": "m" } });
    for (status, body, outcome) in [
        (400, error(Value::Null, -32700), Outcome::InvalidRequest),
        (400, error(Value::Null, -32602), Outcome::InvalidRequest),
        (404, error(Value::Null, -32600), Outcome::InvalidRequest),
        (415, error(Value::Null, -32000), Outcome::InvalidRequest),
        (400, no_id.clone(), Outcome::InvalidRequest),
        (401, no_id, Outcome::Unauthenticated),
        (500, error(Value::Null, -32603), Outcome::InternalError),
        (400, error(1, -32020), Outcome::RpcError),
        (404, error(1, -32601), Outcome::RpcError),
    ] {
        let stand = Stand::new();
        let other = ask(&stand, call(1)).await;
        let mut exchange = ask(&stand, call(1)).await;
        exchange.status(status);
        answer(&exchange, body.clone()).await;
        exchange.finish();
        other.fail(Outcome::Timeout);
        let outcomes: Vec<_> = stand.events().await.iter().map(|it| it.outcome).collect();
        assert_eq!(outcomes, [outcome, Outcome::Timeout], "{status} {body}");
    }
}

#[tokio::test]
async fn equal_ids_of_two_exchanges_are_kept_apart() {
    let stand = Stand::new();
    let first = ask(&stand, request(1, "tools/list", &json!({}))).await;
    let second = ask(&stand, request(1, "prompts/list", &json!({}))).await;
    answer(&second, error(1, -32601)).await;
    answer(&first, result(1, &json!({}))).await;
    let outcomes = stand.outcomes().await;
    assert_eq!(
        (outcomes[0].0.as_str(), outcomes[0].2),
        ("prompts/list", Outcome::RpcError)
    );
    assert_eq!(
        (outcomes[1].0.as_str(), outcomes[1].2),
        ("tools/list", Outcome::Ok)
    );
}

#[tokio::test]
async fn an_answer_may_come_on_another_stream() {
    let stand = Stand::new();
    let exchange = ask(&stand, call(1)).await;
    exchange.leave_open();
    assert_eq!(stand.conversation.counters().in_flight, 1);
    stand.server(result(1, &json!({}))).await;
    assert_eq!(stand.only_event().await.outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_cancel_comes_in_an_exchange_of_its_own() {
    let stand = Stand::new();
    let exchange = ask(&stand, call(1)).await;
    let mut noted = ask(&stand, cancel(1)).await;
    noted.status(202);
    noted.finish();
    answer(&exchange, error(1, -32800)).await;
    exchange.finish();
    assert_eq!(stand.only_event().await.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn a_server_asks_on_the_stream_and_is_answered_in_another_exchange() {
    let stand = Stand::new();
    let exchange = ask(&stand, call(0)).await;
    answer(&exchange, request(0, "sampling/createMessage", &json!({}))).await;
    let replied = ask(&stand, result(0, &json!({ "role": "assistant" }))).await;
    replied.finish();
    answer(&exchange, result(0, &json!({}))).await;
    exchange.finish();
    let outcomes = stand.outcomes().await;
    let all: Vec<_> = outcomes.iter().map(|it| (it.0.as_str(), it.2)).collect();
    let expected = [
        ("sampling/createMessage", Outcome::Ok),
        ("tools/call", Outcome::Ok),
    ];
    assert_eq!(all, expected);
}

#[tokio::test]
async fn when_a_stream_ends_so_does_what_the_server_asked_on_it() {
    let stand = Stand::new();
    let exchange = ask(&stand, call(0)).await;
    answer(&exchange, request(0, "sampling/createMessage", &json!({}))).await;
    exchange.fail(Outcome::UpstreamDisconnected);
    stand.conversation.gone(Side::Client);
    assert_eq!(stand.events().await.len(), 2);
}

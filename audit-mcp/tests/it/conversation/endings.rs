use std::time::Duration;

use audit_core::event::Outcome;
use audit_mcp::conversation::Side;
use audit_testkit::ManualClock;
use serde_json::json;

use super::stand::{Stand, call, cancel, error, request, result};

async fn after(answer: serde_json::Value) -> Outcome {
    let stand = Stand::new();
    stand.client(call(1)).await;
    stand.server(answer).await;
    stand.only_event().await.outcome
}

#[tokio::test]
async fn an_answer_says_what_came_of_the_call() {
    let ok = json!({ "content": [], "isError": false });
    assert_eq!(after(result(1, &ok)).await, Outcome::Ok);
    let failed = json!({ "content": [], "isError": true });
    assert_eq!(after(result(1, &failed)).await, Outcome::ToolError);
    assert_eq!(after(error(1, -32602)).await, Outcome::RpcError);
    assert_eq!(after(error(1, -32600)).await, Outcome::InvalidRequest);
    let asked = json!({ "resultType": "input_required", "inputRequests": {} });
    assert_eq!(after(result(1, &asked)).await, Outcome::Ok);
    let task = json!({ "resultType": "task", "taskId": "t", "status": "working" });
    assert_eq!(after(result(1, &task)).await, Outcome::Ok);
}

#[tokio::test]
async fn answers_find_their_calls_in_any_order() {
    let stand = Stand::new();
    for id in [json!(1), json!("1"), json!("b")] {
        stand.client(call(id)).await;
    }
    stand.server(error("b", -32601)).await;
    stand.server(result("1", &json!({ "isError": true }))).await;
    stand.server(result(1, &json!({}))).await;
    let outcomes: Vec<_> = stand.events().await.iter().map(|it| it.outcome).collect();
    let expected = [Outcome::RpcError, Outcome::ToolError, Outcome::Ok];
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn the_sides_have_ids_of_their_own() {
    let stand = Stand::new();
    stand.client(call(0)).await;
    stand
        .server(request(0, "sampling/createMessage", &json!({})))
        .await;
    stand.client(error(0, -1)).await;
    stand.server(result(0, &json!({}))).await;
    let outcomes = stand.outcomes().await;
    let (sampling, tool) = (&outcomes[0], &outcomes[1]);
    assert_eq!(
        (sampling.0.as_str(), sampling.2),
        ("sampling/createMessage", Outcome::RpcError)
    );
    assert_eq!((tool.0.as_str(), tool.2), ("tools/call", Outcome::Ok));
}

#[tokio::test]
async fn a_call_that_is_taken_back_is_cancelled_at_once() {
    let stand = Stand::new();
    stand.client(call("a")).await;
    stand.client(cancel("a")).await;
    assert_eq!(stand.conversation.counters().in_flight, 0);
    // What comes later is passed on, and changes nothing.
    stand.server(result("a", &json!({ "isError": true }))).await;
    stand.server(error("a", -32800)).await;
    assert_eq!(stand.only_event().await.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn only_its_sender_takes_a_call_back() {
    let stand = Stand::new();
    stand.client(call(1)).await;
    stand.server(cancel(1)).await;
    stand.client(cancel("1")).await;
    stand.client(cancel(2)).await;
    assert_eq!(stand.conversation.counters().in_flight, 1);
    stand.server(result(1, &json!({}))).await;
    assert_eq!(stand.only_event().await.outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_server_ends_a_subscription_as_it_was_asked_to() {
    let stand = Stand::new();
    stand
        .client(request("listen-1", "subscriptions/listen", &json!({})))
        .await;
    stand.server(cancel("listen-1")).await;
    assert_eq!(stand.only_event().await.outcome, Outcome::Ok);
    let stand = Stand::new();
    stand
        .client(request("listen-1", "subscriptions/listen", &json!({})))
        .await;
    stand.client(cancel("listen-1")).await;
    assert_eq!(stand.only_event().await.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn who_is_gone_decides_what_became_of_the_calls() {
    for (gone, tool, sampling) in [
        (
            Side::Server,
            Outcome::UpstreamDisconnected,
            Outcome::Cancelled,
        ),
        (
            Side::Client,
            Outcome::Cancelled,
            Outcome::UpstreamDisconnected,
        ),
    ] {
        let stand = Stand::new();
        stand.client(call(1)).await;
        stand
            .server(request(1, "sampling/createMessage", &json!({})))
            .await;
        stand.conversation.gone(gone);
        stand.server(result(1, &json!({}))).await;
        let outcomes: Vec<_> = stand.events().await.iter().map(|it| it.outcome).collect();
        assert_eq!(outcomes, [tool, sampling], "{gone:?}");
    }
}

#[tokio::test]
async fn of_an_id_that_is_used_twice_the_first_call_is_answered_first() {
    let stand = Stand::new();
    stand.client(request(1, "tools/list", &json!({}))).await;
    stand.client(request(1, "prompts/list", &json!({}))).await;
    stand.server(error(1, -32601)).await;
    stand.server(result(1, &json!({}))).await;
    let outcomes = stand.outcomes().await;
    assert_eq!(
        (outcomes[0].0.as_str(), outcomes[0].2),
        ("tools/list", Outcome::RpcError)
    );
    assert_eq!(
        (outcomes[1].0.as_str(), outcomes[1].2),
        ("prompts/list", Outcome::Ok)
    );
}

#[tokio::test]
async fn an_answer_counts_once() {
    let stand = Stand::new();
    stand.client(call(1)).await;
    stand.server(result(1, &json!({}))).await;
    stand.server(error(1, -32000)).await;
    stand.server(result(2, &json!({}))).await;
    assert_eq!(stand.only_event().await.outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_call_that_waits_too_long_has_timed_out() {
    let clock = ManualClock::default();
    let stand = Stand::with(|builder| {
        let builder = builder.clock(clock.clone());
        builder.answer_deadline(Duration::from_secs(60))
    });
    let expire = || stand.conversation.expire().unwrap();
    stand.client(call(1)).await;
    clock.advance(Duration::from_secs(20));
    stand.client(call(2)).await;
    assert_eq!(expire(), Duration::from_secs(40));
    clock.advance(Duration::from_secs(40));
    assert_eq!(expire(), Duration::from_secs(20));
    assert_eq!(stand.conversation.counters().in_flight, 1);
    stand.server(result(1, &json!({}))).await;
    stand.server(result(2, &json!({}))).await;
    let outcomes: Vec<_> = stand.events().await.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [Outcome::Timeout, Outcome::Ok]);
}

#[tokio::test]
async fn without_a_deadline_nothing_times_out() {
    let stand = Stand::new();
    stand.client(call(1)).await;
    assert_eq!(stand.conversation.expire(), None);
    drop(stand.conversation);
    let report = stand.logger.shutdown(Duration::from_secs(10)).await;
    assert!(report.is_complete(), "{report:?}");
    // Nobody said how it ended.
    assert_eq!(stand.store.recorded()[0].outcome, Outcome::Aborted);
}

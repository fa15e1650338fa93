use std::time::Duration;

use audit_core::event::{
    ApiKeyId, Client, ClientAddress, Decision, Method, Outcome, SessionId, Upstream, Verdict,
};
use audit_core::payload::CallerCredential;
use audit_mcp::conversation::{Origin, Passage, Side};
use audit_testkit::ManualClock;
use serde_json::{Value, json};

use super::stand::{Stand, call, request, result};

fn payload(payload: Option<&audit_core::payload::Payload>) -> Value {
    serde_json::from_str(payload.unwrap().json().unwrap()).unwrap()
}

#[tokio::test]
async fn a_record_has_what_the_messages_say() {
    let clock = ManualClock::default();
    let stand = Stand::with(|builder| {
        let builder = builder.upstream(Upstream::new("weather").unwrap());
        let builder = builder.session_id(SessionId::hashed("s"));
        builder.clock(clock.clone())
    });
    let params = json!({ "name": "search", "arguments": { "q": "x", "password": "hunter2" },
        "_meta": { "traceparent": "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01" } });
    stand.client(request("q1", "tools/call", &params)).await;
    clock.advance(Duration::from_millis(250));
    let answer = json!({ "content": [{ "type": "text", "text": "21" }], "isError": false });
    stand.server(result("q1", &answer)).await;
    let event = stand.only_event().await;
    assert_eq!(event.method, Method::tools_call());
    assert_eq!(event.tool_name.as_ref().unwrap().as_str(), "search");
    assert_eq!(event.request_id.as_ref().unwrap().as_str(), "q1");
    assert_eq!(event.upstream.as_ref().unwrap().as_str(), "weather");
    assert_eq!(event.session_id, Some(SessionId::hashed("s")));
    assert_eq!(
        event.trace_id.unwrap().to_string(),
        "0af7651916cd43dd8448eb211c80319c"
    );
    assert_eq!(event.upstream_latency_ms.unwrap().as_millis(), 250.0);
    assert_eq!(event.outcome, Outcome::Ok);
    let sent = payload(event.request());
    assert_eq!(
        sent["arguments"],
        json!({ "q": "x", "password": "[REDACTED:password]" })
    );
    assert_eq!(payload(event.response()), answer);
}

#[tokio::test]
async fn who_calls_comes_from_the_gateway() {
    let stand = Stand::new();
    let origin = Origin::new()
        .draft(|draft| {
            let draft = draft.api_key_id(ApiKeyId::new("k_7f3").unwrap());
            let address = ClientAddress::new("10.0.0.1").unwrap();
            draft
                .decision(Decision::allowed())
                .client(Client::new().address(address))
        })
        .credential(CallerCredential::new("correct horse battery"));
    let hello = json!({ "protocolVersion": "2025-11-25",
        "clientInfo": { "name": "inspector", "version": "2" } });
    let told =
        json!({ "name": "correct horse battery", "arguments": { "a": "correct horse battery" } });
    for frame in [
        request(1, "initialize", &hello),
        request("correct horse battery", "tools/call", &told),
    ] {
        let frame = frame.to_string();
        let passage = stand
            .conversation
            .pass(Side::Client, frame.as_bytes(), &origin)
            .await;
        assert_eq!(passage, Passage::Forward);
    }
    let echo = json!({ "content": [{ "type": "text", "text": "correct horse battery" }] });
    stand.server(result(1, &json!({}))).await;
    stand.server(result("correct horse battery", &echo)).await;
    let events = stand.events().await;
    for event in &events {
        assert_eq!(event.api_key_id.as_ref().unwrap().as_str(), "k_7f3");
        assert_eq!(event.decision.auth.verdict, Verdict::Allowed);
        assert_eq!(event.client.name.as_ref().unwrap().as_str(), "inspector");
        assert_eq!(event.client.version.as_ref().unwrap().as_str(), "2");
        assert_eq!(event.client.address.as_ref().unwrap().as_str(), "10.0.0.1");
        assert!(!event.to_json().contains("horse"), "{}", event.to_json());
    }
    assert_eq!(events.len(), 2);
}

#[tokio::test]
async fn the_server_is_no_client_when_it_asks() {
    let stand = Stand::new();
    let hello = json!({ "clientInfo": { "name": "inspector", "version": "2" } });
    stand.client(request(1, "initialize", &hello)).await;
    stand.server(result(1, &json!({}))).await;
    stand
        .server(request(1, "elicitation/create", &json!({ "message": "m" })))
        .await;
    stand
        .client(result(1, &json!({ "action": "accept" })))
        .await;
    let events = stand.events().await;
    let asked = &events[1];
    assert_eq!(asked.role.as_str(), "server");
    assert!(asked.client.is_empty());
    assert_eq!(asked.upstream_latency_ms, None);
    assert_eq!(asked.outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_big_result_is_known_by_size_and_digest() {
    let stand = Stand::new();
    stand.client(call(1)).await;
    let image = "Zm9v".repeat(512 << 10);
    let content = json!([{ "type": "image", "mimeType": "image/png", "data": image },
        { "type": "text", "text": "the picture" }]);
    let answer = json!({ "content": content, "isError": false });
    let bytes = answer.to_string().len();
    stand.server(result(1, &answer)).await;
    let event = stand.only_event().await;
    let kept = payload(event.response());
    assert_eq!(kept["content"][0]["mimeType"], "image/png");
    assert_eq!(kept["content"][0]["data"]["bytes"], 3 * (512 << 10));
    let digest = kept["content"][0]["data"]["sha256"].as_str().unwrap();
    assert_eq!(digest.len(), 64, "{digest}");
    assert_eq!(kept["content"][1]["text"], "the picture");
    let report = event.response().unwrap().report();
    assert_eq!(report.original_bytes, bytes as u64);
}

#[tokio::test]
async fn a_long_text_keeps_its_beginning() {
    let stand = Stand::new();
    stand.client(call(1)).await;
    let text = "line of a log\n".repeat(150_000);
    let answer = json!({ "content": [{ "type": "text", "text": text }] });
    stand.server(result(1, &answer)).await;
    let event = stand.only_event().await;
    let kept = &payload(event.response())["content"][0]["text"];
    assert_eq!(kept["bytes"], text.len());
    assert!(
        kept["beginning"]
            .as_str()
            .unwrap()
            .starts_with("line of a log\nline")
    );
    assert_eq!(kept["sha256"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn notifications_and_answers_have_no_record() {
    let stand = Stand::new();
    stand
        .client(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
        .await;
    let progress = json!({ "progressToken": 1, "progress": 1 });
    stand
        .server(json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": progress }))
        .await;
    stand.server(result(5, &json!({}))).await;
    stand.client("  \r").await;
    assert_eq!(stand.events().await, []);
}

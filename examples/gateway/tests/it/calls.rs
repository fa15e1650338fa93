//! Calls that are let through.

use audit_core::event::{Outcome, Verdict};
use serde_json::{Value, json};

use super::stage::{Era, Stage, key, tool, verdicts};

#[tokio::test]
async fn a_call_that_is_allowed_is_on_record_with_all_that_is_known() {
    for era in Era::BOTH {
        let stage = Stage::open().await;
        let reader = stage.demo.keys.reader.clone();
        let answer = stage
            .call(era, &reader, "get_weather", json!({ "city": "Bern" }))
            .await;
        assert_eq!(answer.status, 200);
        let text = &answer.json()["result"]["content"][0]["text"];
        assert!(text.as_str().unwrap().starts_with("Bern: 21"), "{answer:?}");

        let record = stage.record().await;
        assert_eq!(record.outcome, Outcome::Ok);
        assert_eq!(record.status_code.as_u16(), 200);
        assert_eq!(record.method.as_str(), "tools/call");
        assert_eq!(tool(&record), "get_weather");
        assert_eq!(key(&record), Some("k_reader"));
        assert_eq!(record.role.as_str(), "reader");
        assert_eq!(verdicts(&record), [Verdict::Allowed; 3]);
        assert_eq!(
            record.decision.authz.rule.as_ref().unwrap().as_str(),
            "get_*"
        );
        assert_eq!(record.decision.rate.limit, Some(600));
        assert_eq!(record.decision.rate.remaining, Some(599));
        assert_eq!(record.upstream.as_ref().unwrap().as_str(), "demo-tools");
        assert!(record.upstream_latency_ms.unwrap() <= record.latency_ms);
        assert_eq!(record.request_id.as_ref().unwrap().as_str(), "c-1");
        assert_eq!(
            record.client.address.as_ref().unwrap().as_str(),
            "127.0.0.1"
        );
        let name = record.client.name.as_ref().map(AsRef::as_ref);
        assert_eq!(name, (era == Era::Later).then_some("inspector"));
        let asked: Value = serde_json::from_str(record.request().unwrap().json().unwrap()).unwrap();
        assert_eq!(asked["arguments"], json!({ "city": "Bern" }));
        assert!(
            record
                .response()
                .unwrap()
                .json()
                .unwrap()
                .contains("21 degrees")
        );
    }
}

#[tokio::test]
async fn what_a_tool_or_its_server_refuses_is_no_denial() {
    for era in Era::BOTH {
        let stage = Stage::open().await;
        let operator = stage.demo.keys.operator.clone();
        let table = [
            ("flaky", json!({}), Outcome::ToolError),
            ("flaky", json!({}), Outcome::Ok),
            ("no_such_tool", json!({}), Outcome::RpcError),
        ];
        for (number, (name, arguments, expected)) in table.into_iter().enumerate() {
            let answer = stage.call(era, &operator, name, arguments).await;
            let record = stage.records(number + 1).await.remove(number);
            assert_eq!(record.outcome, expected, "{era:?} {name} {answer:?}");
            assert_eq!(tool(&record), name);
            assert_eq!(verdicts(&record), [Verdict::Allowed; 3]);
        }
    }
}

#[tokio::test]
async fn bad_arguments_are_told_by_the_server() {
    let stage = Stage::open().await;
    let reader = stage.demo.keys.reader.clone();
    let answer = stage
        .call(Era::Earlier, &reader, "search", json!({ "q": 1 }))
        .await;
    let record = stage.record().await;
    // rmcp answers them as its own error, other servers as a tool's.
    let is_error = answer.json()["error"].is_object();
    let expected = if is_error {
        Outcome::RpcError
    } else {
        Outcome::ToolError
    };
    assert_eq!(record.outcome, expected, "{answer:?}");
}

#[tokio::test]
async fn a_role_sees_the_tools_that_it_may_use() {
    for era in Era::BOTH {
        let stage = Stage::open().await;
        let keys = stage.demo.keys.clone();
        let table = [(&keys.operator, 5), (&keys.reader, 4), (&keys.trial, 1)];
        for (number, (key, n_tools)) in table.into_iter().enumerate() {
            let answer = stage.method(era, Some(key), "tools/list", json!({})).await;
            let tools = answer.json()["result"]["tools"].as_array().unwrap().len();
            assert_eq!(tools, n_tools, "{answer:?}");
            let record = stage.records(number + 1).await.remove(number);
            assert_eq!(record.method.as_str(), "tools/list");
            assert_eq!(record.outcome, Outcome::Ok);
            assert!(record.tool_name.is_none());
        }
    }
}

#[tokio::test]
async fn a_handshake_and_a_notification_are_requests_of_http_too() {
    let stage = Stage::open().await;
    let reader = stage.demo.keys.reader.clone();
    let handshake = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": { "name": "inspector", "version": "2.1" },
    });
    let answer = stage
        .method(Era::Earlier, Some(&reader), "initialize", handshake)
        .await;
    assert_eq!(
        answer.json()["result"]["serverInfo"]["name"],
        "audit-example-gateway"
    );
    let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(stage.post(Some(&reader), &told).await.status, 202);

    let records = stage.records(2).await;
    assert_eq!(records[0].method.as_str(), "initialize");
    assert_eq!(
        records[0].client.name.as_ref().unwrap().as_str(),
        "inspector"
    );
    assert_eq!(records[1].method.as_str(), "notifications/initialized");
    assert!(records.iter().all(|record| record.outcome == Outcome::Ok));
}

#[tokio::test]
async fn each_call_has_a_record_of_its_own_that_outlives_the_gateway() {
    let stage = Stage::open().await;
    let reader = stage.demo.keys.reader.clone();
    for _ in 0..3 {
        stage
            .call(Era::Later, &reader, "search", json!({ "query": "x" }))
            .await;
    }
    let ids: std::collections::BTreeSet<_> = stage
        .records(3)
        .await
        .iter()
        .map(|record| record.id)
        .collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(stage.close().await.recorded().len(), 3);
}

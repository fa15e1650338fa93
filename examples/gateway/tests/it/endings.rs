//! Calls that end otherwise than with an answer of the tool.

use std::time::Duration;

use audit_core::event::{Outcome, Upstream as UpstreamName, Verdict};
use audit_example_gateway::Upstream;
use audit_testkit::mcp::ScenarioServer;
use rmcp::ServiceExt as _;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::stage::{Era, Stage, soon, tool, verdicts};

#[tokio::test]
async fn a_tool_that_takes_too_long_is_a_timeout_and_is_taken_back() {
    for era in Era::BOTH {
        let stage = Stage::with(|config| config.tool_timeout = Duration::from_millis(20)).await;
        let reader = stage.demo.keys.reader.clone();
        let answer = stage.call(era, &reader, "slow_report", json!({})).await;
        assert!(
            answer.error().contains("did not answer in time"),
            "{answer:?}"
        );
        let record = stage.record().await;
        assert_eq!(record.outcome, Outcome::Timeout);
        assert_eq!(tool(&record), "slow_report");
        assert_eq!(verdicts(&record), [Verdict::Allowed; 3]);
        assert!(record.upstream_latency_ms.is_some());
        soon(stage.demo.server.reports(0)).await;
    }
}

/// Sends a call and gives the connection back, which nobody reads.
async fn call_and_wait(stage: &Stage, key: &str) -> TcpStream {
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "slow_report" },
    });
    let body = body.to_string();
    let mut connection = TcpStream::connect(stage.address).await.unwrap();
    let request = format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\
         accept: application/json, text/event-stream\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    soon(stage.demo.server.reports(1)).await;
    connection
}

#[tokio::test]
async fn a_client_that_leaves_has_cancelled_and_the_tool_is_taken_back() {
    let stage = Stage::open().await;
    let reader = stage.demo.keys.reader.clone();
    drop(call_and_wait(&stage, &reader).await);
    let record = stage.record().await;
    assert_eq!(record.outcome, Outcome::Cancelled);
    assert_eq!(record.status_code.as_u16(), 499);
    assert_eq!(tool(&record), "slow_report");
    assert_eq!(verdicts(&record), [Verdict::Allowed; 3]);
    assert!(record.request().is_some());
    soon(stage.demo.server.reports(0)).await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_upstream_that_disconnected() {
    let server = ScenarioServer::new();
    let (server_end, mut behind) = tokio::io::duplex(4096);
    let (mut before, client_end) = tokio::io::duplex(4096);
    let serving = server.clone();
    tokio::spawn(async move {
        drop(serving.serve(server_end).await.unwrap().waiting().await);
    });
    let line = tokio::spawn(async move {
        drop(tokio::io::copy_bidirectional(&mut behind, &mut before).await);
    });
    let name = UpstreamName::new("scenario").unwrap();
    let upstream = Upstream::connect(name, client_end).await.unwrap();

    let stage = Stage::with(|config| config.upstream = upstream).await;
    let operator = stage.demo.keys.operator.clone();
    let die = async {
        soon(server.is_dead()).await;
        line.abort();
    };
    let call = stage.call(Era::Earlier, &operator, "die", json!({}));
    let (answer, ()) = tokio::join!(call, die);
    assert!(
        answer
            .error()
            .contains("the server behind the gateway is gone"),
        "{answer:?}"
    );
    let record = stage.record().await;
    assert_eq!(record.outcome, Outcome::UpstreamDisconnected);
    assert_eq!(record.upstream.as_ref().unwrap().as_str(), "scenario");

    // And it stays gone.
    stage.call(Era::Earlier, &operator, "echo", json!({})).await;
    assert_eq!(
        stage.records(2).await[1].outcome,
        Outcome::UpstreamDisconnected
    );
}

#[tokio::test]
async fn a_big_answer_comes_whole_and_is_bounded_on_record() {
    let name = UpstreamName::new("scenario").unwrap();
    let upstream = Upstream::in_process(name, ScenarioServer::new())
        .await
        .unwrap();
    let stage = Stage::with(|config| config.upstream = upstream).await;
    let operator = stage.demo.keys.operator.clone();
    let answer = stage.call(Era::Earlier, &operator, "big", json!({})).await;
    let json = answer.json();
    let text = json["result"]["content"][0]["text"].as_str().unwrap();
    assert_eq!(text.len(), 2 * 1024 * 1024);
    let record = stage.record().await;
    assert_eq!(record.outcome, Outcome::Ok);
    let payload = record.response().unwrap();
    assert!(payload.json().unwrap().len() < 100 * 1024);
    assert!(payload.report().original_bytes > 2 * 1024 * 1024);
}

#[tokio::test]
async fn an_open_call_is_on_record_when_the_gateway_stops() {
    let stage = Stage::with(|config| config.tool_timeout = Duration::from_millis(50)).await;
    let reader = stage.demo.keys.reader.clone();
    let waiting = call_and_wait(&stage, &reader).await;
    let store = stage.close().await;
    drop(waiting);
    let records = store.recorded();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].outcome, Outcome::Timeout);
}

//! Requests that are none.

use std::time::Duration;

use audit_core::event::{Outcome, Verdict};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::stage::{Stage, soon, verdicts};

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_whoever_sends_it() {
    let stage = Stage::with(|config| config.max_body_bytes = 1000).await;
    let reader = stage.demo.keys.reader.clone();
    for (number, key) in [None, Some(reader.as_str())].into_iter().enumerate() {
        let answer = stage.post(key, &json!({ "text": "x".repeat(1000) })).await;
        assert_eq!(answer.status, 413);
        let record = stage.records(number + 1).await.remove(number);
        assert_eq!(record.outcome, Outcome::InvalidRequest);
        assert_eq!(record.status_code.as_u16(), 413);
        assert_eq!(record.method.as_str(), "POST /mcp");
        assert_eq!(verdicts(&record), [Verdict::Skipped; 3]);
        assert!(record.request().is_none());
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let stage = Stage::with(|config| config.body_timeout = Duration::from_millis(20)).await;
    let mut connection = TcpStream::connect(stage.address).await.unwrap();
    let request = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{";
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    soon(connection.read_exact(&mut status)).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 408");
    assert_eq!(stage.record().await.outcome, Outcome::InvalidRequest);
}

#[tokio::test]
async fn what_is_no_request_of_mcp_is_on_record_as_http_saw_it() {
    let stage = Stage::open().await;
    let reader = stage.demo.keys.reader.clone();
    let bad = |body: &'static str| stage.request(Some(&reader)).body(body.into()).unwrap();
    let get = axum::http::Request::get(format!("http://{}/mcp", stage.address))
        .header("authorization", format!("Bearer {reader}"))
        .body("".into())
        .unwrap();
    let elsewhere =
        axum::http::Request::get(format!("http://{}/admin?key={reader}", stage.address))
            .body("".into())
            .unwrap();
    let table = [
        (bad("no json"), "POST /mcp", Outcome::InvalidRequest),
        (
            bad(r#"{"jsonrpc":"2.0"}"#),
            "POST /mcp",
            Outcome::InvalidRequest,
        ),
        (bad("[]"), "POST /mcp", Outcome::InvalidRequest),
        (get, "GET /mcp", Outcome::InvalidRequest),
    ];
    for (number, (request, method, expected)) in table.into_iter().enumerate() {
        let answer = stage.send(request).await;
        assert!(answer.status >= 400, "{answer:?}");
        let record = stage.records(number + 1).await.remove(number);
        assert_eq!(record.outcome, expected, "{answer:?}");
        assert_eq!(record.method.as_str(), method);
        assert_eq!(record.api_key_id.as_ref().unwrap().as_str(), "k_reader");
    }
    // Nobody knows who asks there, and what the address holds is not kept.
    assert_eq!(stage.send(elsewhere).await.status, 401);
    let record = stage.records(5).await.remove(4);
    assert_eq!(record.method.as_str(), "GET /admin");
}

#[tokio::test]
async fn a_method_that_nobody_knows_is_named() {
    let stage = Stage::open().await;
    let reader = stage.demo.keys.reader.clone();
    let body = json!({ "jsonrpc": "2.0", "id": 5, "method": "no/such", "params": {} });
    let answer = stage.post(Some(&reader), &body).await;
    assert_eq!(answer.json()["error"]["code"], -32601);
    let record = stage.record().await;
    assert_eq!(record.outcome, Outcome::RpcError);
    assert_eq!(record.method.as_str(), "no/such");
}

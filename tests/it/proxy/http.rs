//! Between HTTP clients and a streamable-HTTP server.

use std::sync::Arc;

use audit_core::event::{SessionId, StatusCode};
use audit_testkit::mcp::ScenarioServer;
use axum::Router;
use axum::body::Body;
use axum::routing::any;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::stand::{call, soon};
use super::web::{Answer, Browser, Proxy, Web};

/// Everything that a client can ask, and all that it gets back.
async fn play(url: &str) -> Vec<Answer> {
    let mut browser = Browser::of(url);
    let mut seen = vec![browser.shake_hands().await];
    for message in [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }),
        call(2, "echo", json!({ "text": "Zürich" })),
        call(3, "fail", json!({})),
        call(4, "nowhere", json!({})),
        call(5, "progress", json!({})),
        call(6, "big", json!({ "bytes": 2 << 20 })),
    ] {
        seen.push(browser.post(&message).await);
    }
    for body in ["no json", "{\"jsonrpc\":\"2.0\"}"] {
        seen.push(browser.send(browser.json(body)).await.1);
    }
    let odd = browser.request("POST").header("content-type", "text/plain");
    let odd = odd
        .body(Full::from(call(7, "echo", json!({})).to_string()))
        .unwrap();
    seen.push(browser.send(odd).await.1);
    let end = browser.request("DELETE").body(Full::default()).unwrap();
    seen.push(browser.send(end).await.1);
    seen.push(browser.post(&call(8, "echo", json!({}))).await);
    seen
}

/// Without what differs between any two runs: the ids of events, and of sessions in errors.
fn alike(mut answer: Answer) -> Answer {
    let is_same = |line: &&str| !line.starts_with("id:") && !line.starts_with("retry:");
    answer.text = answer
        .text
        .split('\n')
        .filter(is_same)
        .collect::<Vec<_>>()
        .join("\n");
    answer
}

#[tokio::test]
async fn the_client_sees_what_it_sees_without_the_proxy() {
    let web = Web::serve().await;
    let proxy = Proxy::before(&web.url, &[]).await;
    let direct = play(&web.url).await;
    let proxied = play(&proxy.url).await;
    assert_eq!(direct.len(), proxied.len());
    for (direct, proxied) in direct.into_iter().zip(proxied) {
        assert_eq!(alike(proxied), alike(direct));
    }
    let records = proxy.end().await;
    assert_eq!(
        records.in_words().await,
        [
            "initialize ok",
            "tools/list ok",
            "tools/call echo ok",
            "tools/call fail tool_error",
            "tools/call nowhere rpc_error",
            "tools/call progress ok",
            "tools/call big ok",
            "invalid invalid_request",
            "invalid invalid_request",
            "tools/call echo invalid_request",
            "tools/call echo invalid_request",
        ]
    );
    let events = records.all().await;
    let session = events[2].session_id.clone().expect("the session, hashed");
    assert!(
        events[1..]
            .iter()
            .all(|event| event.session_id.as_ref() == Some(&session))
    );
    assert_eq!(
        events[2].client.address.as_ref().unwrap().as_str(),
        "127.0.0.1"
    );
}

#[tokio::test]
async fn a_key_is_known_by_its_digest_and_is_nowhere() {
    let web = Web::serve().await;
    let proxy = Proxy::before(&web.url, &[]).await;
    let key = ["gateway", "key", "of", "nobody", "7341"].join("-");
    let mut browser = Browser::of(&proxy.url).key(&key);
    browser.shake_hands().await;
    browser
        .post(&call(
            1,
            "echo",
            json!({ "note": format!("my key is {key}") }),
        ))
        .await;
    let records = proxy.end().await;
    let events = records.all().await;
    let id = events[1]
        .api_key_id
        .as_ref()
        .expect("a name for the key")
        .as_str();
    assert!(id.starts_with("key-"), "{id}");
    assert!(
        events
            .iter()
            .all(|event| event.api_key_id.as_ref().unwrap().as_str() == id)
    );
    let bytes = records.bytes();
    let is_there = bytes
        .windows(key.len())
        .any(|window| window == key.as_bytes());
    assert!(!is_there, "the key is on record");
    let request = events[1].request().unwrap().json().unwrap();
    assert!(
        request.contains("[REDACTED:caller_credential]"),
        "{request}"
    );
}

#[tokio::test]
async fn a_client_that_leaves_has_cancelled_its_call() {
    let web = Web::serve().await;
    let proxy = Proxy::before(&web.url, &[]).await;
    let mut browser = Browser::of(&proxy.url);
    browser.shake_hands().await;
    let leaving = browser
        .begin(browser.json(call(1, "stubborn", json!({})).to_string()))
        .await;
    soon(web.scenario.waiting(1)).await;
    drop((leaving, browser));
    let records = &proxy.records;
    soon(async {
        while records.in_words().await.len() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let records = proxy.end().await;
    assert_eq!(
        records.in_words().await,
        ["initialize ok", "tools/call stubborn cancelled"]
    );
}

#[tokio::test]
async fn a_call_that_is_taken_back_in_another_request_is_cancelled() {
    let web = Web::serve().await;
    let proxy = Proxy::before(&web.url, &[]).await;
    let mut browser = Browser::of(&proxy.url);
    browser.shake_hands().await;
    let slow = browser
        .begin(browser.json(call(1, "slow", json!({})).to_string()))
        .await;
    soon(web.scenario.waiting(1)).await;
    let params = json!({ "requestId": 1 });
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params });
    assert_eq!(browser.post(&cancel).await.status, 202);
    soon(web.scenario.waiting(0)).await;
    drop(slow);
    let records = proxy.end().await;
    assert_eq!(
        records.in_words().await,
        ["initialize ok", "tools/call slow cancelled"]
    );
}

/// Answers each request with these bytes, and nothing else.
async fn answering(head: &'static str, chunks: &'static [&'static str]) -> Web {
    let answer = move || async move {
        let chunks = chunks
            .iter()
            .map(|chunk| std::io::Result::Ok(Bytes::from_static(chunk.as_bytes())));
        with_body(head, Body::from_stream(stream::iter(chunks)))
    };
    Web::of(
        Router::new().route("/mcp", any(answer)),
        ScenarioServer::new(),
    )
    .await
}

fn with_body(head: &str, body: Body) -> http::Response<Body> {
    let answer = http::Response::builder().header("content-type", head);
    answer.body(body).unwrap()
}

#[tokio::test]
async fn an_answer_that_is_cut_is_cut_for_the_client_too() {
    let event = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n";
    // The server is cut when the client has seen the event.
    let cut = Arc::new(Notify::new());
    let told = Arc::clone(&cut);
    let answer = move || {
        let cut = Arc::clone(&cut);
        async move {
            let begin = stream::once(async move { Ok(Bytes::from_static(event.as_bytes())) });
            let end = stream::once(async move {
                cut.notified().await;
                Err(std::io::Error::other("cut on purpose"))
            });
            with_body("text/event-stream", Body::from_stream(begin.chain(end)))
        }
    };
    let web = Web::of(
        Router::new().route("/mcp", any(answer)),
        ScenarioServer::new(),
    )
    .await;
    let proxy = Proxy::before(&web.url, &[]).await;
    let browser = Browser::of(&proxy.url);
    let mut body = browser
        .begin(browser.json(call(1, "echo", json!({})).to_string()))
        .await
        .into_body();
    let seen = soon(body.frame())
        .await
        .unwrap()
        .unwrap()
        .into_data()
        .unwrap();
    assert_eq!(seen, event);
    told.notify_one();
    assert!(soon(body.frame()).await.unwrap().is_err(), "it looks whole");
    let records = proxy.end().await;
    assert_eq!(
        records.in_words().await,
        ["tools/call echo upstream_disconnected"]
    );
}

#[tokio::test]
async fn an_answer_in_many_pieces_is_read_and_one_without_an_answer_is_known() {
    let web = answering(
        "text/event-stream",
        &[
            "data: {\"jsonrpc\":\"2.0\",\r",
            "\ndata: \"id\":1,\"result\"",
            ":{\"isError\":true}}\r\n\r\n",
        ],
    )
    .await;
    let proxy = Proxy::before(&web.url, &[]).await;
    let browser = Browser::of(&proxy.url);
    browser.post(&call(1, "echo", json!({}))).await;
    browser.post(&call(2, "other", json!({}))).await;
    let records = proxy.end().await;
    assert_eq!(
        records.in_words().await,
        [
            "tools/call echo tool_error",
            "tools/call other upstream_disconnected"
        ]
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_bad_gateway() {
    let web = Web::serve().await;
    let url = web.url.clone();
    web.shut_down().await;
    let proxy = Proxy::before(&url, &[]).await;
    let answer = Browser::of(&proxy.url)
        .post(&call(1, "echo", json!({})))
        .await;
    assert_eq!(answer.status, 502, "{answer:?}");
    let records = proxy.end().await;
    assert_eq!(
        records.in_words().await,
        ["tools/call echo upstream_unavailable"]
    );
    assert_eq!(
        records.all().await[0].status_code,
        StatusCode::new(503).unwrap()
    );
}

#[tokio::test]
async fn a_page_that_names_this_machine_otherwise_is_refused() {
    let web = Web::serve().await;
    let proxy = Proxy::before(&web.url, &["--allow-host", "audit.internal"]).await;
    let browser = Browser::of(&proxy.url);
    for (host, status) in [
        ("evil.example", 403),
        ("audit.internal", 200),
        ("localhost:1", 200),
    ] {
        let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "page", "version": "1" },
        }});
        let mut request: Request<Full<Bytes>> = browser.json(hello.to_string());
        request.headers_mut().insert("host", host.parse().unwrap());
        assert_eq!(browser.send(request).await.1.status, status, "{host}");
    }
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused_and_on_record() {
    let web = Web::serve().await;
    let proxy = Proxy::before(&web.url, &[]).await;
    let browser = Browser::of(&proxy.url);
    let answer = browser
        .send(browser.json(vec![b' '; (32 << 20) + 1]))
        .await
        .1;
    assert_eq!(answer.status, 413);
    let records = proxy.end().await;
    assert_eq!(records.in_words().await, ["invalid invalid_request"]);
}

#[tokio::test]
async fn a_batch_has_a_record_for_each_of_its_calls() {
    let web = answering(
        "application/json",
        &[
            "[{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32602,\"message\":\"no\"}},",
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]",
        ],
    )
    .await;
    let proxy = Proxy::before(&web.url, &[]).await;
    let batch = Value::Array(vec![
        call(1, "echo", json!({})),
        call(2, "nowhere", json!({})),
        json!({ "jsonrpc": "2.0", "method": "notifications/progress" }),
    ]);
    Browser::of(&proxy.url).post(&batch).await;
    let records = proxy.end().await;
    assert_eq!(
        records.in_words().await,
        ["tools/call echo ok", "tools/call nowhere rpc_error"]
    );
}

#[tokio::test]
async fn a_session_is_stored_as_what_stands_for_it() {
    let web = Web::serve().await;
    let proxy = Proxy::before(&web.url, &[]).await;
    let mut browser = Browser::of(&proxy.url);
    browser.shake_hands().await;
    browser.post(&call(1, "echo", json!({}))).await;
    let session = browser
        .session_id()
        .expect("the server has sessions")
        .to_owned();
    let records = proxy.end().await;
    let events = records.all().await;
    assert_eq!(events[1].session_id, Some(SessionId::hashed(&session)));
    let bytes = records.bytes();
    assert!(
        !bytes
            .windows(session.len())
            .any(|window| window == session.as_bytes())
    );
}

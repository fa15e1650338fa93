//! The example gateway under load: what its callers counted is what is on record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audit_core::event::Outcome;
use audit_core::reader::{AuditReader as _, Filter, GroupBy, GroupKey, StatisticsRequest};
use audit_core::{AuditLogger, AuditSink as _};
use audit_example_gateway::demo::{self, Demo};
use audit_example_gateway::{MCP_PATH, Roles, serve};
use audit_sqlite::{SqliteConfig, SqliteStore};
use audit_testkit::{FaultPlan, FaultySink};
use axum::http::Request;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// One of them leaves before each of its answers.
const N_CLIENTS: usize = 64;
const N_CALLS: usize = 50_000;
const N_LEFT: usize = N_CALLS / 10;

/// As the demo's, but nobody is slowed down.
const ROLES: &str = "\
[operator]
tools = [\"*\"]
calls_per_minute = 1000000

[reader]
tools = [\"get_*\", \"search\", \"flaky\", \"slow_report\"]
calls_per_minute = 1000000

[trial]
tools = [\"search\"]
calls_per_minute = 1
";

type Counted = BTreeMap<Outcome, u64>;

struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
}

impl Caller {
    fn of(url: &str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            url: url.to_owned(),
        }
    }

    fn request(&self, key: Option<&str>, tool: &str) -> Request<Full<Bytes>> {
        let params = json!({ "name": tool, "arguments": { "city": "Bern", "query": "q", "customer_id": "1" } });
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let mut request = Request::post(&self.url)
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .header("mcp-protocol-version", "2025-11-25");
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        request.body(Full::from(call.to_string())).unwrap()
    }

    /// What the caller makes of the answer.
    async fn call(&self, key: Option<&str>, tool: &str) -> Outcome {
        let answer = self.client.request(self.request(key, tool)).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let json: Value = serde_json::from_slice(&body).unwrap();
        match (status, json.pointer("/error/code").and_then(Value::as_i64)) {
            (401, _) => Outcome::Unauthenticated,
            (429, _) => Outcome::RateLimited,
            (200, Some(-32602)) => Outcome::RpcError,
            (200, Some(_)) => Outcome::Denied,
            (200, None) if json["result"]["isError"] == true => Outcome::ToolError,
            (200, None) => Outcome::Ok,
            _ => panic!("{status} {json}"),
        }
    }
}

/// Calls of every kind, until all are made.
async fn answered(url: String, demo: Demo, left: Arc<AtomicUsize>) -> Counted {
    let caller = Caller::of(&url);
    let (operator, reader) = (Some(&*demo.keys.operator), Some(&*demo.keys.reader));
    let mut counted = Counted::new();
    loop {
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        let Ok(number) = taken else { return counted };
        let outcome = match number % 16 {
            0 => caller.call(None, "search").await,
            1 => caller.call(Some(&demo.keys.unknown), "search").await,
            2 => caller.call(Some(&demo.keys.trial), "search").await,
            3 => caller.call(reader, "delete_customer").await,
            4 => caller.call(operator, "make_coffee").await,
            5 | 6 => caller.call(operator, "flaky").await,
            _ => caller.call(reader, "get_weather").await,
        };
        *counted.entry(outcome).or_default() += 1;
    }
}

/// Calls that begin, and whose caller leaves.
async fn left(url: String, demo: Demo) -> Counted {
    for _ in 0..N_LEFT {
        // A connection that is given up is not used again.
        let caller = Caller::of(&url);
        let call = caller.call(Some(&demo.keys.operator), "slow_report");
        tokio::select! {
            outcome = call => panic!("it was answered: {outcome}"),
            () = demo.server.reports(1) => {}
        }
        drop(caller);
        demo.server.reports(0).await;
    }
    let n_left = u64::try_from(N_LEFT).unwrap();
    Counted::from([(Outcome::Cancelled, n_left)])
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_under_load_count_what_is_on_record_through_an_outage() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&SqliteConfig::new(folder.path().join("audit.db"))).await;
    let store = store.unwrap();
    // The store is away for a while, in the middle.
    let sink = Arc::new(FaultySink::new(
        store.clone(),
        FaultPlan::new().pass(300).fail(5),
    ));
    let logger = AuditLogger::builder(Arc::clone(&sink)).build().unwrap();
    let mut demo = demo::prepare(b"a gateway under load").await.unwrap();
    demo.config.roles = Roles::from_toml(ROLES).unwrap();
    demo.config.tool_timeout = Duration::from_secs(3_600);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{MCP_PATH}", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel();
    let shutdown = async move { drop(stopped.await) };
    let serving = tokio::spawn(serve(
        demo.config.clone(),
        logger.clone(),
        listener,
        shutdown,
    ));

    let mut clients = JoinSet::new();
    clients.spawn(left(url.clone(), demo.clone()));
    let to_call = Arc::new(AtomicUsize::new(N_CALLS - N_LEFT));
    for _ in 1..N_CLIENTS {
        clients.spawn(answered(url.clone(), demo.clone(), Arc::clone(&to_call)));
    }
    let mut counted = Counted::new();
    while let Some(client) = clients.join_next().await {
        for (outcome, n) in client.unwrap() {
            *counted.entry(outcome).or_default() += n;
        }
    }
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    let report = logger.shutdown(Duration::from_secs(60)).await;
    assert!(report.is_complete(), "{report:?}");
    assert!(sink.n_appends() > 305, "the outage did not come");

    let request = StatisticsRequest::new(Filter::all()).group_by(GroupBy::Nothing);
    let stored = store.reader().statistics(&request).await.unwrap();
    let [all] = &stored.rows[..] else {
        panic!("one row for all")
    };
    assert_eq!(all.key, GroupKey::All);
    assert_eq!(all.outcomes, counted);
    assert_eq!(all.n_events, u64::try_from(N_CALLS).unwrap());
    let gaps = store.reader().gaps(logger.writer(), 10).await.unwrap();
    assert!(gaps.is_empty(), "{gaps:?}");
    store.close().await.unwrap();
}

//! A running gateway, a client of it, and its records.

use std::net::SocketAddr;
use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::{AuditEvent, Check, Verdict};
use audit_core::logger::AuditLoggerBuilder;
use audit_example_gateway::demo::{self, Demo};
use audit_example_gateway::{Config, MCP_PATH, serve};
use audit_memory::MemoryStore;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rmcp::model::ProtocolVersion;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) type HttpRequest = axum::http::Request<Full<Bytes>>;
pub(crate) type Builder = axum::http::request::Builder;

/// With `MCP-Protocol-Version` alone, or with everything in each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    Earlier,
    Later,
}

impl Era {
    pub(crate) const BOTH: [Self; 2] = [Self::Earlier, Self::Later];
}

pub(crate) struct Stage {
    pub(crate) demo: Demo,
    pub(crate) store: MemoryStore,
    pub(crate) logger: AuditLogger,
    pub(crate) address: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

/// What a caller got.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The message of the JSON-RPC error.
    pub(crate) fn error(&self) -> String {
        let json = self.json();
        json["error"]["message"]
            .as_str()
            .expect("an error")
            .to_owned()
    }
}

impl Stage {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_logger(change, |builder| builder).await
    }

    pub(crate) async fn with_logger(
        change: impl FnOnce(&mut Config),
        build: impl FnOnce(AuditLoggerBuilder) -> AuditLoggerBuilder,
    ) -> Self {
        let store = MemoryStore::new();
        let logger = build(AuditLogger::builder(store.clone())).build().unwrap();
        let mut demo = demo::prepare(b"the seed of a test").await.unwrap();
        change(&mut demo.config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move { drop(stopped.await) };
        let served = tokio::spawn(serve(
            demo.config.clone(),
            logger.clone(),
            listener,
            shutdown,
        ));
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            demo,
            store,
            logger,
            address,
            stop,
            served,
        }
    }

    /// A request as a client of MCP sends it.
    pub(crate) fn request(&self, key: Option<&str>) -> Builder {
        let uri = format!("http://{}{MCP_PATH}", self.address);
        let request = axum::http::Request::post(uri)
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json");
        match key {
            Some(key) => request.header("authorization", format!("Bearer {key}")),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: HttpRequest) -> Answer {
        let response = soon(self.client.request(request)).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = soon(body.collect()).await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn post(&self, key: Option<&str>, body: &Value) -> Answer {
        self.send(self.request(key).body(body.to_string().into()).unwrap())
            .await
    }

    /// Calls a method.
    pub(crate) async fn method(
        &self,
        era: Era,
        key: Option<&str>,
        method: &str,
        mut params: Value,
    ) -> Answer {
        let mut request = self.request(key);
        match era {
            Era::Earlier => request = request.header("mcp-protocol-version", "2025-11-25"),
            Era::Later => {
                let version = ProtocolVersion::V_2026_07_28.to_string();
                request = request.header("mcp-protocol-version", &version);
                request = request.header("mcp-method", method);
                if let Some(name) = params["name"].as_str() {
                    request = request.header("mcp-name", name);
                }
                params["_meta"] = json!({
                    "io.modelcontextprotocol/protocolVersion": version,
                    "io.modelcontextprotocol/clientInfo": { "name": "inspector", "version": "2.1" },
                    "io.modelcontextprotocol/clientCapabilities": {},
                });
            }
        }
        let body = json!({ "jsonrpc": "2.0", "id": "c-1", "method": method, "params": params });
        self.send(request.body(body.to_string().into()).unwrap())
            .await
    }

    pub(crate) async fn call(&self, era: Era, key: &str, tool: &str, arguments: Value) -> Answer {
        let params = json!({ "name": tool, "arguments": arguments });
        self.method(era, Some(key), "tools/call", params).await
    }

    /// The records, once there are so many: no more and no fewer.
    pub(crate) async fn records(&self, n_records: usize) -> Vec<AuditEvent> {
        let stored = self.store.wait_for(|events| events.len() >= n_records);
        drop(soon(stored).await);
        // Whatever is still open would come now.
        assert_eq!(self.logger.counters().open_calls, 0);
        let records = self.store.recorded();
        assert_eq!(records.len(), n_records, "{records:#?}");
        records
    }

    /// The only record.
    pub(crate) async fn record(&self) -> AuditEvent {
        self.records(1).await.remove(0)
    }

    /// Lets the gateway end, and the open calls with it.
    pub(crate) async fn close(self) -> MemoryStore {
        drop(self.client);
        self.stop.send(()).expect("it runs");
        soon(self.served).await.unwrap().unwrap();
        let report = self.logger.shutdown(Duration::from_secs(10)).await;
        assert!(report.is_complete(), "{report:?}");
        self.store
    }
}

/// What the three checks said.
pub(crate) fn verdicts(event: &AuditEvent) -> [Verdict; 3] {
    let decision = &event.decision;
    [&decision.auth, &decision.authz, &decision.rate].map(|check| check.verdict)
}

pub(crate) fn reason(check: &Check) -> &str {
    check.reason.as_ref().expect("a reason").as_str()
}

pub(crate) fn tool(event: &AuditEvent) -> &str {
    event.tool_name.as_ref().expect("a tool").as_str()
}

pub(crate) fn key(event: &AuditEvent) -> Option<&str> {
    event.api_key_id.as_ref().map(AsRef::as_ref)
}

/// Fails rather than hangs.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work)
        .await
        .expect("this should not take so long")
}

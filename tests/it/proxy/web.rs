//! The scenario server over HTTP, `audit proxy` before it, and a client.

use std::process::Stdio;
use std::sync::Arc;

use audit_testkit::mcp::ScenarioServer;
use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::task::JoinHandle;

use super::stand::{Records, soon};

/// A server that ends when this is dropped.
pub(crate) struct Web {
    pub(crate) url: String,
    pub(crate) scenario: ScenarioServer,
    serving: JoinHandle<()>,
}

impl Web {
    pub(crate) async fn serve() -> Self {
        let scenario = ScenarioServer::new();
        let server = scenario.clone();
        let service = StreamableHttpService::new(
            move || Ok(server.clone()),
            Arc::new(LocalSessionManager::default()),
            StreamableHttpServerConfig::default(),
        );
        Self::of(Router::new().route_service("/mcp", service), scenario).await
    }

    pub(crate) async fn of(router: Router, scenario: ScenarioServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            scenario,
            serving,
        }
    }
}

impl Web {
    /// Waits until nobody listens any more.
    pub(crate) async fn shut_down(mut self) {
        self.serving.abort();
        let ended = (&mut self.serving).await;
        assert!(ended.unwrap_err().is_cancelled());
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The proxy as a process.
pub(crate) struct Proxy {
    pub(crate) records: Records,
    pub(crate) url: String,
    child: Child,
}

impl Proxy {
    pub(crate) async fn before(upstream: &str, options: &[&str]) -> Self {
        let records = Records::new();
        let mut command = records.proxy(&["--listen", "127.0.0.1:0", "--upstream", upstream]);
        let mut child = command
            .args(options)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = soon(lines.next_line()).await.unwrap().expect("it listens");
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split(',').next().unwrap().to_owned();
            }
        };
        // What it still says goes nowhere, and must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            records,
            url: format!("{address}/mcp"),
            child,
        }
    }

    /// Ends it as a system does, and hands out what is on record.
    pub(crate) async fn end(mut self) -> Records {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok());
        let pid = pid.and_then(rustix::process::Pid::from_raw).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = soon(self.child.wait()).await.unwrap();
        assert!(status.success(), "{status}");
        self.records
    }
}

/// A client of MCP over HTTP.
pub(crate) struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
    session: Option<String>,
    key: Option<String>,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) text: String,
    /// Whether it broke off.
    pub(crate) is_cut: bool,
}

impl Browser {
    pub(crate) fn of(url: &str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            url: url.to_owned(),
            session: None,
            key: None,
        }
    }

    pub(crate) fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    pub(crate) fn session_id(&self) -> Option<&str> {
        self.session.as_deref()
    }

    pub(crate) fn request(&self, method: &str) -> http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(&self.url)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-06-18");
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        request
    }

    /// The head of the answer; dropping the body leaves.
    pub(crate) async fn begin(
        &self,
        request: Request<Full<Bytes>>,
    ) -> http::Response<hyper::body::Incoming> {
        soon(self.client.request(request)).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> (HeaderMap, Answer) {
        let (parts, mut body) = self.begin(request).await.into_parts();
        let mut text = Vec::new();
        let mut is_cut = false;
        while let Some(frame) = soon(body.frame()).await {
            match frame {
                Ok(frame) => text.extend(frame.into_data().unwrap_or_default()),
                Err(_) => is_cut = true,
            }
        }
        let content_type = parts.headers.get("content-type");
        let answer = Answer {
            status: parts.status.as_u16(),
            content_type: content_type.map(|it| it.to_str().unwrap().to_owned()),
            text: String::from_utf8(text).unwrap(),
            is_cut,
        };
        (parts.headers, answer)
    }

    pub(crate) fn json(&self, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        let request = self
            .request("POST")
            .header("content-type", "application/json");
        request.body(Full::new(body.into())).unwrap()
    }

    pub(crate) async fn post(&self, message: &Value) -> Answer {
        self.send(self.json(message.to_string())).await.1
    }

    /// Begins a session, if the server has them.
    pub(crate) async fn shake_hands(&mut self) -> Answer {
        let params = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "browser", "version": "3" },
        });
        let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let (headers, answer) = self.send(self.json(hello.to_string())).await;
        let session = headers.get("mcp-session-id");
        self.session = session.map(|id| id.to_str().unwrap().to_owned());
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(self.post(&ready).await.status, 202);
        answer
    }
}

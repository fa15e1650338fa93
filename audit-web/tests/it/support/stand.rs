use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use audit_core::event::AuditEvent;
use audit_core::sink::Receipt;
use audit_core::{AuditLogger, AuditSink as _, Clock as _};
use audit_memory::MemoryStore;
use audit_testkit::ManualClock;
use audit_web::access::{Scope, Secret, Token, TokenName, Tokens};
use audit_web::{WebConfig, WebServer, WebServerBuilder};
use axum::body::Body;
use axum::http::request::Builder;
use axum::http::{Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Answer;

/// A server at a loopback port, its store, and a token of each scope. It ends with the test.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) address: SocketAddr,
    pub(crate) store: MemoryStore,
    pub(crate) clock: ManualClock,
    pub(crate) tokens: Arc<Tokens>,
    secrets: Vec<(Scope, Secret)>,
    client: Client<HttpConnector, Full<Bytes>>,
    end: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Stand {
    /// A server with these events.
    pub(crate) async fn with(events: &[AuditEvent]) -> Self {
        Self::built(events, |builder| builder).await
    }

    /// A server with these events, built as the test says.
    pub(crate) async fn built(
        events: &[AuditEvent],
        build: impl FnOnce(WebServerBuilder) -> WebServerBuilder,
    ) -> Self {
        Self::on(MemoryStore::new(), events, build).await
    }

    /// A server on this store, with these events, built as the test says.
    pub(crate) async fn on(
        store: MemoryStore,
        events: &[AuditEvent],
        build: impl FnOnce(WebServerBuilder) -> WebServerBuilder,
    ) -> Self {
        Self::configured(WebConfig::loopback(0), store, events, build).await
    }

    /// A server on this store, which listens as the configuration says.
    pub(crate) async fn configured(
        config: WebConfig,
        store: MemoryStore,
        events: &[AuditEvent],
        build: impl FnOnce(WebServerBuilder) -> WebServerBuilder,
    ) -> Self {
        let logger = AuditLogger::builder(store.clone())
            .writer_name("web")
            .build()
            .unwrap();
        let clock = ManualClock::default();
        let tokens = Arc::new(Tokens::in_memory());
        let secrets = Scope::ALL.map(|scope| {
            let secret = Secret::random();
            let name = TokenName::new(&format!("the-{scope}")).unwrap();
            let token = Token::new(name, scope.into(), secret.digest(), clock.now());
            assert!(tokens.add(token));
            (scope, secret)
        });
        let reader = Arc::new(store.clone());
        let builder = WebServer::builder(reader, logger, Arc::clone(&tokens), config)
            .clock(Arc::new(clock.clone()))
            .ingest(Arc::new(store.clone()));
        let bound = build(builder).build().bind().await.unwrap();
        let address = bound.address();
        let (end, ended) = oneshot::channel::<()>();
        let serving = tokio::spawn(bound.serve(async {
            // A test that ends without a word ends its server too.
            let _ = ended.await;
        }));
        Self {
            address,
            store,
            clock,
            tokens,
            secrets: secrets.to_vec(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            end: Some(end),
            serving,
        }
        .holding(events)
        .await
    }

    async fn holding(self, events: &[AuditEvent]) -> Self {
        self.append(events).await;
        self
    }

    /// Stores more events, as a gateway does beside the server.
    pub(crate) async fn append(&self, events: &[AuditEvent]) {
        let kept = self.store.append(events).await.unwrap();
        assert!(kept.receipts().iter().all(Receipt::is_kept));
    }

    /// The token of a scope.
    pub(crate) fn token(&self, scope: Scope) -> &str {
        let mut secrets = self.secrets.iter();
        secrets.find(|(of, _)| *of == scope).unwrap().1.reveal()
    }

    /// Asks with the token of a scope.
    pub(crate) async fn get(&self, scope: Scope, path: &str) -> Answer {
        let request = self.with_token(self.request("GET", path), scope);
        self.send(request, "").await
    }

    /// Asks as a browser does that has logged in with the token of a scope.
    pub(crate) async fn browse(&self, scope: Scope, path: &str) -> Answer {
        let cookie = self.log_in(scope).await;
        let request = self.request("GET", path).header(header::COOKIE, cookie);
        self.send(request.header(header::ACCEPT, "text/html"), "")
            .await
    }

    /// Logs in, and gives back what a browser then sends as its cookie.
    pub(crate) async fn log_in(&self, scope: Scope) -> String {
        let request = self
            .request("POST", "/login")
            .header("sec-fetch-site", "same-origin");
        let answer = self
            .send(request, format!("token={}", self.token(scope)))
            .await;
        let cookie = answer.header("set-cookie").split(';').next().unwrap();
        assert!(!cookie.is_empty(), "{answer:?}");
        cookie.to_owned()
    }

    /// The request with the token of a scope.
    pub(crate) fn with_token(&self, request: Builder, scope: Scope) -> Builder {
        let token = format!("Bearer {}", self.token(scope));
        request.header(header::AUTHORIZATION, token)
    }

    /// The head of a request to this server.
    pub(crate) fn request(&self, method: &str, path: &str) -> Builder {
        let uri = format!("http://{}{path}", self.address);
        Request::builder().method(method).uri(uri)
    }

    /// Sends a request, and reads the answer to its end.
    pub(crate) async fn send(&self, request: Builder, body: impl Into<Bytes>) -> Answer {
        let request = request.body(Full::new(body.into())).unwrap();
        let sent = async {
            let (head, body) = self.client.request(request).await.unwrap().into_parts();
            Answer {
                status: head.status,
                headers: head.headers,
                body: Body::new(body).collect().await.unwrap().to_bytes(),
            }
        };
        tokio::time::timeout(Duration::from_secs(30), sent)
            .await
            .expect("an answer within 30 seconds")
    }

    /// Tells the server to end, and waits for it.
    pub(crate) async fn end(mut self) {
        drop(self.end.take());
        (&mut self.serving).await.unwrap();
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

//! A server with a store on disk, at a port that it comes back to.

use std::net::SocketAddr;
use std::sync::Arc;

use audit_core::event::AuditEvent;
use audit_core::sink::Receipt;
use audit_core::{AuditLogger, AuditSink as _, Clock as _, SystemClock};
use audit_sqlite::{SqliteConfig, SqliteStore};
use audit_web::access::{Scope, Secret, SessionFile, Token, TokenName, Tokens};
use audit_web::{WebConfig, WebServer};
use fantoccini::Locator;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::chrome::Chrome;

pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) store: SqliteStore,
    tokens: Arc<Tokens>,
    running: Option<Running>,
    folder: TempDir,
}

struct Running {
    end: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Site {
    pub(crate) async fn with(events: &[AuditEvent]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = SqliteConfig::new(folder.path().join("audit.db"));
        let mut site = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            store: SqliteStore::open(&config).await.unwrap(),
            tokens: Arc::new(Tokens::in_memory()),
            running: None,
            folder,
        };
        site.keep(events).await;
        site.start().await;
        site
    }

    /// Stores events, as a gateway does.
    pub(crate) async fn keep(&self, events: &[AuditEvent]) {
        let kept = self.store.append(events).await.unwrap();
        assert!(kept.receipts().iter().all(Receipt::is_kept));
    }

    /// A token of this scope.
    pub(crate) fn token(&self, scope: Scope) -> Secret {
        let secret = Secret::random();
        let name = TokenName::new(&format!("{scope}-{}", uuid::Uuid::new_v4())).unwrap();
        let now = SystemClock::new().now();
        assert!(
            self.tokens
                .add(Token::new(name, scope.into(), secret.digest(), now))
        );
        secret
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Serves, at the same port as before.
    pub(crate) async fn start(&mut self) {
        let logger = AuditLogger::builder(self.store.clone())
            .writer_name("web")
            .build()
            .unwrap();
        let reader = Arc::new(self.store.reader().clone());
        let config = WebConfig::at(self.address);
        let builder = WebServer::builder(reader, logger, Arc::clone(&self.tokens), config);
        let sessions = SessionFile::at(self.folder.path().join("sessions.json"));
        let bound = builder.session_file(sessions).build().bind().await.unwrap();
        self.address = bound.address();
        let (end, ended) = oneshot::channel::<()>();
        let serving = tokio::spawn(bound.serve(async {
            // A test that ends without a word ends its server too.
            let _ = ended.await;
        }));
        self.running = Some(Running { end, serving });
    }

    pub(crate) async fn stop(&mut self) {
        let Running { end, serving } = self.running.take().expect("it runs");
        drop(end);
        serving.await.unwrap();
    }

    /// Logs in as a person does.
    pub(crate) async fn log_in(&self, chrome: &Chrome, scope: Scope) {
        chrome.open(&self.url("/login")).await;
        let token = self.token(scope);
        chrome.fill("input[name=token]", token.reveal()).await;
        chrome.click("main form button").await;
        let at_home = Locator::Css("nav a[href^='/explore']");
        let found = chrome.client.wait().for_element(at_home).await;
        assert!(found.is_ok(), "{}", chrome.client.source().await.unwrap());
    }
}

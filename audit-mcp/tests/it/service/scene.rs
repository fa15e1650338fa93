//! A client and a server of rmcp, and what is on record of them.

use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::{AuditEvent, Outcome};
use audit_mcp::Audited;
use audit_memory::MemoryStore;
use audit_testkit::mcp::ScenarioServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientCapabilities, ClientConfig, Implementation,
    JsonObject, ProtocolVersion,
};
use rmcp::service::{RunningService, Service, ServiceError};
use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt, RoleClient, RoleServer, ServiceExt,
};

/// With a handshake, or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    Earlier,
    Later,
}

impl Era {
    pub(crate) const BOTH: [Self; 2] = [Self::Earlier, Self::Later];

    fn lifecycle(self) -> ClientLifecycleMode {
        match self {
            Self::Earlier => ClientLifecycleMode::Initialize,
            Self::Later => ClientLifecycleMode::Discover {
                preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            },
        }
    }

    /// The method by which a connection of the era begins.
    pub(crate) fn opening(self) -> &'static str {
        match self {
            Self::Earlier => "initialize",
            Self::Later => "server/discover",
        }
    }
}

/// A client that says who it is.
#[derive(Clone, Debug)]
pub(crate) struct NamedClient;

impl ClientHandler for NamedClient {
    fn get_info(&self) -> ClientConfig {
        let program = Implementation::new("inspector", "2.1");
        ClientConfig::new(ClientCapabilities::default(), program)
    }
}

/// A server in the wrapper, and a client of it.
pub(crate) struct Scene<C: Service<RoleClient> = NamedClient> {
    pub(crate) store: MemoryStore,
    pub(crate) server: ScenarioServer,
    pub(crate) client: RunningService<RoleClient, C>,
}

pub(crate) fn logger(store: &MemoryStore) -> AuditLogger {
    AuditLogger::builder(store.clone()).build().unwrap()
}

impl Scene {
    /// The server as it is wrapped in one line.
    pub(crate) async fn open(era: Era) -> Self {
        Self::with(era, Audited::new).await
    }

    pub(crate) async fn with<S: Service<RoleServer>>(
        era: Era,
        wrap: impl FnOnce(ScenarioServer, AuditLogger) -> S,
    ) -> Self {
        let store = MemoryStore::new();
        let server = ScenarioServer::new();
        let wrapped = wrap(server.clone(), logger(&store));
        Self {
            client: connect(wrapped, NamedClient, era).await,
            server,
            store,
        }
    }
}

/// Serves in the background until the client leaves.
pub(crate) async fn connect<C: Service<RoleClient>>(
    server: impl Service<RoleServer>,
    client: C,
    era: Era,
) -> RunningService<RoleClient, C> {
    let (server_end, client_end) = tokio::io::duplex(64 * 1024);
    tokio::spawn(async move {
        let running = server.serve(server_end).await.unwrap();
        running.waiting().await.unwrap();
    });
    let connected = client.serve_with_lifecycle(client_end, era.lifecycle());
    connected.await.unwrap()
}

impl<C: Service<RoleClient>> Scene<C> {
    pub(crate) async fn call(
        &self,
        tool: &'static str,
        arguments: serde_json::Value,
    ) -> Result<CallToolResponse, ServiceError> {
        self.client
            .peer()
            .call_tool_once(call(tool, &arguments))
            .await
    }

    /// The records that are no opening of the connection, once there are so many.
    pub(crate) async fn records(&self, n_records: usize) -> Vec<AuditEvent> {
        records(&self.store, n_records).await
    }

    /// The only record that is no opening of the connection.
    pub(crate) async fn record(&self) -> AuditEvent {
        self.records(1).await.remove(0)
    }
}

pub(crate) fn call(tool: &'static str, arguments: &serde_json::Value) -> CallToolRequestParams {
    let arguments: JsonObject = arguments.as_object().cloned().unwrap_or_default();
    CallToolRequestParams::new(tool).with_arguments(arguments)
}

pub(crate) async fn records(store: &MemoryStore, n_records: usize) -> Vec<AuditEvent> {
    let is_call =
        |event: &&AuditEvent| !["initialize", "server/discover"].contains(&event.method.as_str());
    let stored = soon(store.wait_for(|events| events.iter().filter(is_call).count() >= n_records));
    let calls: Vec<AuditEvent> = stored.await.iter().filter(is_call).cloned().collect();
    assert_eq!(calls.len(), n_records, "{calls:#?}");
    calls
}

/// The outcome of each record.
pub(crate) fn outcomes(records: &[AuditEvent]) -> Vec<Outcome> {
    records.iter().map(|record| record.outcome).collect()
}

/// Fails rather than hangs.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work)
        .await
        .expect("this should not take so long")
}

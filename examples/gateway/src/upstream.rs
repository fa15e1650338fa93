use std::fmt;
use std::sync::Arc;

use audit_core::event::Upstream as UpstreamName;
use rmcp::service::{ClientInitializeError, RunningService};
use rmcp::transport::IntoTransport;
use rmcp::{Peer, RoleClient, RoleServer, Service, ServiceExt as _};

/// How much may be on its way between the gateway and a server in the same process.
const PIPE_BYTES: usize = 64 * 1024;

/// The MCP server behind the gateway, connected.
#[derive(Clone)]
pub struct Upstream {
    name: UpstreamName,
    /// The connection lasts as long as somebody holds it.
    connection: Arc<RunningService<RoleClient, ()>>,
}

impl Upstream {
    /// Connects to a server over any transport of rmcp: a child process, HTTP, a socket.
    ///
    /// # Errors
    /// The server does not answer the handshake.
    pub async fn connect<T, E, A>(
        name: UpstreamName,
        transport: T,
    ) -> Result<Self, Box<ClientInitializeError>>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let connection = ().serve(transport).await?;
        Ok(Self {
            name,
            connection: Arc::new(connection),
        })
    }

    /// Serves a server in this process, and connects to it.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn in_process(
        name: UpstreamName,
        server: impl Service<RoleServer>,
    ) -> Result<Self, Box<ClientInitializeError>> {
        let (server_end, client_end) = tokio::io::duplex(PIPE_BYTES);
        tokio::spawn(async move {
            // It ends when the gateway's end is dropped.
            if let Ok(running) = server.serve(server_end).await {
                drop(running.waiting().await);
            }
        });
        Self::connect(name, client_end).await
    }

    pub(crate) fn name(&self) -> &UpstreamName {
        &self.name
    }

    pub(crate) fn peer(&self) -> &Peer<RoleClient> {
        self.connection.peer()
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

mod builder;
mod connection;
mod ending;
mod impatient;
mod running;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use audit_core::{AuditLogger, AuditReader};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use tokio::net::TcpListener;

pub use builder::WebServerBuilder;
pub use tls::TlsIdentity;

pub(crate) use connection::Peer;
pub(crate) use ending::Ending;

use self::connection::Service;
use crate::access::{Moment, Tokens};
use crate::config::{Exposure, WebConfig};
use crate::guard::{self, Hosts};
use crate::state::Web;
use crate::{api, assets, dashboard, health, login};

/// The server, ready to listen.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use audit_core::{AuditLogger, AuditReader};
/// use audit_web::{WebConfig, WebServer};
/// use audit_web::access::{TokenFile, Tokens};
///
/// async fn serve(reader: Arc<dyn AuditReader>, logger: AuditLogger) -> std::io::Result<()> {
///     let tokens = Tokens::of_file(TokenFile::at("tokens.json"));
///     let server = WebServer::builder(reader, logger, Arc::new(tokens), WebConfig::loopback(7700));
///     let bound = server.build().bind().await?;
///     println!("listening on http://{}", bound.address());
///     bound.serve(std::future::pending()).await;
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct WebServer {
    web: Arc<Web>,
}

/// The server at its address.
#[derive(Debug)]
pub struct BoundServer {
    web: Arc<Web>,
    listener: TcpListener,
    address: SocketAddr,
}

/// The most bytes of a body, where a route says nothing else.
const MAX_BODY: usize = 16 << 10;

impl WebServer {
    /// Begins a server that asks this reader, lets these tokens in, and records by this logger what
    /// payloads they read.
    pub fn builder(
        reader: Arc<dyn AuditReader>,
        logger: AuditLogger,
        tokens: Arc<Tokens>,
        config: WebConfig,
    ) -> WebServerBuilder {
        WebServerBuilder::new(reader, logger, tokens, config)
    }

    /// Listens at the address of the configuration.
    ///
    /// # Errors
    /// Others than this machine could reach the address, and the configuration does not say what
    /// protects it ([`InvalidInput`](io::ErrorKind::InvalidInput)); or it cannot be listened at.
    pub async fn bind(self) -> io::Result<BoundServer> {
        self.web.config.check_exposure()?;
        let listener = TcpListener::bind(self.web.config.listen).await?;
        let address = listener.local_addr()?;
        let now = Moment::of_clock(&*self.web.clock);
        if let Some(file) = &self.web.session_file {
            file.take(&self.web.sessions, now);
        }
        Ok(BoundServer {
            web: self.web,
            listener,
            address,
        })
    }
}

impl BoundServer {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `end` is ready; then takes no more, and waits a little for what is under way.
    ///
    /// # Cancel safety
    /// Dropped, it ends at once, with its connections.
    pub async fn serve(self, end: impl Future<Output = ()> + Send) {
        let hosts = Hosts::new(self.address, &self.web.config.hosts);
        let router = router(&self.web, hosts);
        let tls = match &self.web.config.exposure {
            Exposure::Tls(identity) => Some(identity.acceptor()),
            Exposure::BehindProxy | Exposure::Loopback => None,
        };
        let service = Service {
            router,
            tls,
            is_behind_proxy: matches!(self.web.config.exposure, Exposure::BehindProxy),
            ending: self.web.ending.clone(),
        };
        running::run(self.listener, service, end).await;
        if let Some(file) = &self.web.session_file {
            file.keep(&self.web.sessions, Moment::of_clock(&*self.web.clock));
        }
        if let Some(door) = &self.web.ingest {
            door.close().await;
        }
    }
}

/// Everything that is served, behind its guards.
fn router(web: &Arc<Web>, hosts: Hosts) -> Router {
    let routes = Router::new()
        .merge(api::routes())
        .merge(health::routes())
        .merge(login::routes())
        .merge(dashboard::routes())
        .route("/assets/{name}", axum::routing::get(assets::serve))
        .fallback(api::not_found)
        .method_not_allowed_fallback(api::not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY));
    guard::guarded(routes, web, hosts).with_state(Arc::clone(web))
}

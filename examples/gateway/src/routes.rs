use std::net::SocketAddr;
use std::sync::Arc;

use audit_core::AuditLogger;
use audit_core::event::Outcome;
use audit_mcp::Audited;
use audit_tower::AuditLayer;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;

use crate::asked;
use crate::authenticate::authenticate;
use crate::config::Config;
use crate::gateway::Gateway;
use crate::limit::limit;
use crate::refusal::Refusal;

/// Where MCP is spoken.
pub const MCP_PATH: &str = "/mcp";

/// Serves the gateway until `shutdown`, and the calls that are open then to their ends.
///
/// The logger is the caller's: shut it down afterwards, so that what is queued is stored.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    config: Config,
    logger: AuditLogger,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let app = routes(Arc::new(config), &logger);
    axum::serve(
        listener,
        app.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(shutdown)
    .await
}

/// The layers, the outermost last.
fn routes(config: Arc<Config>, logger: &AuditLogger) -> Router {
    let policy = logger.payload_policy().clone();
    let audit = AuditLayer::new(logger.clone())
        .credential_header(header::AUTHORIZATION)
        .client_address(|request| Some(peer(request)?.ip()))
        .draft(move |request, draft| asked::describe(request, draft, &policy));
    Router::new()
        .route_service(MCP_PATH, mcp(Arc::clone(&config), logger.clone()))
        .layer(from_fn_with_state(Arc::clone(&config), limit))
        .layer(from_fn_with_state(Arc::clone(&config), authenticate))
        .layer(from_fn(refuse_unread))
        .layer(audit)
        .layer(from_fn_with_state(config, asked::read_body))
        .route("/ready", get(ready).with_state(logger.clone()))
}

/// MCP over HTTP, without sessions: one request, one call, one record.
fn mcp(
    config: Arc<Config>,
    logger: AuditLogger,
) -> StreamableHttpService<impl rmcp::ServerHandler, NeverSessionManager> {
    let http = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_allowed_hosts(config.allowed_hosts.clone())
        .with_max_request_body_bytes(config.max_body_bytes);
    let gateway = Audited::new(Gateway::new(config), logger).into_handler();
    StreamableHttpService::new(
        move || Ok(gateway.clone()),
        Arc::new(NeverSessionManager::default()),
        http,
    )
}

fn peer(request: &Parts) -> Option<SocketAddr> {
    let ConnectInfo(address) = request.extensions.get()?;
    Some(*address)
}

/// Says no to a body that was not read, now that the record has begun.
async fn refuse_unread(request: Request, next: Next) -> Response {
    let Some(status) = asked::of(&request).why_unread() else {
        return next.run(request).await;
    };
    let message = match status {
        StatusCode::REQUEST_TIMEOUT => "the request did not arrive in time",
        _ => "the request is too long, or broke off",
    };
    Refusal::new(Outcome::InvalidRequest, message)
        .status(status)
        .answer(&request, |decision| decision)
}

/// Whether calls may come: not while the audit log takes no records.
async fn ready(State(logger): State<AuditLogger>) -> Response {
    if logger.health().await.is_ready() {
        return "ready\n".into_response();
    }
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "the audit log takes no records\n",
    )
        .into_response()
}

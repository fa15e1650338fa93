//! Between HTTP clients and a streamable-HTTP server.

mod exchange;
mod forward;
mod identity;
mod sessions;
mod sse;
mod watched;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use audit_core::event::Upstream;
use audit_web::Hosts;
use axum::Router;
use axum::http::HeaderName;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use self::exchange::Proxy;
use self::forward::Forwarder;
use self::identity::Callers;
use self::sessions::Sessions;
use super::recorder::{Options, Recorder};
use super::{Identity, OnStoreFailure};
use crate::failure::{Exit, Failure};
use crate::output;
use crate::signals::Signals;

/// What to serve, and what is behind.
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    pub(crate) upstream: url::Url,
    pub(crate) upstream_name: Option<Upstream>,
    pub(crate) identity: Identity,
    pub(crate) api_key_header: String,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) on_store_failure: OnStoreFailure,
}

/// How long calls may go on once the proxy was asked to end.
const LAST_CALLS: Duration = Duration::from_secs(2);

pub(crate) async fn run(server: Server, options: Options) -> Result<ExitCode, Failure> {
    let mut signals = Signals::new()?;
    let api_key_header: HeaderName = server.api_key_header.parse().map_err(|error| {
        let what = format!(
            "--api-key-header {:?} is no name of a header",
            server.api_key_header
        );
        Failure::because(what, &error).exit(Exit::Usage)
    })?;
    let forwarder = Forwarder::new(&server.upstream)?;
    let listener = TcpListener::bind(server.listen).await.map_err(|error| {
        Failure::because(format!("{} cannot be listened at", server.listen), &error)
            .advice("another program may have the port: choose another one, or 0 for any")
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::because("the address is not known", &error))?;
    let recorder = Recorder::open(&options).await?;
    let upstream = server
        .upstream_name
        .unwrap_or_else(|| Upstream::lossy(forwarder.authority()));
    let proxy = Arc::new(Proxy {
        logger: recorder.logger().clone(),
        forwarder,
        hosts: hosts(address, server.allowed_hosts),
        callers: Callers {
            fixed: server.identity,
            api_key_header,
        },
        upstream,
        unrecorded: server.on_store_failure.unrecorded(),
        sessions: Sessions::default(),
    });
    output::tell(format_args!(
        "audit: listening on http://{address}, in front of {}",
        server.upstream
    ));

    if !address.ip().is_loopback() {
        output::tell(format_args!(
            "audit: others can reach this address, and what they send is not encrypted: put TLS before it"
        ));
    }
    let router = Router::new()
        .fallback(exchange::serve)
        .with_state(Arc::clone(&proxy));
    let ended = Arc::new(Notify::new());
    let end = Arc::clone(&ended);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving =
        axum::serve(listener, service).with_graceful_shutdown(async move { end.notified().await });
    let mut serving = tokio::spawn(async move { serving.await });
    let failed = |error: &std::io::Error| Failure::because("the proxy cannot serve", error);
    tokio::select! {
        served = &mut serving => match served {
            Ok(served) => served.map_err(|error| failed(&error))?,
            Err(error) => return Err(Failure::because("the proxy ended", &error)),
        },
        () = signals.next() => {
            ended.notify_one();
            // A stream that a client listens to has no end of its own.
            drop(tokio::time::timeout(LAST_CALLS, &mut serving).await);
            serving.abort();
        }
    }
    proxy.sessions.end_all();
    drop(proxy);
    recorder.close().await?;
    Ok(ExitCode::SUCCESS)
}

/// By which names the proxy may be called. The server behind cannot look at that any more, since it
/// is called by the proxy.
fn hosts(listen: SocketAddr, mut allowed: Vec<String>) -> Hosts {
    if listen.ip().is_unspecified() {
        allowed.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
    }
    Hosts::new(listen, &allowed)
}

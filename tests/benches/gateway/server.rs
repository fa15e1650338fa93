//! The same handlers twice: by themselves, and behind the layer.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use audit_core::{AuditLogger, AuditSink as _};
use audit_memory::{MemoryConfig, MemoryStore, WhenFull};
use audit_sqlite::{Spool, SpoolConfig};
use audit_tower::AuditLayer;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures_util::stream;
use tokio::net::TcpListener;

/// Of the same bytes as often as is wanted: 64 KiB.
static CHUNK: [u8; 64 << 10] = [b'x'; 64 << 10];

/// The chunks of the large answer: 1 GiB.
pub(crate) const N_CHUNKS: usize = 16_384;

/// Where they listen.
pub(crate) struct Servers {
    pub(crate) plain: SocketAddr,
    pub(crate) audited: SocketAddr,
    logger: AuditLogger,
    spool: Spool,
}

impl Servers {
    /// Records wait for the disk in a spool, and go on to a store that keeps the latest.
    pub(crate) async fn start(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let store = MemoryStore::with_config(
            MemoryConfig::new()
                .max_events(10_000)
                .when_full(WhenFull::ForgetOldest),
        );
        let spool = Spool::open(SpoolConfig::new(folder.join("spool")), store).await?;
        let logger = AuditLogger::builder(spool.clone()).build()?;
        // As it comes; what streams is captured, too, so that a copy of it would show.
        let audit = AuditLayer::new(logger.clone());
        let capturing = audit.clone().capture_responses();
        let audited = nothing().layer(audit).merge(streams().layer(capturing));
        Ok(Self {
            plain: serve(nothing().merge(streams())).await?,
            audited: serve(audited).await?,
            logger,
            spool,
        })
    }

    /// Every request is on record by then.
    pub(crate) async fn stop(self) -> Result<(), Box<dyn Error>> {
        let report = self.logger.shutdown(Duration::from_secs(60)).await;
        assert!(report.is_complete(), "{report:?}");
        Ok(self.spool.close().await?)
    }
}

fn nothing() -> Router {
    Router::new().route("/nothing", get(async || "ok"))
}

fn streams() -> Router {
    Router::new().route("/large/{n_chunks}", get(large))
}

async fn large(
    axum::extract::Path(n_chunks): axum::extract::Path<usize>,
) -> axum::response::Response {
    let chunk = || std::io::Result::Ok(Bytes::from_static(&CHUNK));
    let body = Body::from_stream(stream::iter((0..n_chunks).map(move |_| chunk())));
    let response = http::Response::builder().header("content-type", "text/plain");
    response.body(body).expect("the header is one")
}

async fn serve(router: Router) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    // It ends with the runtime.
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

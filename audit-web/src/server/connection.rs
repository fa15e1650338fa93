//! One connection: its requests, one behind the other.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;

use super::ending::Ending;
use super::impatient::Impatient;

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// How long the head of a request may take, and how long a connection may lie idle before it.
const HEAD: Duration = Duration::from_secs(30);
/// How long a connection may take to be secured.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The most bytes of a head.
const MAX_HEAD: usize = 32 << 10;

/// What every connection is given.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) router: Router,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) is_behind_proxy: bool,
    pub(super) ending: Ending,
}

impl Service {
    /// Serves a connection to its end.
    pub(super) async fn connect(self, stream: TcpStream, peer: Peer) {
        // Answers are written as wholes; waiting for more only delays the end of each.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection delays its answers");
        }
        let Some(tls) = &self.tls else {
            return self.serve(stream, peer).await;
        };
        match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.serve(stream, peer).await,
            Ok(Err(error)) => tracing::debug!(%error, "a connection is not secured"),
            Err(_) => tracing::debug!("a connection takes too long to be secured"),
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send, peer: Peer) {
        let service = service_fn(|request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            self.router.clone().call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(Impatient::new(stream)), service);
        let mut connection = std::pin::pin!(connection);
        let served = tokio::select! {
            served = &mut connection => served,
            () = self.ending.begun() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

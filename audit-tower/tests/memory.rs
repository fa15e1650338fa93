//! What a long stream costs: a process of its own, so that nobody else's memory counts.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::Outcome;
use audit_memory::MemoryStore;
use audit_tower::AuditLayer;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::get;
use http_body::Frame;
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

const CHUNK: usize = 4 << 10;
const MEBIBYTE: u64 = 1 << 20;

/// Chunks of text that are made while they are sent.
struct Generated {
    n_left: usize,
}

impl http_body::Body for Generated {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static TEXT: [u8; CHUNK] = [b'x'; CHUNK];
        let left = self.n_left.checked_sub(1);
        Poll::Ready(left.map(|left| {
            self.n_left = left;
            Ok(Frame::data(Bytes::from_static(&TEXT)))
        }))
    }
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib << 10
}

/// Streams so many bytes through a server and a client.
async fn stream(n_bytes: u64, router: Router) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let request = http::Request::get(format!("http://{address}/{n_bytes}"));
    let response = client
        .request(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let mut body = response.into_body();
    let mut n_seen = 0;
    while let Some(frame) = body.frame().await {
        n_seen += u64::try_from(frame.unwrap().into_data().unwrap().len()).unwrap();
    }
    assert_eq!(n_seen, n_bytes);
    server.abort();
}

fn router() -> Router {
    let handler = async |axum::extract::Path(n_bytes): axum::extract::Path<usize>| {
        let body = Body::new(Generated {
            n_left: n_bytes / CHUNK,
        });
        Response::builder()
            .header("content-type", "text/plain")
            .body(body)
            .unwrap()
    };
    Router::new().route("/{n_bytes}", get(handler))
}

/// The high-water mark of this process before and behind a long stream: the same route without
/// the layer comes first, so that what server and client take is there already.
#[test]
fn a_long_stream_adds_at_most_two_mebibytes() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = MemoryStore::new();
        let logger = AuditLogger::builder(store.clone()).build().unwrap();
        let layer = AuditLayer::new(logger.clone())
            .capture_responses()
            .capture_requests();
        let n_bytes = if cfg!(debug_assertions) {
            256 * MEBIBYTE
        } else {
            1_024 * MEBIBYTE
        };
        stream(16 * MEBIBYTE, router()).await;
        stream(MEBIBYTE, router().layer(layer.clone())).await;
        let before = resident();
        stream(n_bytes, router().layer(layer)).await;
        let more = resident() - before;
        assert!(more <= 2 * MEBIBYTE, "{more} bytes more");
        assert!(logger.shutdown(Duration::from_secs(20)).await.is_complete());
        let events = store.recorded();
        assert_eq!(events.len(), 2);
        assert_eq!(events[1].outcome, Outcome::Ok);
        let report = events[1].response().unwrap().report();
        assert_eq!(report.original_bytes, n_bytes);
        assert!(report.scanned_bytes <= 64 << 10);
    });
}

//! What the tests share: a gateway on record, scripted bodies, clients.

use std::convert::Infallible;
use std::future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::AuditEvent;
use audit_memory::MemoryStore;
use audit_tower::AuditLayer;
use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tower::Service;

/// Fails a test that hangs, instead of the whole run.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work)
        .await
        .expect("it should not take this long")
}

/// Polls a future once.
pub(crate) async fn poll_once<T>(mut work: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await
}

/// A logger, and the store that it writes to.
pub(crate) struct Audit {
    pub(crate) store: MemoryStore,
    pub(crate) logger: AuditLogger,
}

impl Audit {
    pub(crate) fn new() -> Self {
        let store = MemoryStore::new();
        let logger = AuditLogger::builder(store.clone()).build().unwrap();
        Self { store, logger }
    }

    pub(crate) fn layer(&self) -> AuditLayer {
        AuditLayer::new(self.logger.clone())
    }

    /// All that was recorded, once every call has ended.
    pub(crate) async fn all(&self) -> Vec<AuditEvent> {
        let report = soon(self.logger.shutdown(Duration::from_secs(20))).await;
        assert!(report.is_complete(), "{report:?}");
        self.store.recorded()
    }

    /// The one event that was recorded, once every call has ended.
    pub(crate) async fn one(&self) -> AuditEvent {
        let mut events = self.all().await;
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }
}

/// The kept payloads of an event: request, response.
pub(crate) fn payloads(event: &AuditEvent) -> (Option<&str>, Option<&str>) {
    (
        event.request().and_then(|payload| payload.json()),
        event.response().and_then(|payload| payload.json()),
    )
}

/// What a scripted body does at one poll.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Data(Bytes),
    End,
    Fail,
    Panic,
    Pending,
    Trailers(HeaderMap),
}

impl Step {
    pub(crate) fn data(text: &'static str) -> Self {
        Self::Data(Bytes::from_static(text.as_bytes()))
    }
}

/// A body that does as it is told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    pub(crate) steps: std::collections::VecDeque<Step>,
    /// Says that it has ended as soon as nothing but its end is left.
    pub(crate) is_eager: bool,
    /// Says how large it is.
    pub(crate) is_exact: bool,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
            ..Self::default()
        }
    }

    pub(crate) fn eager(mut self) -> Self {
        self.is_eager = true;
        self
    }

    pub(crate) fn n_bytes(&self) -> u64 {
        let sizes = self.steps.iter().map(|step| match step {
            Step::Data(data) => data.len(),
            _ => 0,
        });
        u64::try_from(sizes.sum::<usize>()).unwrap()
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(match self.steps.pop_front() {
            Some(Step::Data(data)) => Some(Ok(Frame::data(data))),
            Some(Step::Trailers(trailers)) => Some(Ok(Frame::trailers(trailers))),
            Some(Step::Fail) => Some(Err("as the script says")),
            Some(Step::Panic) => std::panic::panic_any("as the script says"),
            Some(Step::Pending) => {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::End) | None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.is_eager && matches!(self.steps.front(), None | Some(Step::End))
    }

    fn size_hint(&self) -> SizeHint {
        match self.is_exact {
            true => SizeHint::with_exact(self.n_bytes()),
            false => SizeHint::default(),
        }
    }
}

/// A service that answers with what a function makes of the request.
pub(crate) fn answering<B, A, F>(
    answer: F,
) -> impl Service<
    Request<B>,
    Response = Response<A>,
    Error = Infallible,
    Future = future::Ready<Result<Response<A>, Infallible>>,
> + Clone
where
    F: Fn(Request<B>) -> Response<A> + Clone,
{
    tower::service_fn(move |request| future::ready(Ok(answer(request))))
}

/// Serves on the loopback, and gives its address.
pub(crate) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address.to_string()
}

pub(crate) fn client() -> Client<HttpConnector, axum::body::Body> {
    Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) fn get(uri: impl AsRef<str>) -> Request<axum::body::Body> {
    Request::get(uri.as_ref())
        .body(axum::body::Body::empty())
        .unwrap()
}

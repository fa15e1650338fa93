use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::body::AuditBody;
use crate::capture::SharedCapture;
use crate::content::Content;
use crate::draft::draft;
use crate::future::ResponseFuture;
use crate::kept;
use crate::options::Options;
use crate::recording::Asked;
use crate::request_body::RequestBody;

/// The bodies of requests are not looked at: the inner service gets them as they came.
#[derive(Debug)]
#[non_exhaustive]
pub enum PassRequest {}

/// The bodies of requests are captured, up to a bound.
#[derive(Debug)]
#[non_exhaustive]
pub enum CaptureRequest {}

/// Records every request of a service; made by an [`AuditLayer`](crate::AuditLayer).
pub struct AuditService<S, M = PassRequest> {
    inner: S,
    options: Arc<Options>,
    mode: PhantomData<fn() -> M>,
}

impl<S, M> AuditService<S, M> {
    pub(crate) fn new(inner: S, options: Arc<Options>) -> Self {
        Self {
            inner,
            options,
            mode: PhantomData,
        }
    }

    /// The service that is recorded.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    fn begin<B>(&mut self, request: Request<B>, asked: Asked) -> ResponseFuture<S, B>
    where
        S: Service<Request<B>> + Clone,
    {
        let (parts, body) = request.into_parts();
        let begun = draft(&self.options, &parts);
        // The service that was asked whether it is ready is the one to call; a clone stays for the
        // next request.
        let next = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, next);
        let request = Request::from_parts(parts, body);
        ResponseFuture::new(ready, request, begun, asked, &self.options)
    }
}

impl<S, B, A> Service<Request<B>> for AuditService<S, PassRequest>
where
    S: Service<Request<B>, Response = Response<A>> + Clone,
    S::Error: 'static,
    A: Body,
{
    type Response = Response<AuditBody<A>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let asked = Asked::of(&request, &self.options);
        self.begin(request, asked)
    }
}

impl<S, B, A> Service<Request<B>> for AuditService<S, CaptureRequest>
where
    S: Service<Request<RequestBody<B>>, Response = Response<A>> + Clone,
    S::Error: 'static,
    A: Body,
    B: Body,
{
    type Response = Response<AuditBody<A>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, RequestBody<B>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut asked = Asked::of(&request, &self.options);
        if !request.body().is_end_stream() {
            let limits = self.options.logger.payload_policy().request_limits();
            let content = Content::of(request.headers());
            let declared = kept::declared_length(request.headers());
            asked.body = Some(Arc::new(SharedCapture::new(
                content,
                limits.scan_bytes,
                declared,
            )));
        }
        let capture = asked.body.clone();
        let request = request.map(|body| RequestBody::new(body, capture));
        self.begin(request, asked)
    }
}

impl<S: Clone, M> Clone for AuditService<S, M> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.options))
    }
}

impl<S: fmt::Debug, M> fmt::Debug for AuditService<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditService")
            .field("inner", &self.inner)
            .field("options", &self.options)
            .finish()
    }
}

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

use audit_core::AuditLogger;
use audit_core::event::{EventDraft, Outcome};
use http::HeaderName;
use http::request::Parts;
use tower_layer::Layer;

use crate::options::Options;
use crate::service::{AuditService, CaptureRequest, PassRequest};

/// Records every request of the services under it.
///
/// Cloning is cheap. `M` says whether the bodies of requests are looked at; it changes the type of
/// the requests that the inner service gets.
///
/// # Examples
/// With client addresses, sessions and the bodies of both directions:
/// ```
/// # use audit_core::AuditLogger;
/// # use audit_tower::AuditLayer;
/// use std::net::SocketAddr;
///
/// use axum::extract::ConnectInfo;
/// use http::header::{AUTHORIZATION, CONTENT_TYPE};
/// use http::HeaderName;
///
/// # fn gateway(logger: AuditLogger) -> axum::Router {
/// let audit = AuditLayer::new(logger)
///     .credential_header(AUTHORIZATION)
///     .session_header(HeaderName::from_static("mcp-session-id"))
///     .client_address(|request| {
///         let peer = request.extensions.get::<ConnectInfo<SocketAddr>>()?;
///         Some(peer.0.ip())
///     })
///     .request_headers([CONTENT_TYPE])
///     .capture_responses()
///     .capture_requests();
/// axum::Router::new().layer(audit)
/// # }
/// ```
#[must_use = "a layer records nothing until it is put around a service"]
pub struct AuditLayer<M = PassRequest> {
    options: Arc<Options>,
    mode: PhantomData<fn() -> M>,
}

impl AuditLayer {
    /// Records to this logger: no bodies, no headers; what cannot be recorded does not run.
    pub fn new(logger: AuditLogger) -> Self {
        Self::with(Arc::new(Options::new(logger)))
    }

    /// Keeps the bodies of requests as well, as [the crate](crate) says.
    ///
    /// The inner service gets requests of which the body is a [`RequestBody`](crate::RequestBody).
    /// Services that want one certain body type, such as axum's `from_fn` in a `ServiceBuilder`,
    /// need a `map_request` in between; routers and routes of axum take any.
    pub fn capture_requests(self) -> AuditLayer<CaptureRequest> {
        AuditLayer::with(self.options)
    }
}

impl<M> AuditLayer<M> {
    fn with(options: Arc<Options>) -> Self {
        Self {
            options,
            mode: PhantomData,
        }
    }

    /// Keeps the bodies of responses as well, as [the crate](crate) says.
    pub fn capture_responses(self) -> Self {
        self.change(|options| options.captures_responses = true)
    }

    /// Keeps these headers of requests. Those that hold secrets are redacted by the logger's
    /// payload policy.
    pub fn request_headers(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.change(|options| options.request_headers.extend(names))
    }

    /// Keeps these headers of responses.
    pub fn response_headers(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.change(|options| options.response_headers.extend(names))
    }

    /// The header in which callers present a credential, such as `authorization` or `x-api-key`.
    /// Its value appears nowhere in the event, wherever it stands. May be called for several.
    pub fn credential_header(self, name: HeaderName) -> Self {
        self.change(|options| options.credential_headers.push(name))
    }

    /// The header that names the session, of requests, or of the response that begins one. It is
    /// stored [hashed](audit_core::event::SessionId::hashed).
    pub fn session_header(self, name: HeaderName) -> Self {
        self.change(|options| options.session_header = Some(name))
    }

    /// The header that names the request, such as `x-request-id`. It is a client's claim.
    pub fn request_id_header(self, name: HeaderName) -> Self {
        self.change(|options| options.request_id_header = Some(name))
    }

    /// The template of the path, such as `/items/{id}`: what an event says instead of the path.
    /// Where it gives nothing, the path is taken.
    pub fn route(
        self,
        route: impl for<'a> Fn(&'a Parts) -> Option<&'a str> + Send + Sync + 'static,
    ) -> Self {
        self.change(|options| options.route = Some(Arc::new(route)))
    }

    /// From where the request came, as far as the gateway can trust it.
    pub fn client_address(
        self,
        address: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.change(|options| options.address = Some(Arc::new(address)))
    }

    /// The last word on what a request says of itself, before the call begins.
    ///
    /// # Examples
    /// ```
    /// # use audit_core::{AuditLogger, event::Upstream};
    /// # use audit_tower::AuditLayer;
    /// # fn layer(logger: AuditLogger) {
    /// let audit = AuditLayer::new(logger)
    ///     .draft(|_request, draft| draft.upstream(Upstream::lossy("search")));
    /// # let _ = audit;
    /// # }
    /// ```
    pub fn draft(
        self,
        draft: impl Fn(&Parts, EventDraft) -> EventDraft + Send + Sync + 'static,
    ) -> Self {
        self.change(|options| options.draft = Some(Arc::new(draft)))
    }

    /// What a body that fails half-way means: `internal_error`, if nothing is said. A gateway that
    /// passes on the bodies of its upstream says [`Outcome::UpstreamDisconnected`].
    pub fn broken_body(self, outcome: Outcome) -> Self {
        self.change(|options| options.broken_body = outcome)
    }

    /// Lets requests run that cannot be recorded, because the queue is full or the logger was shut
    /// down. They have no [`SharedCall`](crate::SharedCall); [`n_unrecorded`](Self::n_unrecorded)
    /// counts them, a warning says so at the 1st, 2nd, 4th, 8th and so on, and an event tells how
    /// many there were ([`tell_unrecorded`](AuditLogger::tell_unrecorded)).
    pub fn fail_open(self) -> Self {
        self.change(|options| options.is_fail_open = true)
    }

    /// How many requests ran without a record.
    #[must_use]
    pub fn n_unrecorded(&self) -> u64 {
        self.options.unrecorded.get()
    }

    /// How many requests were refused because they could not be recorded.
    #[must_use]
    pub fn n_refused(&self) -> u64 {
        self.options.refused.get()
    }

    fn change(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(Arc::make_mut(&mut self.options));
        self
    }
}

impl<S, M> Layer<S> for AuditLayer<M> {
    type Service = AuditService<S, M>;

    fn layer(&self, inner: S) -> Self::Service {
        AuditService::new(inner, Arc::clone(&self.options))
    }
}

impl<M> Clone for AuditLayer<M> {
    fn clone(&self) -> Self {
        Self::with(Arc::clone(&self.options))
    }
}

impl<M> fmt::Debug for AuditLayer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLayer")
            .field("options", &self.options)
            .finish()
    }
}

use audit_core::logger::SharedCall;
use http::request::Parts;
use http::{Extensions, Request};

/// A request that may have come through an [`AuditLayer`](crate::AuditLayer): for middlewares and
/// plain services, which have no extractors.
///
/// # Examples
/// ```
/// use audit_core::event::Decision;
/// use audit_tower::AuditedRequest;
///
/// fn authorize<B>(request: &http::Request<B>) {
///     if let Some(call) = request.audit_call() {
///         call.update(|call| call.amend(|draft| draft.decision(Decision::allowed())));
///     }
/// }
/// # authorize(&http::Request::new(()));
/// ```
pub trait AuditedRequest {
    /// The open call of the request; `None` if it runs without a record.
    fn audit_call(&self) -> Option<&SharedCall>;
}

impl AuditedRequest for Extensions {
    fn audit_call(&self) -> Option<&SharedCall> {
        self.get()
    }
}

impl AuditedRequest for Parts {
    fn audit_call(&self) -> Option<&SharedCall> {
        self.extensions.audit_call()
    }
}

impl<B> AuditedRequest for Request<B> {
    fn audit_call(&self) -> Option<&SharedCall> {
        self.extensions().audit_call()
    }
}

use std::fmt;

use audit_core::event::SessionId;
use http::request::Parts;
use rmcp::model::{Extensions, RequestId, RequestMetaObject};
use rmcp::service::{RequestContext, ServiceRole};

/// The header by which the sessions of streamable HTTP are told apart.
const SESSION_HEADER: &str = "mcp-session-id";

/// Who sends a request, as far as the transport tells: what an identity hook looks at.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    extensions: &'a Extensions,
    meta: &'a RequestMetaObject,
    id: &'a RequestId,
}

impl<'a> Caller<'a> {
    pub(super) fn of<R: ServiceRole>(context: &'a RequestContext<R>) -> Self {
        Self {
            extensions: &context.extensions,
            meta: &context.meta,
            id: &context.id,
        }
    }

    /// What the transport and the layers before put beside the request.
    #[must_use]
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// The HTTP request that carried this one, without its body; none on other transports. What
    /// axum's and tower's layers added is in its extensions.
    #[must_use]
    pub fn http(&self) -> Option<&'a Parts> {
        self.extensions.get()
    }

    /// What the request says of itself. Nobody may be let in by it.
    #[must_use]
    pub fn meta(&self) -> &'a RequestMetaObject {
        self.meta
    }

    /// The JSON-RPC id.
    #[must_use]
    pub fn request_id(&self) -> &'a RequestId {
        self.id
    }

    /// The session, hashed.
    pub(super) fn session(&self) -> Option<SessionId> {
        let header = self.http()?.headers.get(SESSION_HEADER)?;
        Some(SessionId::hashed(header.as_bytes()))
    }
}

impl fmt::Debug for Caller<'_> {
    /// Headers and metadata may hold credentials: neither is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").finish_non_exhaustive()
    }
}

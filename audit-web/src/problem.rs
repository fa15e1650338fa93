use std::borrow::Cow;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::access::{Scope, Scopes};

/// Why a request was not answered as it was asked: problem details (RFC 9457).
///
/// The type is `about:blank`: the status says what kind it is, `code` says which, `detail` says it to
/// a person. Every answer that is a problem carries it as an extension, so that
/// a guard can show it to a browser.
#[derive(Clone, Debug)]
pub(crate) struct Problem(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Arc::new(Inner {
            status,
            code,
            detail: detail.into(),
            members: Map::new(),
            headers: Vec::new(),
        }))
    }

    /// Nobody knows who asks.
    pub(crate) fn unauthorized() -> Self {
        let detail = "this needs a valid token: Authorization: Bearer audit_…, or a login";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail).header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"audit\""),
        )
    }

    /// Who asks may not.
    pub(crate) fn forbidden(needed: Scope, scopes: Scopes) -> Self {
        let detail = format!("this needs the scope {needed}, and the token has {scopes}");
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
            .member("needed_scope", json!(needed.as_str()))
    }

    /// Nobody can be let in, since nobody can be recognized.
    pub(crate) fn no_tokens(error: &std::io::Error) -> Self {
        tracing::error!(%error, "the tokens cannot be read: nobody is let in");
        let detail = "the server cannot read its tokens; its log says why";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "no-tokens", detail)
    }

    /// What has to be recorded before it is answered cannot be recorded.
    pub(crate) fn unrecorded(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a read cannot be recorded: it is refused");
        let detail = "reading payloads is recorded, and the record cannot be stored now";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unrecorded", detail)
    }

    /// There is nothing of this name.
    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    /// One more thing that a program can read of it.
    pub(crate) fn member(mut self, name: &str, value: Value) -> Self {
        Arc::make_mut(&mut self.0)
            .members
            .insert(name.to_owned(), value);
        self
    }

    /// A header of the answer.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        Arc::make_mut(&mut self.0).headers.push((name, value));
        self
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What a person is told.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let inner = &*self.0;
        let mut body = Map::new();
        body.insert("type".to_owned(), json!("about:blank"));
        let title = inner.status.canonical_reason().unwrap_or("Problem");
        body.insert("title".to_owned(), json!(title));
        body.insert("status".to_owned(), json!(inner.status.as_u16()));
        body.insert("code".to_owned(), json!(inner.code));
        body.insert("detail".to_owned(), json!(inner.detail));
        body.extend(inner.members.clone());
        let mut response = (inner.status, Value::Object(body).to_string()).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response.headers_mut().extend(inner.headers.iter().cloned());
        response.extensions_mut().insert(self);
        response
    }
}

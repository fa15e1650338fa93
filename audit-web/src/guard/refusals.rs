use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::problem::Problem;

/// Makes problems of what the framework refuses in words of its own: bodies that are too large, paths
/// that are no text.
pub(super) async fn explain(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_text = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|it| it == HeaderValue::from_static("text/plain; charset=utf-8"));
    let is_refusal = status.is_client_error() || status.is_server_error();
    if !(is_refusal && is_text) {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let detail = "the request cannot be read as it is";
    let problem = Problem::new(status, "unreadable-request", detail);
    let problem = match allow {
        Some(allow) => problem.header(header::ALLOW, allow),
        None => problem,
    };
    problem.into_response()
}

//! The answer to a request that cannot be recorded.

use audit_core::{Error, ErrorKind};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use crate::body::AuditBody;

const SHUT_DOWN: &str = "The gateway is shutting down and keeps no more audit records. \
    The request was not run.\n";
const FULL: &str = "The audit log takes no records at the moment, and nothing runs here without \
    one. The request was not run; try again later.\n";

pub(crate) fn refusal<B>(error: &Error) -> Response<AuditBody<B>> {
    let text = match error.kind() {
        ErrorKind::Closed => SHUT_DOWN,
        _ => FULL,
    };
    let mut response = Response::new(AuditBody::refusal(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

use audit_core::event::{Decision, Outcome};
use audit_tower::AuditedRequest as _;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use serde_json::value::RawValue;

use crate::asked;

/// The code of JSON-RPC for errors of the server's own making.
const CODE: i32 = -32_000;

/// A no, to the caller and to the record.
pub(crate) struct Refusal {
    outcome: Outcome,
    status: StatusCode,
    message: String,
}

impl Refusal {
    /// A no with the status of its outcome. The message says what to do about it.
    pub(crate) fn new(outcome: Outcome, message: impl Into<String>) -> Self {
        let status = outcome.default_status().as_u16();
        Self {
            outcome,
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            message: message.into(),
        }
    }

    /// The same with another status.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Puts the no and the check that said it on record, and answers.
    pub(crate) fn answer(
        self,
        request: &Request,
        check: impl FnOnce(Decision) -> Decision,
    ) -> Response {
        let asked = asked::of(request);
        if let Some(call) = request.audit_call() {
            call.say(self.outcome);
            call.update(|call| call.amend(|draft| draft.amend_decision(check)));
        }
        // An id that was spelled is valid JSON, and so is `null`.
        let id = asked.raw_id().unwrap_or("null").to_owned();
        let answer = json!({
            "jsonrpc": "2.0",
            "id": RawValue::from_string(id).ok(),
            "error": { "code": CODE, "message": self.message },
        });
        let mut response = (self.status, Body::from(answer.to_string())).into_response();
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

//! What came of a call, from what was answered: the one place that decides it.

use audit_core::event::Outcome;
use serde::Serialize;

use crate::json;

/// The parse error of JSON-RPC.
const PARSE_ERROR: i64 = -32_700;
/// The request was no request.
const INVALID_REQUEST: i64 = -32_600;
/// The method is unknown.
const METHOD_NOT_FOUND: i64 = -32_601;

/// The request was taken back, as the Python SDK says it.
const REQUEST_CANCELLED: i64 = -32_800;

/// What somebody answered to a request, as far as it tells what came of it.
///
/// # Examples
/// ```
/// use audit_core::event::Outcome;
/// use audit_mcp::classify::{Reply, outcome};
///
/// let result = r#"{"content":[{"type":"text","text":"no such city"}],"isError":true}"#;
/// let reply = Reply::Result { method: "tools/call", result };
/// assert_eq!(outcome(&reply), Outcome::ToolError);
/// // An unknown tool is no denial.
/// assert_eq!(outcome(&Reply::Error { code: Some(-32602), status: None }), Outcome::RpcError);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply<'a> {
    /// JSON-RPC `error`.
    Error {
        /// Its code, if it has one that is a number.
        code: Option<i64>,
        /// The status that HTTP gave it, where it came over HTTP.
        status: Option<u16>,
    },
    /// JSON-RPC `result`.
    Result {
        /// The method that was called.
        method: &'a str,
        /// The result, as JSON.
        result: &'a str,
    },
    /// An HTTP status, and no JSON-RPC answer with it.
    Status(u16),
}

/// What came of a call that was answered like this.
#[must_use]
pub fn outcome(reply: &Reply<'_>) -> Outcome {
    match *reply {
        Reply::Error { code, status } => outcome_of_error_with_status(code, status),
        Reply::Result { method, result } => outcome_of_json(method, result),
        Reply::Status(status) => outcome_of_status(status),
    }
}

/// What a result says of the call, where it is a value that serializes.
///
/// One that cannot be serialized never left: [`Outcome::InternalError`].
#[must_use]
pub fn outcome_of_result<T: Serialize + ?Sized>(method: &str, result: &T) -> Outcome {
    match serde_json::to_string(result) {
        Ok(json) => outcome_of_json(method, &json),
        Err(_) => Outcome::InternalError,
    }
}

/// What a result says of the call, where it is JSON.
///
/// `isError: true` is [`Outcome::ToolError`], whatever the method: of a task it comes in
/// `tasks/result`, or inside the finished task that `tasks/get` shows, and a task that ended in a
/// JSON-RPC error there has its outcome. Everything else is [`Outcome::Ok`]: a task that was
/// created and a question back (`resultType: input_required`) are answers.
#[must_use]
pub fn outcome_of_json(method: &str, result: &str) -> Outcome {
    let [is_error, inner, error] = json::pick(result, ["isError", "result", "error"]);
    let is_true = |value: Option<&str>| value == Some("true");
    if is_true(is_error) {
        return Outcome::ToolError;
    }
    if method != "tasks/get" {
        return Outcome::Ok;
    }
    if let Some(error) = error.filter(|error| error.starts_with('{')) {
        return code_of(error).map_or(Outcome::RpcError, outcome_of_error);
    }
    let inner_is_error = inner.and_then(|inner| json::pick(inner, ["isError"])[0]);
    if is_true(inner_is_error) {
        return Outcome::ToolError;
    }
    Outcome::Ok
}

/// What a JSON-RPC error says of the call: [`Outcome::InvalidRequest`] for what could not be read
/// as a request, [`Outcome::Cancelled`] for the code by which a server says that the call was taken
/// back, else [`Outcome::RpcError`]. Never a denial: servers answer the same code to an
/// unknown tool, to bad arguments and to a resource that is not there.
#[must_use]
pub fn outcome_of_error(code: i64) -> Outcome {
    match code {
        PARSE_ERROR | INVALID_REQUEST => Outcome::InvalidRequest,
        REQUEST_CANCELLED => Outcome::Cancelled,
        _ => Outcome::RpcError,
    }
}

/// What an HTTP status says of a call to which there is no JSON-RPC answer.
///
/// A status of success without an answer is [`Outcome::UpstreamDisconnected`]: the answer was on
/// its way and did not come. So ask only when none can come any more. 404 is the session that is
/// gone; a redirect is not followed, so what it points to was not reached.
#[must_use]
pub fn outcome_of_status(status: u16) -> Outcome {
    match status {
        401 | 407 => Outcome::Unauthenticated,
        403 | 451 => Outcome::Denied,
        408 | 504 => Outcome::Timeout,
        429 => Outcome::RateLimited,
        499 => Outcome::Cancelled,
        400..=498 => Outcome::InvalidRequest,
        300..=399 | 503 => Outcome::UpstreamUnavailable,
        0..=299 | 502 => Outcome::UpstreamDisconnected,
        _ => Outcome::InternalError,
    }
}

/// Who says more, the code or the status?
///
/// Statuses of gateways (who are you, you may not, too often, nobody there) do, whatever the body.
/// Of the others, the code does where the protocol gives it a meaning; the range that servers have
/// filled as they liked (−32000 to −32019), and no code at all, leave it to the status.
fn outcome_of_error_with_status(code: Option<i64>, status: Option<u16>) -> Outcome {
    let by_code = code.map_or(Outcome::RpcError, outcome_of_error);
    let Some(status) = status.filter(|status| *status >= 300) else {
        return by_code;
    };
    let by_status = outcome_of_status(status);
    let is_of_a_gateway = matches!(status, 401 | 403 | 407 | 408 | 429 | 451 | 499 | 502..=504);
    let has_meaning = match code {
        None => false,
        // How 2026-07-28 says it over HTTP: 404 with this code, beside a 404 of other things.
        Some(METHOD_NOT_FOUND) => true,
        Some(code) => !(-32_019..=-32_000).contains(&code),
    };
    if is_of_a_gateway || !has_meaning {
        by_status
    } else {
        by_code
    }
}

/// The code of a JSON-RPC error object.
pub(crate) fn code_of(error: &str) -> Option<i64> {
    let [code] = json::pick(error, ["code"]);
    integer(code?)
}

/// A number that is an integer, however it is spelled.
fn integer(json: &str) -> Option<i64> {
    if let Ok(number) = json.parse() {
        return Some(number);
    }
    let number: f64 = json.parse().ok()?;
    // Codes are small; beyond this range a float is no integer anyway.
    let is_integer = number.fract() == 0.0 && number.abs() < 9e15;
    is_integer.then(|| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "an integer well inside the range, as was just checked"
        )]
        let integer = number as i64;
        integer
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of_result(method: &str, result: &serde_json::Value) -> Outcome {
        let by_value = outcome_of_result(method, result);
        let text = result.to_string();
        let reply = Reply::Result {
            method,
            result: &text,
        };
        assert_eq!(outcome(&reply), by_value);
        by_value
    }

    fn of_error(code: i64, status: impl Into<Option<u16>>) -> Outcome {
        outcome(&Reply::Error {
            code: Some(code),
            status: status.into(),
        })
    }

    #[test]
    fn a_tool_error_inside_a_result_is_a_tool_error() {
        let failed = json!({ "content": [], "isError": true });
        for method in ["tools/call", "tasks/result", "custom/run"] {
            assert_eq!(of_result(method, &failed), Outcome::ToolError);
        }
        for fine in [
            json!({ "content": [], "isError": false }),
            json!({ "content": [] }),
            json!({ "isError": null }),
            json!({ "isError": "true" }),
            json!({ "isError": 1 }),
            json!({ "structuredContent": { "isError": true } }),
            json!({ "content": [{ "isError": true }] }),
            json!([true]),
            json!("isError"),
            json!(null),
        ] {
            assert_eq!(of_result("tools/call", &fine), Outcome::Ok, "{fine}");
        }
    }

    #[test]
    fn of_two_flags_the_last_counts() {
        let last = |json| outcome_of_json("tools/call", json);
        assert_eq!(
            last(r#"{"isError":false,"isError":true}"#),
            Outcome::ToolError
        );
        assert_eq!(last(r#"{"isError":true,"isError":false}"#), Outcome::Ok);
        assert_eq!(last(r#"{"is\u0045rror" : true }"#), Outcome::ToolError);
    }

    #[test]
    fn a_question_back_and_a_new_task_are_answers() {
        for answer in [
            json!({ "resultType": "input_required", "inputRequests": { "a": { "method": "elicitation/create" } } }),
            json!({ "resultType": "task", "taskId": "t1", "status": "working" }),
            json!({ "task": { "taskId": "t1", "status": "working" } }),
            json!({ "resultType": "something later" }),
        ] {
            assert_eq!(of_result("tools/call", &answer), Outcome::Ok, "{answer}");
        }
    }

    #[test]
    fn a_finished_task_has_the_outcome_of_its_tool() {
        let task = |status: &str, more: serde_json::Value| {
            let mut task = json!({ "resultType": "complete", "taskId": "t1", "status": status });
            task.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            of_result("tasks/get", &task)
        };
        assert_eq!(task("working", json!({})), Outcome::Ok);
        assert_eq!(task("failed", json!({})), Outcome::Ok);
        assert_eq!(
            task("completed", json!({ "result": { "isError": true } })),
            Outcome::ToolError
        );
        assert_eq!(
            task("completed", json!({ "result": { "isError": false } })),
            Outcome::Ok
        );
        assert_eq!(
            task("failed", json!({ "error": { "code": -32603 } })),
            Outcome::RpcError
        );
        assert_eq!(task("working", json!({ "error": null })), Outcome::Ok);
        // Elsewhere these names mean nothing.
        let named = json!({ "result": { "isError": true }, "error": { "code": 1 } });
        assert_eq!(of_result("tools/call", &named), Outcome::Ok);
    }

    #[test]
    fn a_json_rpc_error_is_never_a_denial() {
        for code in [-32_700, -32_600] {
            assert_eq!(outcome_of_error(code), Outcome::InvalidRequest);
        }
        for code in [
            -32_601, -32_602, -32_603, -32_000, -32_002, -32_042, -32_022, 0, 403, 401,
        ] {
            assert_eq!(outcome_of_error(code), Outcome::RpcError, "{code}");
        }
        assert_eq!(outcome_of_error(-32_800), Outcome::Cancelled);
        let without_code = Reply::Error {
            code: None,
            status: None,
        };
        assert_eq!(outcome(&without_code), Outcome::RpcError);
    }

    #[test]
    fn a_status_without_an_answer_says_what_it_can() {
        let table = [
            (200, Outcome::UpstreamDisconnected),
            (202, Outcome::UpstreamDisconnected),
            (302, Outcome::UpstreamUnavailable),
            (400, Outcome::InvalidRequest),
            (401, Outcome::Unauthenticated),
            (403, Outcome::Denied),
            (404, Outcome::InvalidRequest),
            (405, Outcome::InvalidRequest),
            (406, Outcome::InvalidRequest),
            (408, Outcome::Timeout),
            (413, Outcome::InvalidRequest),
            (415, Outcome::InvalidRequest),
            (429, Outcome::RateLimited),
            (499, Outcome::Cancelled),
            (500, Outcome::InternalError),
            (502, Outcome::UpstreamDisconnected),
            (503, Outcome::UpstreamUnavailable),
            (504, Outcome::Timeout),
            (999, Outcome::InternalError),
        ];
        for (status, expected) in table {
            assert_eq!(outcome(&Reply::Status(status)), expected, "{status}");
        }
    }

    #[test]
    fn the_status_of_a_gateway_outweighs_the_code() {
        assert_eq!(of_error(-32_603, 401), Outcome::Unauthenticated);
        assert_eq!(of_error(-32_602, 403), Outcome::Denied);
        assert_eq!(of_error(-32_000, 429), Outcome::RateLimited);
        assert_eq!(of_error(-32_603, 503), Outcome::UpstreamUnavailable);
    }

    #[test]
    fn a_code_of_the_protocol_outweighs_other_statuses() {
        assert_eq!(of_error(-32_601, 404), Outcome::RpcError);
        assert_eq!(of_error(-32_022, 400), Outcome::RpcError);
        assert_eq!(of_error(-32_602, 400), Outcome::RpcError);
        assert_eq!(of_error(-32_603, 500), Outcome::RpcError);
        assert_eq!(of_error(-32_700, 400), Outcome::InvalidRequest);
        assert_eq!(of_error(-32_000, 200), Outcome::RpcError);
    }

    #[test]
    fn a_code_without_a_meaning_leaves_it_to_the_status() {
        assert_eq!(of_error(-32_000, 415), Outcome::InvalidRequest);
        assert_eq!(of_error(-32_001, 404), Outcome::InvalidRequest);
        assert_eq!(of_error(-32_000, 500), Outcome::InternalError);
        let without_code = Reply::Error {
            code: None,
            status: Some(400),
        };
        assert_eq!(outcome(&without_code), Outcome::InvalidRequest);
    }

    #[test]
    fn a_code_is_read_however_it_is_spelled() {
        assert_eq!(code_of(r#"{"code":-32602}"#), Some(-32602));
        assert_eq!(code_of(r#"{"code": -3.2602e4 }"#), Some(-32602));
        for none in [
            "{}",
            r#"{"code":"1"}"#,
            r#"{"code":1.5}"#,
            r#"{"code":1e99}"#,
            "[]",
            "1",
        ] {
            assert_eq!(code_of(none), None, "{none}");
        }
    }
}

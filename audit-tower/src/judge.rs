//! What came of a request, in one word.

use std::any::Any;
use std::error::Error;

use audit_core::event::Outcome;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use tower::timeout::error::Elapsed;

/// How a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The body failed half-way, or the service had no response: with this outcome.
    Broken(Outcome),
    /// The response was handed over to its last byte.
    Complete,
    /// The future or the body was dropped.
    Left,
    /// The service or the body panicked.
    Panicked,
}

/// What the parts of a response say of its outcome.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: Option<StatusCode>,
    /// By `grpc-status`, of which the transport's status says nothing.
    pub(crate) grpc: Option<Outcome>,
}

impl Answer {
    fn outcome(self) -> Option<Outcome> {
        match self.status.map(of_status)? {
            Outcome::Ok => Some(self.grpc.unwrap_or(Outcome::Ok)),
            outcome => Some(outcome),
        }
    }
}

pub(crate) fn judge(end: End, answer: Answer, said: Option<Outcome>) -> Outcome {
    let known = said.or_else(|| answer.outcome());
    match end {
        End::Panicked => Outcome::Aborted,
        End::Left => known
            .filter(|outcome| outcome.is_refusal())
            .unwrap_or(Outcome::Cancelled),
        End::Broken(outcome) => known.filter(|outcome| !outcome.is_ok()).unwrap_or(outcome),
        End::Complete => known.unwrap_or(Outcome::Ok),
    }
}

fn of_status(status: StatusCode) -> Outcome {
    match status.as_u16() {
        401 => Outcome::Unauthenticated,
        403 => Outcome::Denied,
        408 | 504 => Outcome::Timeout,
        429 => Outcome::RateLimited,
        499 => Outcome::Cancelled,
        502 => Outcome::UpstreamDisconnected,
        503 => Outcome::UpstreamUnavailable,
        400..500 => Outcome::InvalidRequest,
        500.. => Outcome::InternalError,
        _ => Outcome::Ok,
    }
}

/// What an error of the inner service means. Errors are generic: what can be known is whether one
/// is tower's timeout, or a box with one somewhere inside.
pub(crate) fn of_error(error: &dyn Any) -> Outcome {
    type Boxed = Box<dyn Error + Send + Sync>;
    let mut next: Option<&(dyn Error + 'static)> = match error.downcast_ref::<Boxed>() {
        Some(boxed) => Some(&**boxed),
        None => error.downcast_ref::<Elapsed>().map(|elapsed| elapsed as _),
    };
    while let Some(error) = next {
        if error.is::<Elapsed>() {
            return Outcome::Timeout;
        }
        next = error.source();
    }
    Outcome::InternalError
}

pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|content| content.as_bytes().starts_with(b"application/grpc"))
}

/// The outcome by `grpc-status`, in headers or trailers.
pub(crate) fn of_grpc(headers: &HeaderMap) -> Option<Outcome> {
    let status = headers.get("grpc-status")?.to_str().ok()?;
    Some(match status.trim() {
        "0" => Outcome::Ok,
        "1" => Outcome::Cancelled,
        "3" => Outcome::InvalidRequest,
        "4" => Outcome::Timeout,
        "7" => Outcome::Denied,
        "8" => Outcome::RateLimited,
        "13" => Outcome::InternalError,
        "14" => Outcome::UpstreamUnavailable,
        "16" => Outcome::Unauthenticated,
        _ => Outcome::RpcError,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_outcome() {
        let table = [
            (101, Outcome::Ok),
            (200, Outcome::Ok),
            (304, Outcome::Ok),
            (400, Outcome::InvalidRequest),
            (401, Outcome::Unauthenticated),
            (403, Outcome::Denied),
            (404, Outcome::InvalidRequest),
            (408, Outcome::Timeout),
            (429, Outcome::RateLimited),
            (499, Outcome::Cancelled),
            (500, Outcome::InternalError),
            (502, Outcome::UpstreamDisconnected),
            (503, Outcome::UpstreamUnavailable),
            (504, Outcome::Timeout),
            (599, Outcome::InternalError),
            (999, Outcome::InternalError),
        ];
        for (status, outcome) in table {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(of_status(status), outcome, "{status}");
        }
    }

    #[test]
    fn the_end_outweighs_what_was_said_only_where_it_knows_better() {
        let answer = |status| Answer {
            status: StatusCode::from_u16(status).ok(),
            grpc: None,
        };
        let none = Answer::default();
        let broken = End::Broken(Outcome::InternalError);
        let table = [
            (End::Complete, answer(200), None, Outcome::Ok),
            (
                End::Complete,
                answer(200),
                Some(Outcome::ToolError),
                Outcome::ToolError,
            ),
            (
                End::Complete,
                answer(500),
                Some(Outcome::Denied),
                Outcome::Denied,
            ),
            (End::Left, answer(200), None, Outcome::Cancelled),
            (End::Left, none, Some(Outcome::Ok), Outcome::Cancelled),
            (End::Left, answer(500), None, Outcome::Cancelled),
            (End::Left, answer(403), None, Outcome::Denied),
            (
                End::Left,
                none,
                Some(Outcome::RateLimited),
                Outcome::RateLimited,
            ),
            (broken, answer(200), None, Outcome::InternalError),
            (
                broken,
                answer(200),
                Some(Outcome::Ok),
                Outcome::InternalError,
            ),
            (broken, none, Some(Outcome::Timeout), Outcome::Timeout),
            (
                End::Panicked,
                answer(200),
                Some(Outcome::Ok),
                Outcome::Aborted,
            ),
        ];
        for (end, answer, said, outcome) in table {
            assert_eq!(
                judge(end, answer, said),
                outcome,
                "{end:?} {answer:?} {said:?}"
            );
        }
    }

    #[test]
    fn a_grpc_status_counts_where_http_says_ok() {
        let judged = |status, grpc| {
            let status = StatusCode::from_u16(status).ok();
            judge(End::Complete, Answer { status, grpc }, None)
        };
        assert_eq!(judged(200, Some(Outcome::Denied)), Outcome::Denied);
        assert_eq!(judged(503, Some(Outcome::Ok)), Outcome::UpstreamUnavailable);
    }

    #[test]
    fn a_timeout_is_found_however_deep_it_lies() {
        #[derive(Debug)]
        struct Around(Elapsed);

        impl std::fmt::Display for Around {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the tool did not answer")
            }
        }

        impl Error for Around {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }

        let boxed = |error: Box<dyn Error + Send + Sync>| of_error(&error);
        assert_eq!(of_error(&Elapsed::new()), Outcome::Timeout);
        assert_eq!(boxed(Elapsed::new().into()), Outcome::Timeout);
        assert_eq!(boxed(Around(Elapsed::new()).into()), Outcome::Timeout);
        assert_eq!(boxed("no timeout".into()), Outcome::InternalError);
        assert_eq!(of_error(&7), Outcome::InternalError);
    }
}

use std::time::Duration;

use audit_core::{Error, ErrorKind};
use axum::http::{HeaderValue, StatusCode, header};

use crate::problem::Problem;

/// How long a question to the store may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What the store answers, or why there is no answer.
///
/// # Errors
/// The question cannot be asked so, or the store does not answer (in time).
pub(crate) async fn ask<T>(question: impl Future<Output = Result<T, Error>>) -> Result<T, Problem> {
    match tokio::time::timeout(PATIENCE, question).await {
        Ok(answer) => answer.map_err(|error| unanswered(&error)),
        Err(_) => Err(too_slow()),
    }
}

/// What a client is told of an error of the store. Its own words can name what only its operator
/// should know; they go to the log.
pub(crate) fn unanswered(error: &Error) -> Problem {
    match error.kind() {
        ErrorKind::Invalid => Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid-question",
            error.to_string(),
        ),
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Overloaded => {
            tracing::warn!(%error, source = ?std::error::Error::source(error).map(ToString::to_string), "the store does not answer");
            not_now("the store does not answer now; the log of the server says why")
        }
        _ => {
            tracing::error!(%error, source = ?std::error::Error::source(error).map(ToString::to_string), "the store failed");
            let detail = "the store failed; the log of the server says why";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "store-failed", detail)
        }
    }
}

/// The store did not answer in time.
pub(super) fn too_slow() -> Problem {
    not_now("the store takes too long to answer: ask for less")
}

fn not_now(detail: &'static str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store-unavailable", detail)
        .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

use axum::http::StatusCode;
use serde_json::value::RawValue;

use super::Answer;
use super::event::{self, Incoming, Origin};
use crate::problem::Problem;

/// The most events of a batch.
const MOST_EVENTS: usize = 1_000;

/// Reads a batch: a JSON array of events, or one event a line. Each event is read by itself, and one
/// that cannot be read is answered for itself.
pub(super) fn read(
    body: &[u8],
    origin: &Origin<'_>,
) -> Result<Vec<Result<Incoming, Answer>>, Problem> {
    let text = std::str::from_utf8(body).map_err(|_| unreadable("the body is not UTF-8"))?;
    let events = if text.trim_start().starts_with('[') {
        let events: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            unreadable(format!("not a JSON array, at line {line}, column {column}"))
        })?;
        events.into_iter().map(RawValue::get).collect()
    } else {
        let lines = text.lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>()
    };
    if events.is_empty() {
        return Err(unreadable(
            "there is no event: send a JSON array of events, or one event a line",
        ));
    }
    if events.len() > MOST_EVENTS {
        let detail = format!(
            "the batch has {} events: send at most {MOST_EVENTS} at once",
            events.len()
        );
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return Err(Problem::new(status, "too-many-events", detail));
    }
    let read = |json: &str| event::read(json, origin);
    Ok(events.into_iter().map(read).collect())
}

fn unreadable(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid-batch", detail)
}

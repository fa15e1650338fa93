use std::sync::Arc;

use audit_core::ErrorKind;
use audit_core::reader::FollowPosition;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;

use super::ask::{PATIENCE, too_slow, unanswered};
use super::query::{Query, invalid};
use crate::access::{Scope, Viewer};
use crate::live::{Begin, LiveStream};
use crate::problem::Problem;
use crate::state::Web;

/// `GET /api/v1/events/stream`
///
/// Begins behind `Last-Event-ID`, which browsers send when they connect again, or behind `after`, or
/// now. Without payloads for everybody: those are read one by one, and recorded.
pub(super) async fn live(
    viewer: Viewer,
    State(web): State<Arc<Web>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    viewer.needs(Scope::Viewer)?;
    let query = Query::parse(raw.as_deref(), &["after", "filter"])?;
    let filter = query.filter(web.clock.now())?;
    let begin = match last_event_id(&headers)? {
        Some(position) => Begin::After(position),
        None => query.read("after")?.map_or(Begin::Now, Begin::After),
    };
    let seat = web
        .stream_seats
        .take(viewer.name().clone())
        .ok_or_else(too_many)?;
    let stream = LiveStream::begin(web, viewer, filter, begin, seat);
    let stream = tokio::time::timeout(PATIENCE, stream).await;
    let stream = match stream {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == ErrorKind::Invalid => return Err(outdated(&error)),
        Ok(Err(error)) => return Err(unanswered(&error)),
        Err(_) => return Err(too_slow()),
    };
    let body = stream::unfold(stream, async |mut stream| {
        let bytes = stream.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), stream))
    });
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static("text/event-stream");
    headers.insert(header::CONTENT_TYPE, content_type);
    // A proxy that collects a page before it hands it on would hold back events.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<FollowPosition>, Problem> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    // A browser that was given no id yet sends none, or an empty one.
    if value.is_empty() {
        return Ok(None);
    }
    let position = FollowPosition::new(text);
    position
        .map(Some)
        .map_err(|error| invalid("Last-Event-ID", error))
}

/// Nobody can go on from there: browsers do not try again.
fn outdated(error: &audit_core::Error) -> Problem {
    let detail = format!("{error}: connect without Last-Event-ID and without `after`");
    Problem::new(StatusCode::GONE, "unknown-position", detail)
}

fn too_many() -> Problem {
    let detail =
        "as many streams are open as the server allows, or as it allows one token: try again later";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too-many-streams", detail)
        .header(header::RETRY_AFTER, HeaderValue::from_static("5"))
}

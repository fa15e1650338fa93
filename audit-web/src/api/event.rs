use std::sync::Arc;

use audit_core::event::{AuditEvent, EventId};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::ask::ask;
use super::query::{Query, invalid};
use crate::access::{Scope, Viewer};
use crate::problem::Problem;
use crate::state::Web;

/// `GET /api/v1/events/{id}`
///
/// With payloads for whoever may see them, and then on record, unless `payloads=false`. An event
/// never changes, so its tag is its id and what of it is shown.
pub(super) async fn one(
    viewer: Viewer,
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    viewer.needs(Scope::Viewer)?;
    let query = Query::parse(raw.as_deref(), &["payloads"])?;
    let words = [("true", true), ("false", false)];
    let with_payloads = match query.one_of("payloads", &words)? {
        Some(true) => {
            viewer.needs(Scope::Auditor)?;
            true
        }
        Some(false) => false,
        None => viewer.may_see_payloads(),
    };
    let id: EventId = id.parse().map_err(|error| invalid("id", error))?;
    let found = ask(web.reader.get(id)).await?;
    let event = found.ok_or_else(|| Problem::not_found(format!("there is no event {id}")))?;
    let tag = tag(id, with_payloads);
    if is_known(&headers, &tag) {
        return Ok(with_tag(StatusCode::NOT_MODIFIED.into_response(), &tag));
    }
    if with_payloads {
        web.record_read(&viewer, id).await?;
    }
    Ok(with_tag(shown(&event, with_payloads), &tag))
}

fn shown(event: &AuditEvent, with_payloads: bool) -> Response {
    if with_payloads {
        return Json(event).into_response();
    }
    Json(event.summary()).into_response()
}

fn tag(id: EventId, with_payloads: bool) -> String {
    let shown = if with_payloads { "whole" } else { "summary" };
    format!("\"{id}-{shown}\"")
}

/// Whether the client has what it would be sent.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get_all(header::IF_NONE_MATCH).into_iter();
    let mut tags = given
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    // To this question a weak tag is as good as a strong one (RFC 9110, section 13.1.2).
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

fn with_tag(mut response: Response, tag: &str) -> Response {
    // Ids and static text are a header.
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

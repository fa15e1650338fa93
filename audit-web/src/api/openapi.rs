use axum::extract::RawQuery;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::query::Query;
use crate::problem::Problem;

/// What the API answers to what, as OpenAPI 3.1. Tests hold it against the routes and their answers.
pub(super) const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /api/v1/openapi.json`, for everybody: it says nothing of what is stored.
pub(super) async fn describe(RawQuery(raw): RawQuery) -> Result<Response, Problem> {
    Query::parse(raw.as_deref(), &[])?;
    let mut response = DOCUMENT.into_response();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

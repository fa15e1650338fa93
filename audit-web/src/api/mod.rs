//! What programs ask, under `/api/v1`.

mod ask;
mod event;
mod events;
mod export;
mod ingest;
mod query;
mod stats;
mod stream;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode, Uri};
use axum::routing::{MethodRouter, get, post};

pub(crate) use ask::ask;
pub(crate) use query::{Query, invalid, written};

use crate::problem::Problem;
use crate::state::Web;

/// The routes of the API.
pub(crate) fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route("/api/v1/events", get(events::list).merge(taking()))
        .route("/api/v1/events/{id}", get(event::one))
        .route("/api/v1/events/stream", get(stream::live))
        .route("/api/v1/export", get(export::export))
        .route("/api/v1/stats", get(stats::count))
}

/// Batches are larger than what any other route takes.
fn taking() -> MethodRouter<Arc<Web>> {
    post(ingest::take).layer(DefaultBodyLimit::max(ingest::MAX_BODY))
}

/// What is not there.
pub(crate) async fn not_found(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at {}", uri.path()))
}

/// What is there, and cannot be asked so.
pub(crate) async fn not_allowed(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} cannot be asked with {method}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
}

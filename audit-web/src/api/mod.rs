//! What programs ask, under `/api/v1`.

mod ask;
mod event;
mod events;
mod query;
mod stats;
mod stream;

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::routing::get;

pub(crate) use ask::ask;
pub(crate) use query::{Query, invalid, written};

use crate::problem::Problem;
use crate::state::Web;

/// The routes of the API.
pub(crate) fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route("/api/v1/events", get(events::list))
        .route("/api/v1/events/{id}", get(event::one))
        .route("/api/v1/events/stream", get(stream::live))
        .route("/api/v1/stats", get(stats::count))
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

//! What programs ask, under `/api/v1`.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};

use crate::problem::Problem;
use crate::state::Web;

/// The routes of the API.
pub(crate) fn routes() -> Router<Arc<Web>> {
    Router::new()
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

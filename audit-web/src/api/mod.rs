//! What programs ask, under `/api/v1`.

mod ask;
mod event;
mod events;
mod export;
mod ingest;
mod openapi;
mod query;
mod stats;
mod stream;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode, Uri};
use axum::routing::{MethodRouter, get, post};

pub(crate) use ask::ask;
pub(crate) use ingest::Door;
pub(crate) use query::{Query, check_terms, invalid, written};

use crate::problem::Problem;
use crate::state::Web;

/// The routes of the API.
pub(crate) fn routes() -> Router<Arc<Web>> {
    let table = table().into_iter();
    table.fold(Router::new(), |router, (path, methods)| {
        router.route(path, methods)
    })
}

/// What is asked where; [`openapi`] describes it.
fn table() -> [(&'static str, MethodRouter<Arc<Web>>); 6] {
    [
        ("/api/v1/events", get(events::list).merge(taking())),
        ("/api/v1/events/{id}", get(event::one)),
        ("/api/v1/events/stream", get(stream::live)),
        ("/api/v1/export", get(export::export)),
        ("/api/v1/openapi.json", get(openapi::describe)),
        ("/api/v1/stats", get(stats::count)),
    ]
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let document: Value = serde_json::from_str(super::openapi::DOCUMENT).unwrap();
        let described: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
        let mut routes = super::table().map(|(path, _)| path);
        let mut described: Vec<&str> = described.into_iter().map(String::as_str).collect();
        routes.sort_unstable();
        described.sort_unstable();
        assert_eq!(routes.as_slice(), described);
    }
}

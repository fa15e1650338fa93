//! What orchestrators and collectors ask.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use crate::access::{Caller, Scope, Viewer};
use crate::problem::Problem;
use crate::state::Web;

pub(crate) fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
}

/// The server answers. Nobody has to say who asks.
async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// The server can record what is read, and so can show it. Why it cannot is for those who may see
/// the system.
async fn ready(
    State(web): State<Arc<Web>>,
    Extension(Caller(viewer)): Extension<Caller>,
) -> Response {
    let health = web.logger.health().await;
    let (code, status) = if health.is_ready() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    let mut answer = json!({ "status": status });
    if viewer.is_some_and(|viewer| viewer.may_see_system()) {
        answer["reason"] = json!(health.reason);
    }
    (code, Json(answer)).into_response()
}

/// The numbers of the process, in Prometheus' text format.
async fn metrics(viewer: Viewer, State(web): State<Arc<Web>>) -> Result<Response, Problem> {
    viewer.needs(Scope::Viewer)?;
    let Some(render) = &web.metrics else {
        return Err(Problem::not_found("this server collects no metrics"));
    };
    web.logger.publish_metrics();
    let mut response = render.render().into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    Ok(response)
}

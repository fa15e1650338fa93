use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use crate::state::Web;

/// Counts an answer, and how long it took. What stands in labels is from short lists: whoever asks
/// could else make numbers without end.
pub(super) async fn count(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let method = name_of(request.method());
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or_else(|| "none".to_owned(), |route| route.as_str().to_owned());
    let begun = web.clock.monotonic();
    let response = next.run(request).await;
    let took = web.clock.monotonic().saturating_sub(begun);
    let status = response.status().as_u16().to_string();
    metrics::histogram!("audit_web_request_seconds", "method" => method, "route" => route.clone())
        .record(took);
    metrics::counter!(
        "audit_web_requests_total",
        "method" => method, "route" => route, "status" => status
    )
    .increment(1);
    response
}

fn name_of(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        _ => "other",
    }
}

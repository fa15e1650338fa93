use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use crate::problem::Problem;

/// How long a request may take until its answer begins. No question to the store may take as long; a
/// body that comes byte by byte would.
const PATIENCE: Duration = Duration::from_secs(60);

/// Gives up a request that does not come to its end: it would hold a connection for ever.
pub(super) async fn give_up(request: Request, next: Next) -> Result<Response, Problem> {
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => Ok(response),
        Err(_) => {
            let detail = "the request took too long to arrive or to be answered";
            Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "too-slow",
                detail,
            ))
        }
    }
}

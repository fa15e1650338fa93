use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::address::{self, Address};
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::Web;

/// Says to all behind it who asks.
pub(super) async fn identify(
    State(web): State<Arc<Web>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let address = address::of(&web, &request);
    let caller =
        Caller::of(&web, request.headers(), address).map_err(|error| Problem::no_tokens(&error))?;
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(Address(address));
    Ok(next.run(request).await)
}

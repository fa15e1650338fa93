use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::address;
use crate::access::Caller;
use crate::problem::Problem;
use crate::state::Web;

/// Holds an address to its rate, before anything is looked up for it.
pub(super) async fn limit_address(
    State(web): State<Arc<Web>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let address = neighborhood(address::of(&web, &request));
    let taken = web.by_address.take(address, web.clock.monotonic());
    taken.map_err(too_many_requests)?;
    Ok(next.run(request).await)
}

/// Holds a token to its rate, from wherever it is used.
pub(super) async fn limit_token(
    State(web): State<Arc<Web>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = request.extensions().get::<Caller>();
    if let Some(Caller(Some(viewer))) = caller {
        let taken = web
            .by_token
            .take(viewer.name().clone(), web.clock.monotonic());
        taken.map_err(too_many_requests)?;
    }
    Ok(next.run(request).await)
}

/// Who shares a rate: of IPv6 the network, of which a single customer has a whole one.
pub(crate) fn neighborhood(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

/// Too much was asked: when to ask again, in whole seconds.
pub(crate) fn too_many_requests(after: Duration) -> Problem {
    let seconds = after.as_secs() + 1;
    let detail = format!("too many requests: try again in {seconds} s");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail)
        .header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

//! What every request passes before its handler sees it, and every answer on its way back.

mod address;
mod count;
mod cross_site;
mod headers;
mod host;
mod identify;
mod pages;
mod patience;
mod rate;
mod refusals;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};

use crate::state::Web;

pub(crate) use address::Address;
pub use host::Hosts;
pub(crate) use rate::{neighborhood, too_many_requests};

/// Puts the guards before all routes.
pub(crate) fn guarded(router: Router<Arc<Web>>, web: &Arc<Web>, hosts: Hosts) -> Router<Arc<Web>> {
    let hosts = Arc::new(hosts);
    // The layer that is added last is the outermost.
    router
        .layer(from_fn(refusals::explain))
        .layer(from_fn(cross_site::refuse))
        .layer(from_fn_with_state(Arc::clone(web), rate::limit_token))
        .layer(from_fn_with_state(Arc::clone(web), identify::identify))
        .layer(from_fn_with_state(Arc::clone(web), rate::limit_address))
        .layer(from_fn_with_state(hosts, host::refuse_others))
        .layer(from_fn(patience::give_up))
        .layer(from_fn(pages::show_problems))
        .layer(from_fn(headers::protect))
        .layer(from_fn_with_state(Arc::clone(web), count::count))
}

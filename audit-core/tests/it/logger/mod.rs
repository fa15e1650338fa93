//! The logger: what it promises to a gateway.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that unwraps an error fails"
)]

mod begin;
mod bounds;
mod deadline;
mod durability;
mod endings;
mod intents;
mod losses;
mod model;
mod numbers;
mod outage;
mod panics;
mod record;
mod runtimes;
mod scrub;
mod scrub_places;
mod search;
mod shared_call;
mod shed;
mod shutdown;
mod shutdown_edges;
pub(crate) mod support;

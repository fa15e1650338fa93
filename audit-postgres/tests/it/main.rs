//! The store against real servers, which `audit_testkit::postgres` finds.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test panics to say that it failed"
)]

mod answers;
mod by_hand;
mod conformance;
mod corpora;
mod database;
mod faults;
mod following;
mod limits;
mod plans;
mod poolers;
mod sqlstates;
mod tls;

//! The store against real servers, which `audit_testkit::postgres` finds.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test panics to say that it failed"
)]

mod conformance;
mod database;
mod faults;
mod poolers;
mod sqlstates;
mod tls;

//! The server as its clients see it: over a loopback port, with a store in memory.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod api;
mod browser;
mod dashboard;
mod ingest;
mod listening;
mod login;
mod openapi;
mod scopes;
mod stream;
mod support;

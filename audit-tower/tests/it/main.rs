//! What the layer promises, with services in the hand and over real connections.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod bodies;
mod capture;
mod claims;
mod endings;
mod full;
mod property;
mod server;
mod service;
mod spans;
mod support;

//! The binary as users run it: what it prints where, and how it ends.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod asking;
mod demo;
mod errors;
mod real_mcp;
mod serve;
mod store;

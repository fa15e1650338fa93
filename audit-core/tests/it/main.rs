//! The tests of `audit-core` that need other crates of the workspace.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod filter;
mod filter_terms;
mod forward;
mod grammar;
mod json;
mod logger;
mod pages;
mod recorder;
mod sink;
mod statistics;

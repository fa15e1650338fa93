//! The memory store keeps the contract, and its own promises beyond it.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod bounds;
mod conformance;
mod waiting;

//! The suite, tested: intact sinks pass every case, and each case catches a broken one.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod broken;
mod faults;
mod generators;
#[cfg(feature = "postgres")]
mod postgres;
mod wrappers;

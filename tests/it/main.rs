//! Scenarios that need more than one crate.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod browser;
mod crash;
mod gateway;
mod gateway_load;
mod logger_faults;
mod proxy;
mod readme;
mod spool_faults;

//! Everything against a real server.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod database;
mod migrations;
mod partitions;

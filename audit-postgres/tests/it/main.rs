//! Everything against a real server.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod database;
mod dead_letters;
mod interrupt;
mod migrations;
mod partitions;
mod retention;
mod roles;
mod seed;

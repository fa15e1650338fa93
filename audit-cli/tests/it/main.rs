//! The binary as users run it: what it prints where, and how it ends.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod asking;
mod configuring;
mod dead_letters;
mod demo;
mod errors;
mod exporting;
mod following;
mod foreign;
mod importing;
mod interrupting;
mod keeping;
mod postgres;
mod real_mcp;
mod redacting;
mod secret;
mod serve;
mod spooling;
mod store;

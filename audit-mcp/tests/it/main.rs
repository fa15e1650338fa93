//! MCP on record.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that unwraps an error fails"
)]

mod conversation;
mod relay;
mod service;

//! The gateway over real HTTP: each kind of call, and what is on record of it.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that unwraps an error fails"
)]

mod audit_failure;
mod bodies;
mod calls;
mod decisions;
mod endings;
mod secrets;
mod stage;
mod write_ahead;

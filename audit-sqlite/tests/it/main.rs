//! The store against files of its own.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test panics to say that it failed"
)]

mod database;

mod answers;
mod conformance;
mod damage;
mod dead_letters;
mod disk;
mod files;
mod limits;
mod migrations;
mod plans;
mod processes;
mod retention;
mod spool;

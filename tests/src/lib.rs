//! What the scenarios and the benches share, and the proof by crash.

pub mod bench;
pub mod crash;
pub mod ingest_table;
pub mod server;
pub mod workload;

#[cfg(doctest)]
mod misuse;

/// README's program, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

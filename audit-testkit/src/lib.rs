//! What somebody needs who writes an audit sink: a conformance suite, a mock, ready events,
//! a clock that stands still, generators and faults.
//!
//! # Testing a sink of one's own
//! One line in the sink's tests makes a test of every promise of
//! [`AuditSink`](audit_core::sink::AuditSink) and
//! [`AuditReader`](audit_core::reader::AuditReader):
//!
//! ```
//! use audit_memory::MemoryStore; // a sink of your own
//! use audit_testkit::Subject;
//!
//! async fn open() -> Subject {
//!     let store = MemoryStore::new(); // a new, empty store for each test
//!     Subject::new(store.clone(), store)
//! }
//!
//! audit_testkit::conformance!(my_sink, open);
//! # // A doctest is built without its tests: run a case by hand, so that this page is true.
//! # audit_testkit::conformance::run("appending_again_changes_nothing", open);
//! ```
//!
//! `cargo test my_sink` then lists `my_sink::appending_again_changes_nothing` and the rest of
//! [`CASES`](conformance::CASES). A sink that can be killed and opened again, that can be made to
//! fail, or that cannot do all that is asked, implements [`Harness`] and says so in one
//! [`Capabilities`] value.
//!
//! # The pieces
//! - [`mod@conformance`]: the suite, and [`conformance!`] that makes a test of each case;
//!   [`Harness`], [`Subject`], [`Capabilities`] say what is tested.
//! - [`MockAuditSink`], [`MockAuditReader`]: mocks by mockall, to tell a gateway what its sink
//!   answers.
//! - [`FaultySink`]: a wrapper that fails, delays, hangs, tears and panics on a written
//!   [`FaultPlan`].
//! - [`fixture`]: ready events; [`strategy`]: any event and any question, for proptest.
//! - [`ManualClock`], [`SequentialIds`]: time and ids that a test owns.
//! - `SmallDisk`: a disk that is soon full.
//! - `mcp`: an MCP server that fails, hangs, dies and answers too much.
//! - `postgres`: a Postgres for tests, servers to kill, and a network to cut.
//!
//! # Features
//! | feature | what it adds |
//! |---|---|
//! | `disk` | `SmallDisk`; wants Unix |
//! | `mcp` | the module `mcp`; brings rmcp |
//! | `postgres` | `disk`, the module `postgres` and the program `audit-test-postgres`; brings sqlx and testcontainers, wants Rust 1.94 and Unix |
//!
//! No feature is on by default.
//!
//! # What it does not do
//! It knows no sink, and without a feature it starts no database and kills no process: the sink's
//! own harness does.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "a case panics to say that a promise is broken"
)]

pub mod conformance;
pub mod fixture;
#[cfg(feature = "mcp")]
pub mod mcp;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod strategy;

mod capabilities;
mod cases;
mod clock;
mod expect;
mod fault;
mod gate;
mod harness;
mod mock;
mod model;
mod opened;
#[cfg(feature = "disk")]
mod small_disk;

pub use capabilities::Capabilities;
pub use clock::{ManualClock, SequentialIds};
pub use fault::{FaultPlan, FaultySink};
pub use gate::Gate;
pub use harness::{Harness, Subject};
pub use mock::{MockAuditReader, MockAuditSink};
#[cfg(feature = "disk")]
pub use small_disk::SmallDisk;

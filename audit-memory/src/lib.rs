//! A bounded audit store in memory: what CI swaps in for a database.
//!
//! [`MemoryStore`] is an [`AuditSink`](audit_core::sink::AuditSink) and an
//! [`AuditReader`](audit_core::reader::AuditReader) at once, keeps the whole contract of both, and
//! has two helpers for assertions: [`recorded`](MemoryStore::recorded) gives what was stored in
//! the order in which it was, and [`wait_for`](MemoryStore::wait_for) waits until that is as a
//! test wants it, without sleeping.
//!
//! ```
//! use audit_core::event::{AuditEvent, EventId, Method, Outcome, Seq, Timestamp, WriterId};
//! use audit_core::sink::AuditSink;
//! use audit_memory::MemoryStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let ts = Timestamp::from_micros(1_700_000_000_000_000)?;
//! let event = AuditEvent::draft(Method::tools_call())
//!     .ts(ts)
//!     .id(EventId::new(ts, 7))
//!     .outcome(Outcome::Ok)
//!     .stamp(WriterId::new("gateway-1")?, Seq::FIRST)?;
//!
//! let store = MemoryStore::new();
//! let appended = store.append(std::slice::from_ref(&event)).await?;
//! assert!(appended.is_all_kept());
//! assert_eq!(store.recorded(), [event]);
//! # Ok(())
//! # }
//! ```
//!
//! # What it does not do
//! It keeps nothing beyond its process. [`durability`](audit_core::sink::AuditSink::durability)
//! says [`Committed`](audit_core::sink::Durability::Committed) all the same, because memory *is*
//! its last store and there is no safer place on the way that a caller could wait for.

mod config;
mod log;
mod position;
mod reader;
mod sink;
mod store;

pub use config::{MemoryConfig, WhenFull};
pub use store::MemoryStore;

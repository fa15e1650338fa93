//! Audit trail for tool gateways: the record of who called which tool, when, with what decision and
//! what outcome. This crate has the event, payload safety, the contracts of sinks and readers, and
//! the logger; a sink of another crate keeps the events.
//!
//! ```
//! use audit_core::event::{EventDraft, Method, Outcome, ToolName};
//! use audit_core::{AuditLogger, AuditSink};
//!
//! async fn serve(sink: impl AuditSink) -> Result<(), Box<dyn std::error::Error>> {
//!     let logger = AuditLogger::builder(sink).build()?;
//!     // Room for the record is reserved before the tool runs.
//!     let draft = EventDraft::new(Method::tools_call()).tool_name(ToolName::new("search")?);
//!     let mut call = logger.begin(draft).await?;
//!     call.request_json(r#"{"query":"audit"}"#);
//!     // … the tool runs; should this task end here, the record says `aborted` …
//!     call.response_json(r#"{"hits":3}"#);
//!     call.finish(Outcome::Ok).await?;
//!     Ok(())
//! }
//! ```
//!
//! # The pieces
//! - [`event`]: [`AuditEvent`] and its builder, one type a field; the JSON form, field by field.
//! - [`payload`]: what a request or response may leave behind: redacted, bounded, with a report.
//! - [`sink`]: where events go, the contract [`AuditSink`]; sinks around sinks: to several
//!   ([`FanOut`](sink::FanOut)), once more ([`Retry`](sink::Retry)), to the log as well
//!   ([`TeeLog`](sink::TeeLog)).
//! - [`reader`]: asking back, the contract [`AuditReader`]: pages, filters, statistics, following.
//! - [`logger`]: from a call to its durable record, [`AuditLogger`].
//! - [`Clock`] and [`IdSource`]: time and ids come from outside, so that tests own them.
//!
//! # What it does not do
//! It knows no database, no HTTP and no MCP, and it has no global state: each logger, and
//! each sink of a fan-out, has one task on the tokio runtime that it is given.

pub mod event;
pub mod payload;

pub mod reader;
pub mod sink;

pub mod logger;

mod backoff;
mod clock;
mod contain;
mod error;
mod glob;
mod ids;
mod meter;
mod runtime;
mod trouble;
mod visible;

pub use backoff::Backoff;
pub use clock::{Clock, SystemClock};
pub use error::{Error, ErrorKind};
pub use event::AuditEvent;
pub use glob::Glob;
pub use ids::{IdSource, MonotonicIds};
pub use logger::AuditLogger;
pub use reader::AuditReader;
pub use sink::AuditSink;
pub use visible::{visible, visible_json};

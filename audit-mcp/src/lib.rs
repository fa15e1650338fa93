//! MCP on record.

pub mod classify;
pub mod draft;
pub mod message;
mod service;
pub mod summary;

mod digest;
mod json;

pub use service::{Audited, AuditedHandler, Caller};

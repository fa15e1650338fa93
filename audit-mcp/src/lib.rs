//! MCP on record.

pub mod classify;
pub mod draft;
pub mod message;
mod service;

mod json;

pub use service::{Audited, AuditedHandler, Caller};

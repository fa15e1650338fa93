//! MCP on record.

pub mod classify;
pub mod conversation;
pub mod draft;
pub mod message;
pub mod relay;
mod service;
pub mod summary;

mod digest;
mod json;
mod scan;

pub use service::{Audited, AuditedHandler, Caller};

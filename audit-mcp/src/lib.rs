//! MCP on record.

pub mod classify;
pub mod draft;
pub mod message;
pub mod summary;

mod digest;
mod json;

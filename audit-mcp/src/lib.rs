//! MCP on record.

pub mod classify;
pub mod draft;
pub mod message;

mod json;

//! MCP on record.

pub mod classify;

mod json;

//! Audit trail for tool gateways.

pub mod event;
pub mod payload;
pub mod reader;
pub mod sink;

mod error;

pub use error::{Error, ErrorKind};

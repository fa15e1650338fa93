//! Audit trail for tool gateways.

pub mod event;
pub mod logger;
pub mod payload;
pub mod reader;
pub mod sink;

mod clock;
mod error;
mod ids;

pub use clock::{Clock, SystemClock};
pub use error::{Error, ErrorKind};
pub use event::AuditEvent;
pub use ids::{IdSource, MonotonicIds};
pub use logger::AuditLogger;
pub use reader::AuditReader;
pub use sink::AuditSink;

//! What somebody needs who writes an audit sink: a mock, ready events, a clock that stands
//! still, generators and faults.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "what a test asks for wrongly panics"
)]

pub mod fixture;
pub mod strategy;

mod clock;
mod fault;
mod gate;
mod mock;

pub use clock::{ManualClock, SequentialIds};
pub use fault::{FaultPlan, FaultySink};
pub use gate::Gate;
pub use mock::{MockAuditReader, MockAuditSink};

//! From a call to its durable record.
//!
//! An [`AuditLogger`] reserves room for a call's record before the tool runs
//! ([`begin`](AuditLogger::begin)), so that its outcome can always be recorded; the guard that it
//! returns ([`OpenCall`]) records `aborted` if it is dropped without an outcome. Records are
//! numbered without a gap and stored in batches: while one batch is being written, the next one
//! fills, and no timer is needed when nothing goes on.
//!
//! How safely a call is kept, and whether the attempt is on record before its tool runs, is said
//! by an [`AuditPolicy`].

mod acknowledgement;
mod audit_logger;
mod batch;
mod batcher;
mod builder;
mod call;
mod counters;
mod intent;
mod last_answers;
mod loss;
pub mod metrics;
mod policy;
mod queue;
mod room;
mod shared_call;
mod shutdown;
mod stamper;

pub use acknowledgement::{Acknowledgement, Acknowledgements, Recorded};
pub use audit_logger::AuditLogger;
pub use builder::{AuditLoggerBuilder, Overload};
pub use call::OpenCall;
pub use counters::LoggerCounters;
pub use intent::IntentLog;
pub use loss::{LOSS_METHOD, LOSS_ROLE, Loss, LossReason};
pub use policy::{AuditPolicy, PolicyRule};
pub use shared_call::SharedCall;
pub use shutdown::ShutdownReport;

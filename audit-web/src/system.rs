//! What whoever runs a server tells it about the store, so that the server need not know which one it
//! is.

use std::fmt::Debug;

use async_trait::async_trait;
use audit_core::event::{EventId, Timestamp};
use audit_core::sink::Health;

/// Knows how the system is: the store, what waits for it, and what it refused.
///
/// # Contract
/// It is asked for each view of the system page and each check of health, by several tasks at once.
/// It answers within seconds, and tells what it could not find out as a problem of the report. It
/// holds neither payloads nor keys.
///
/// # Cancel safety
/// The future may be dropped at any await.
#[async_trait]
pub trait SystemStatus: Debug + Send + Sync + 'static {
    /// How the system is now.
    async fn report(&self) -> SystemReport;
}

/// How a system is: whatever it has of these parts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SystemReport {
    /// The store, as its user names it, without passwords.
    pub store: Option<String>,
    /// The version of the store's schema.
    pub schema: Option<String>,
    /// Where events go, one line for each sink.
    pub sinks: Vec<SinkStatus>,
    /// What waits in memory.
    pub queue: Option<QueueStatus>,
    /// What waits on the disk of this machine.
    pub spool: Option<SpoolStatus>,
    /// What was refused for good.
    pub dead_letters: Option<DeadLetterStatus>,
    /// The parts of the table, the oldest first.
    pub partitions: Vec<PartitionStatus>,
    /// What could not be found out, and why.
    pub problems: Vec<String>,
}

/// One sink.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever runs a server makes it")]
pub struct SinkStatus {
    /// Its name.
    pub name: String,
    /// Whether it takes events.
    pub health: Health,
}

/// What waits in memory.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "whoever runs a server makes it")]
pub struct QueueStatus {
    /// Events that wait or are being written.
    pub n_events: u64,
    /// The bytes that they take.
    pub n_bytes: u64,
    /// Calls that have begun and not ended.
    pub n_open_calls: u64,
}

/// What waits on the disk of this machine for a store.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "whoever runs a server makes it")]
pub struct SpoolStatus {
    /// Events that wait.
    pub n_events: u64,
    /// The bytes that they take.
    pub n_bytes: u64,
    /// When the oldest of these calls began.
    pub oldest: Option<Timestamp>,
}

/// What a store refused for good.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "whoever runs a server makes it")]
pub struct DeadLetterStatus {
    /// How many there are, as far as was counted.
    pub n_events: u64,
    /// Whether there are more.
    pub is_capped: bool,
    /// The latest of them.
    pub latest: Vec<DeadLetterLine>,
}

/// One event that was refused, without its content.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever runs a server makes it")]
pub struct DeadLetterLine {
    /// Which event.
    pub event_id: EventId,
    /// When it was set aside.
    pub set_aside_at: Timestamp,
    /// Why.
    pub reason: String,
}

/// One part of a store's table.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever runs a server makes it")]
pub struct PartitionStatus {
    /// Its name.
    pub name: String,
    /// The first moment in it.
    pub from: Timestamp,
    /// The first moment behind it.
    pub to: Timestamp,
    /// The bytes that it takes.
    pub n_bytes: u64,
    /// Roughly how many events it holds.
    pub n_events: u64,
    /// Who holds it back from retention.
    pub held_by: Vec<String>,
}

//! The production store of audit events: table `audit_events` in PostgreSQL 14 or newer.
//!
//! [`PostgresSink`] appends and [`PostgresReader`] answers, each with a pool and a role of its own;
//! [`PostgresMaintainer`] makes the schema and keeps it: migrations, [`Roles`], [`Partitions`],
//! [`Holds`], [`Retention`], [`DeadLetters`].
//!
//! ```no_run
//! use audit_core::AuditLogger;
//! use audit_postgres::{PostgresConfig, PostgresMaintainer, PostgresSink};
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let config = PostgresConfig::from_url("postgres://gateway@db.internal/audit?sslmode=verify-full")?;
//! PostgresMaintainer::connect(&config).await?.migrate().await?;
//! let logger = AuditLogger::builder(PostgresSink::connect(&config).await?).build()?;
//! # drop(logger);
//! # Ok(())
//! # }
//! ```
//!
//! # What `Ok` means here
//! When [`append`](audit_core::AuditSink::append) answers `Ok`, the server has committed with
//! `synchronous_commit` at least `local`: the events survive the kill of both sides, and the loss
//! of power as far as the server's `fsync` and disks do.
//!
//! # What it does not do
//! It holds no queue and tries nothing again by itself beyond what one append needs: that is what
//! the logger is for.

mod adoption;
mod config;
mod dead_letter;
mod error;
mod hold;
mod kept;
mod maintainer;
mod partition;
mod pool;
mod reader;
mod retention;
mod roles;
mod row;
mod schema;
mod seed;
mod sink;
mod sqlstate;

pub use config::{Pooler, PostgresConfig};
pub use dead_letter::{DeadLetter, DeadLetters};
pub use hold::{Hold, Holds};
pub use maintainer::PostgresMaintainer;
pub use partition::{Partition, PartitionWidth, Partitions};
pub use reader::PostgresReader;
pub use retention::{
    Fate, PlannedPartition, RemovedPartition, Retention, RetentionPlan, RetentionPolicy,
    RetentionReport,
};
pub use roles::Roles;
pub use schema::SchemaMigration;
pub use sink::PostgresSink;

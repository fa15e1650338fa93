//! The embedded store of audit events: table `audit_events` in one SQLite file.
//!
//! [`SqliteStore`] appends and answers; [`SqliteReader`] only answers, for whoever looks at the
//! file of another process. The store also hands out [`Holds`], [`Retention`] and [`DeadLetters`].
//!
//! ```no_run
//! use audit_core::AuditLogger;
//! use audit_sqlite::{SqliteConfig, SqliteStore};
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let store = SqliteStore::open(&SqliteConfig::new("/var/lib/gateway/audit.db")).await?;
//! if let Some(damage) = store.set_aside() {
//!     eprintln!("the file was damaged, and is now {}", damage.path.display());
//! }
//! let logger = AuditLogger::builder(store.clone()).build()?;
//! # drop(logger);
//! # Ok(())
//! # }
//! ```
//!
//! # What `Ok` means here
//! When [`append`](audit_core::AuditSink::append) answers `Ok`, the events are committed in the
//! write-ahead log of the file, and that was flushed to the disk (WAL, `synchronous=FULL`): they
//! survive the kill of the process, and the loss of power as far as the disk keeps what it said it
//! had flushed. Callers at the same time share a commit.
//!
//! # The files
//! Beside `audit.db` stand `audit.db-wal` and `audit.db-shm` while it is in use, which belong to
//! it and must move with it, and `audit.db-lock`, which is empty: who has the file open holds a
//! lock on it, so that nobody sets aside what another one uses. All are made for their owner alone
//! (mode 0600). The file must lie on a disk of this machine: SQLite's log does not work over a
//! network.
//!
//! A damaged file is set aside as `audit.db.damaged-…`, a new one is begun, and an event of the
//! method [`DAMAGE_METHOD`] in the new one says so.
//!
//! # The spool
//! [`Spool`] is another thing: a log on the local disk ahead of a store that may be slow, down or
//! far away, such as Postgres. It keeps nothing but what is on its way.
//!
//! ```no_run
//! use audit_core::AuditLogger;
//! use audit_core::AuditSink;
//! use audit_sqlite::{Spool, SpoolConfig};
//!
//! # async fn serve(postgres: impl AuditSink) -> Result<(), Box<dyn std::error::Error>> {
//! let spool = Spool::open(SpoolConfig::new("/var/lib/gateway/spool"), postgres).await?;
//! let logger = AuditLogger::builder(spool.clone()).intents(spool).build()?;
//! # drop(logger);
//! # Ok(())
//! # }
//! ```
//!
//! # What it does not do
//! A store holds no queue and tries nothing again by itself: that is what the logger is for. It does
//! not shrink the file: what retention frees is used for new events. It gives no disk a deadline: an
//! append waits as long as a flush takes, and may be dropped meanwhile.

mod config;
mod connection;
mod damage;
mod dead_letter;
mod error;
mod file;
mod hold;
mod lock;
mod pool;
mod reader;
mod result_code;
mod retention;
mod row;
mod schema;
mod sink;
mod spool;
mod store;

pub use config::SqliteConfig;
pub use damage::{DAMAGE_METHOD, DAMAGE_ROLE, SetAside};
pub use dead_letter::{DeadLetter, DeadLetters};
pub use hold::{Hold, Holds};
pub use reader::SqliteReader;
pub use retention::{
    Fate, PlannedStretch, Retention, RetentionPlan, RetentionPolicy, RetentionReport,
};
pub use spool::{Spool, SpoolConfig, SpoolFile, SpooledDeadLetter};
pub use store::SqliteStore;

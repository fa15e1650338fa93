//! A Postgres for tests, and what makes it fail. Behind the feature `postgres`.
//!
//! # A database for each test
//! ```no_run
//! use audit_testkit::postgres::TestDatabase;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let database = TestDatabase::create().await?;
//! sqlx::query("SELECT 1").execute(database.pool()).await?;
//! database.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where the server comes from
//! The first of these that works; [`TestPostgres`] says which one it was.
//!
//! 1. `url`: `AUDIT_TEST_DATABASE_URL` names it. Its user must be allowed to create databases.
//! 2. `docker`: a container of the image `postgres`, through testcontainers. The tag is in
//!    `AUDIT_TEST_POSTGRES_TAG`, or 15.
//! 3. `local`: the programs `initdb` and `postgres` of this machine make a cluster in a temporary
//!    folder (`TMPDIR`, which the user `postgres` or `nobody` must be able to enter if root runs
//!    the tests). `AUDIT_TEST_POSTGRES_BIN` names their folder if they are in an unusual one.
//!
//! `AUDIT_TEST_POSTGRES` set to one of these words allows no other way. A test without a server
//! fails, and says what to install.
//!
//! Each process has a server of its own, and it goes with the process, also by `kill -9`. Since
//! cargo-nextest runs every test in a process of its own, let `cargo xtask test` start one server
//! for all of them; under plain nextest every test waits for a server to be started.
//!
//! # Faults
//! A server of one's own takes the programs of a server on this machine, also where the shared one
//! is in Docker.
//!
//! - [`LocalCluster`]: a server of the test's own, to be killed, restarted and promoted; with TLS.
//! - [`TcpProxy`]: a network that is cut, reset, stalled or refused, at an exact [`Moment`].
//! - [`PgBouncer`]: connections that are not one's own for longer than a transaction.
//! - [`SmallDisk`](crate::SmallDisk): a disk that is soon full. Takes root's rights.

mod account;
mod cluster;
mod cluster_builder;
mod connect;
mod crash;
mod database;
mod docker;
mod error;
mod pgbouncer;
mod port;
mod programs;
mod proxy;
mod server;
mod settings;
mod small_disk;
mod supervisor;
mod tls;
mod via;
mod wait;
mod word;

pub use cluster::LocalCluster;
pub use cluster_builder::LocalClusterBuilder;
pub use database::TestDatabase;
pub use error::PostgresError;
pub use pgbouncer::PgBouncer;
pub use proxy::{Direction, Fault, Message, Moment, TcpProxy, Trip};
pub use server::TestPostgres;
pub use via::Via;

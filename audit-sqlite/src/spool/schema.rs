use std::path::Path;
use std::time::Duration;

use audit_core::{Error, ErrorKind};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqliteConnection};

use crate::error::convert;

/// One file of a spool.
///
/// A batch is one row, and its events one text: on its way through, nobody looks for a single
/// event, and a row an event would cost several times as much.
const SCHEMA: &str = "
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS batches (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    n_events INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    -- When the first of its calls began, and when it was spooled; microseconds since 1970.
    oldest INTEGER NOT NULL,
    spooled_at INTEGER NOT NULL,
    -- An event a line, in its JSON form.
    events BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS intents (
    id BLOB PRIMARY KEY,
    event TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead_letters (
    dead_letter_id INTEGER PRIMARY KEY AUTOINCREMENT,
    set_aside_at INTEGER NOT NULL,
    event_id BLOB,
    reason TEXT NOT NULL,
    event TEXT NOT NULL,
    UNIQUE (event_id, event)
) STRICT;
PRAGMA application_id = 0x61756473;
PRAGMA user_version = 1;
COMMIT;
";

const VERSION: i64 = 1;

/// A page takes more of a batch than SQLite's own 4 KiB, and less is written for a single event
/// than with the largest.
pub(super) const PAGE_BYTES: u32 = 8_192;

/// After how many pages the log is written back.
const CHECKPOINT_PAGES: &str = "4096";
/// What the log is cut down to when it was taken in.
const LOG_BYTES: &str = "67108864";

/// Opens a file for its only writer, and makes it what it should be.
pub(super) async fn open(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    options(path)
        .create_if_missing(true)
        .page_size(PAGE_BYTES)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", LOG_BYTES)
        .connect()
        .await
}

/// Opens a file to read from it, beside its writer.
pub(super) async fn open_to_read(path: &Path) -> Result<SqliteConnection, Error> {
    let opened = options(path).read_only(true).connect().await;
    opened.map_err(|error| convert("the spool cannot be read", &error))
}

/// Sees to it that the tables are there.
pub(super) async fn prepare(connection: &mut SqliteConnection) -> Result<(), Error> {
    const PREPARING: &str = "the tables of the spool cannot be made";
    let version = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection);
    let version: i64 = version.await.map_err(|error| convert(PREPARING, &error))?;
    if version > VERSION {
        return Err(Error::new(
            ErrorKind::Invalid,
            "the spool was written by a newer version of this program: use that one",
        ));
    }
    let prepared = sqlx::raw_sql(SCHEMA).execute(connection).await;
    prepared.map_err(|error| convert(PREPARING, &error))?;
    Ok(())
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(5))
        .thread_name(|number| format!("audit-spool-{number}"))
        .disable_statement_logging()
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .pragma("temp_store", "MEMORY")
}

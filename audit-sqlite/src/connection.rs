//! How connections are made.

use std::time::Duration;

use audit_core::{Error, ErrorKind};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::time::{Instant, sleep};

use crate::config::SqliteConfig;
use crate::error::is_busy;
use crate::file::{DatabaseFile, Identity, failed};

/// Makes connections to one file.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    pub(crate) file: DatabaseFile,
    options: SqliteConnectOptions,
    patience: Duration,
}

/// What the log is cut down to when it was taken in.
const LOG_BYTES: &str = "67108864";

impl Connector {
    /// For who writes: a commit is in the log, and the log on the disk, before it is answered.
    pub(crate) fn for_writer(file: &DatabaseFile, config: &SqliteConfig) -> Self {
        let options = options(file, config)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", LOG_BYTES);
        Self::new(file, config, options)
    }

    /// For who only reads: the file is opened for reading alone.
    pub(crate) fn for_reader(file: &DatabaseFile, config: &SqliteConfig) -> Self {
        Self::new(file, config, options(file, config).read_only(true))
    }

    fn new(file: &DatabaseFile, config: &SqliteConfig, options: SqliteConnectOptions) -> Self {
        Self {
            file: file.clone(),
            options,
            patience: config.busy_timeout,
        }
    }

    /// Connects. To turn a new file over to the log takes a moment alone that SQLite itself does
    /// not wait for.
    pub(crate) async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        const PAUSE: Duration = Duration::from_millis(10);
        let end = Instant::now() + self.patience;
        loop {
            match self.options.connect().await {
                Err(error) if is_busy(&error) && Instant::now() < end => sleep(PAUSE).await,
                connected => return connected,
            }
        }
    }

    /// Makes sure that the path still leads to this file: what is appended to a file without a
    /// name is gone with its last user.
    pub(crate) fn check_is_there(&self, identity: Identity) -> Result<(), Error> {
        let found = self.file.identity();
        let found = found.map_err(|error| failed("the file was moved or removed", error))?;
        if found == identity {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            "another file was put in the place of the store's: open the store again",
        ))
    }
}

fn options(file: &DatabaseFile, config: &SqliteConfig) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file.path())
        .busy_timeout(config.busy_timeout)
        .thread_name(|number| format!("audit-sqlite-{number}"))
        .disable_statement_logging()
        // A file that somebody prepared runs nothing of its own.
        .pragma("trusted_schema", "OFF")
        // Damage is noticed where it is met.
        .pragma("cell_size_check", "ON")
        // What is sorted holds what events hold: no file of it is left behind.
        .pragma("temp_store", "MEMORY")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn setting(connection: &mut SqliteConnection, pragma: &'static str) -> String {
        let value = sqlx::query_scalar(pragma).fetch_one(connection).await;
        value.unwrap()
    }

    #[tokio::test]
    async fn a_commit_is_flushed_and_a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let config = SqliteConfig::new(folder.path().join("audit.db"));
        let file = DatabaseFile::new(&config.path).unwrap();
        file.create_if_missing().unwrap();
        let writer = Connector::for_writer(&file, &config);
        let mut writer = writer.connect().await.unwrap();
        for (pragma, expected) in [
            ("SELECT journal_mode FROM pragma_journal_mode", "wal"),
            (
                "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous",
                "2",
            ),
            (
                "SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys",
                "1",
            ),
            (
                "SELECT CAST(timeout AS TEXT) FROM pragma_busy_timeout",
                "5000",
            ),
        ] {
            assert_eq!(setting(&mut writer, pragma).await, expected, "{pragma}");
        }
        let reader = Connector::for_reader(&file, &config);
        let mut reader = reader.connect().await.unwrap();
        let write = sqlx::query("CREATE TABLE t (x)").execute(&mut reader).await;
        let error = crate::error::convert("x", &write.unwrap_err());
        let why = std::error::Error::source(&error).unwrap().to_string();
        assert!(why.contains("read-only"), "{why}");
    }
}

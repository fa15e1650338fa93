//! The migrations: numbered, shipped in the crate, run in order and once each.

use audit_core::event::Timestamp;
use audit_core::{Clock as _, Error, ErrorKind, SystemClock};
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, SqliteConnection};

use crate::damage::{self, SetAside};
use crate::error::convert;
use crate::file::DatabaseFile;

/// One step of the schema.
struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($($version:literal: $number:literal $name:literal,)+) => {
        &[$(Migration {
            version: $number,
            name: $name,
            sql: include_str!(concat!("../migrations/", $version, "_", $name, ".sql")),
        },)+]
    };
}

/// Every migration, in the order in which they run.
const MIGRATIONS: &[Migration] = migrations! {
    "0001": 1 "audit_events",
    "0002": 2 "retention",
};

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing: it is new.
    Empty,
    /// A store of this crate's, with the migrations up to a number.
    Store { version: i64 },
}

const MIGRATING: &str = "the schema cannot be made";

/// Makes sure that a file holds a store of this version.
pub(crate) async fn check(connection: &mut SqliteConnection) -> Result<(), Error> {
    match state(connection).await? {
        State::Store { version } if version == newest() => Ok(()),
        _ => Err(Error::new(
            ErrorKind::Invalid,
            "the file holds no store of this version: open it for writing once, which makes one",
        )),
    }
}

/// Runs what did not run yet, in one transaction; in it, a store that is new is told which files
/// were set aside. Of two processes that do so at once, one waits for the other and then finds
/// nothing to do.
pub(crate) async fn migrate(
    connection: &mut SqliteConnection,
    file: &DatabaseFile,
    set_aside: Option<&SetAside>,
) -> Result<(), Error> {
    if state(connection).await? == (State::Store { version: newest() }) {
        return Ok(());
    }
    let failed = |error| convert(MIGRATING, &error);
    let begun = connection.begin_with("BEGIN IMMEDIATE").await;
    let mut transaction = begun.map_err(failed)?;
    // Somebody may have done it while this one waited.
    let state = state(&mut transaction).await?;
    if state == State::Empty {
        sqlx::raw_sql(
            "CREATE TABLE audit_migrations (
                version INTEGER PRIMARY KEY,
                name TEXT NOT NULL,
                -- SHA-256 of what was run.
                checksum BLOB NOT NULL,
                -- When, in microseconds since 1970.
                applied_at INTEGER NOT NULL
            ) STRICT",
        )
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    }
    let now = SystemClock::new().now();
    let done = match state {
        State::Empty => 0,
        State::Store { version } => version,
    };
    for migration in MIGRATIONS.iter().filter(|it| it.version > done) {
        let run = migration.run(&mut transaction, now).await;
        run.map_err(failed)?;
    }
    if state == State::Empty {
        damage::tell(&mut transaction, file, set_aside).await?;
    }
    transaction.commit().await.map_err(failed)
}

impl Migration {
    async fn run(
        &self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(self.sql).execute(&mut *connection).await?;
        sqlx::query(
            "INSERT INTO audit_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
        )
        .bind(self.version)
        .bind(self.name)
        .bind(self.checksum())
        .bind(now.as_micros())
        .execute(connection)
        .await?;
        Ok(())
    }

    fn checksum(&self) -> Vec<u8> {
        Sha256::digest(self.sql).to_vec()
    }
}

fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

async fn state(connection: &mut SqliteConnection) -> Result<State, Error> {
    let failed = |error| convert("the state of the schema cannot be read", &error);
    let (n_tables, is_store): (i64, bool) = sqlx::query_as(
        "SELECT count(*), coalesce(max(name = 'audit_migrations'), 0) FROM sqlite_schema
         WHERE type = 'table'",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(failed)?;
    if n_tables == 0 {
        return Ok(State::Empty);
    }
    if !is_store {
        return Err(Error::new(
            ErrorKind::Invalid,
            "the file is the database of something else: choose another path",
        ));
    }
    let query = sqlx::query_as("SELECT version, checksum FROM audit_migrations ORDER BY version");
    let done: Vec<(i64, Vec<u8>)> = query.fetch_all(connection).await.map_err(failed)?;
    for (version, checksum) in &done {
        check_known(*version, checksum)?;
    }
    let version = done.last().map_or(0, |(version, _)| *version);
    Ok(State::Store { version })
}

fn check_known(version: i64, checksum: &[u8]) -> Result<(), Error> {
    let invalid = |text| Err(Error::new(ErrorKind::Invalid, text));
    match MIGRATIONS.iter().find(|it| it.version == version) {
        None => invalid(format!(
            "the schema has migration {version}, which this version does not know: update it"
        )),
        Some(migration) if migration.checksum() != checksum => invalid(format!(
            "migration {version} ran with another text than this version has"
        )),
        Some(_) => Ok(()),
    }
}

//! The migrations: numbered, shipped in the crate, run in order and once each.

use std::borrow::Cow;

use audit_core::{Error, ErrorKind};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{PgConnection, SqlSafeStr as _};

use crate::error::convert;

/// Where the database keeps which of them ran. A name of our own: the database may be a
/// gateway's, which has migrations too.
const TABLE: &str = "audit_migrations";

macro_rules! migrations {
    ($($version:literal: $name:literal,)+) => {
        &[$(SchemaMigration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../migrations/", $version, "_", $name, ".sql")),
        },)+]
    };
}

/// Every migration, in the order in which they run.
const MIGRATIONS: &[SchemaMigration] = migrations! {
    "0001": "audit_events",
    "0002": "partitions",
    "0003": "retention",
    "0004": "summaries",
    "0005": "statistics",
};

/// One step of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaMigration {
    /// Its number, in four digits: they run in this order.
    pub version: &'static str,
    /// What it is about.
    pub name: &'static str,
    /// What is run, in one transaction.
    pub sql: &'static str,
}

impl SchemaMigration {
    fn number(&self) -> i64 {
        self.version.parse().unwrap_or(i64::MAX)
    }
}

/// The migrations that did not run yet. Changes nothing.
pub(crate) async fn pending(connection: &mut PgConnection) -> Result<Vec<SchemaMigration>, Error> {
    let failed = |error| convert("the state of the schema cannot be read", &error);
    let is_there: bool = sqlx::query_scalar(
        "SELECT to_regclass(format('%I.audit_migrations', current_schema())) IS NOT NULL",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(failed)?;
    let mut done: Vec<i64> = Vec::new();
    if is_there {
        let query = sqlx::query_scalar("SELECT version FROM audit_migrations WHERE success");
        done = query.fetch_all(connection).await.map_err(failed)?;
    }
    let is_pending = |migration: &&SchemaMigration| !done.contains(&migration.number());
    Ok(MIGRATIONS.iter().filter(is_pending).copied().collect())
}

/// Runs what did not run yet, up to a version if one is given. Of two that do so at once, one
/// waits for the other and then finds nothing to do.
pub(crate) async fn migrate(
    connection: &mut PgConnection,
    up_to: Option<&str>,
) -> Result<(), Error> {
    let number = |version: &str| {
        let known = MIGRATIONS.iter().find(|it| it.version == version);
        known
            .map(SchemaMigration::number)
            .ok_or_else(|| Error::new(ErrorKind::Invalid, "there is no migration of this number"))
    };
    let up_to = up_to.map(number).transpose()?;
    check_encoding(connection).await?;
    let done = migrator().run_direct(up_to, connection, false).await;
    done.map_err(|error| failure(&error))
}

/// Another encoding cannot hold every text, not even where the events that it refuses go.
async fn check_encoding(connection: &mut PgConnection) -> Result<(), Error> {
    let encoding: String = sqlx::query_scalar("SELECT current_setting('server_encoding')")
        .fetch_one(connection)
        .await
        .map_err(|error| convert("the encoding of the database cannot be read", &error))?;
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Invalid,
        format!("the encoding of the database is {encoding}: create one with UTF8"),
    ))
}

fn migrator() -> Migrator {
    let migration = |it: &SchemaMigration| {
        let description = Cow::Borrowed(it.name);
        Migration::new(
            it.number(),
            description,
            MigrationType::Simple,
            it.sql.into_sql_str(),
            false,
        )
    };
    let mut migrator = Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect());
    migrator.dangerous_set_table_name(TABLE);
    migrator
}

fn failure(error: &MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            convert("the schema cannot be migrated", error)
        }
        MigrateError::VersionMissing(version) => Error::new(
            ErrorKind::Invalid,
            format!(
                "the schema has migration {version}, which this version does not know: update it"
            ),
        ),
        MigrateError::VersionMismatch(version) => Error::new(
            ErrorKind::Invalid,
            format!("migration {version} ran with another text than this version has"),
        ),
        other => Error::new(
            ErrorKind::Internal,
            format!("the schema cannot be migrated: {other}"),
        ),
    }
}

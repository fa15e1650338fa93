use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use url::Url;

use super::PostgresError;

/// A connection of its own, outside of any pool.
pub(super) async fn connect(url: &str) -> Result<PgConnection, PostgresError> {
    PgConnection::connect(url)
        .await
        .map_err(PostgresError::because(format!(
            "cannot connect to the Postgres at {}",
            without_password(url)
        )))
}

/// Runs a statement that takes no values, such as `CREATE DATABASE`.
pub(super) async fn run_statement(url: &str, statement: String) -> Result<(), PostgresError> {
    let mut connection = connect(url).await?;
    let failed = PostgresError::because(format!("`{statement}` failed"));
    // Names in it are made by us.
    let done = connection.execute(AssertSqlSafe(statement)).await;
    drop(connection.close().await);
    done.map(drop).map_err(failed)
}

/// The same server, another database.
pub(super) fn with_database(url: &str, database: &str) -> Result<String, PostgresError> {
    let mut url: Url = url.parse().map_err(PostgresError::because(
        "the address of the Postgres for tests is no URL (postgres://USER:PASSWORD@HOST/DATABASE)",
    ))?;
    url.set_path(database);
    Ok(url.into())
}

/// An address as it may be shown.
pub(super) fn without_password(url: &str) -> String {
    let Ok(mut url) = url.parse::<Url>() else {
        return "an address that is no URL".to_owned();
    };
    // An address that can have no password has none.
    let _ = url.set_password(None);
    url.into()
}

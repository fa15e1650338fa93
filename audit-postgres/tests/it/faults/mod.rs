//! What breaks around a sink, each with a count at its end: acknowledged, stored, doubled.

mod disk;
mod failover;
mod killed;
mod locks;
mod network;
mod pool;
mod read_only;

mod ledger;

use std::time::Duration;

use audit_postgres::{PostgresConfig, PostgresMaintainer};
use audit_testkit::postgres::{LocalCluster, TestDatabase};
use sqlx::{AssertSqlSafe, PgPool};

/// A database with the schema on a server of the test's own.
pub(crate) async fn database_on(cluster: &LocalCluster) -> TestDatabase {
    let database = TestDatabase::create_on(&cluster.url()).await;
    let database = database.expect("the server answers");
    migrate(&database).await;
    database
}

/// A database with the schema on the server of all tests.
pub(crate) async fn database() -> TestDatabase {
    let database = TestDatabase::create().await.expect("a server for tests");
    migrate(&database).await;
    database
}

async fn migrate(database: &TestDatabase) {
    let maintainer = PostgresMaintainer::connect(&config(database.url())).await;
    let maintainer = maintainer.expect("the server answers");
    maintainer.migrate().await.expect("the schema can be made");
}

pub(crate) fn config(url: &str) -> PostgresConfig {
    let config = PostgresConfig::from_url(url).expect("the address is one of PostgreSQL");
    config.acquire_timeout(Duration::from_secs(2))
}

/// Runs statements that stand in the test.
pub(crate) async fn run(pool: &PgPool, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Waits for what must happen, but not for ever.
pub(crate) async fn soon<T>(what: &str, it: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(100);
    let happened = tokio::time::timeout(patience, it).await;
    happened.unwrap_or_else(|_| panic!("{what} did not come within {patience:?}"))
}

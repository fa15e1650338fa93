//! A database of its own for each test.

use audit_postgres::{PostgresConfig, PostgresMaintainer};
use audit_testkit::postgres::TestDatabase;
use sqlx::{AssertSqlSafe, PgPool};

/// A database with the schema.
pub(crate) struct Database(TestDatabase);

impl Database {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await.expect("a server for tests");
        let database = Self(database);
        let maintainer = PostgresMaintainer::connect(&database.config()).await;
        let migrated = maintainer.expect("the server answers").migrate().await;
        migrated.expect("the schema can be made");
        database
    }

    pub(crate) fn config(&self) -> PostgresConfig {
        PostgresConfig::from_url(self.0.url()).expect("the address is one of PostgreSQL")
    }

    /// Connections for what a test does by hand.
    pub(crate) fn pool(&self) -> &PgPool {
        self.0.pool()
    }

    /// Runs statements that stand in the test.
    pub(crate) async fn run(&self, sql: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.pool()).await;
        done.expect("the statement runs");
    }
}

//! A database of its own for each test.

use audit_core::event::AuditEvent;
use audit_core::sink::AuditSink;
use audit_postgres::{PostgresConfig, PostgresMaintainer, PostgresReader, PostgresSink};
use audit_testkit::postgres::TestDatabase;
use sqlx::{AssertSqlSafe, PgPool};
use url::Url;

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

    pub(crate) async fn sink(&self) -> PostgresSink {
        let sink = PostgresSink::connect(&self.config()).await;
        sink.expect("the schema is there")
    }

    pub(crate) async fn reader(&self) -> PostgresReader {
        let reader = PostgresReader::connect(&self.config()).await;
        reader.expect("the schema is there")
    }

    /// Connections for what a test does by hand.
    pub(crate) fn pool(&self) -> &PgPool {
        self.0.pool()
    }

    /// The same, with the rights of this role and no others.
    pub(crate) fn config_of(&self, role: &str) -> PostgresConfig {
        let mut url = Url::parse(self.0.url()).expect("an address");
        url.query_pairs_mut().append_pair("options[role]", role);
        PostgresConfig::from_url(url.as_str()).expect("the address is one of PostgreSQL")
    }

    /// Waits until so many of the database's sessions are in a state.
    pub(crate) async fn wait_for(&self, state: &str, n_sessions: i64) {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {state}"
        );
        let count = || sqlx::query_scalar::<_, i64>(AssertSqlSafe(sql.as_str()));
        let patience = std::time::Duration::from_secs(30);
        let wait = async {
            while count()
                .fetch_one(self.pool())
                .await
                .expect("it can be asked")
                < n_sessions
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(patience, wait)
            .await
            .expect("the sessions come into that state");
    }

    /// Runs statements that stand in the test.
    pub(crate) async fn run(&self, sql: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.pool()).await;
        done.expect("the statement runs");
    }
}

/// Appends events that must be kept.
pub(crate) async fn keep(sink: &PostgresSink, events: &[AuditEvent]) {
    let appended = sink.append(events).await.expect("the store works");
    assert!(appended.is_all_kept(), "{appended:?}");
}

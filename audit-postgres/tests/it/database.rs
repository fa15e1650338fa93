//! A database of its own for each test.

use std::sync::atomic::{AtomicU64, Ordering};

use audit_core::AuditSink;
use audit_core::event::{AuditEvent, EventId, Method, Outcome, Seq, Timestamp, WriterId};
use audit_postgres::{PostgresConfig, PostgresMaintainer, PostgresSink};
use sqlx::postgres::{PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use url::Url;

const VARIABLE: &str = "AUDIT_TEST_DATABASE_URL";

/// A database that one test has for itself.
pub(crate) struct Database {
    pub(crate) name: String,
    pub(crate) url: Url,
    admin_url: String,
    pub(crate) pool: PgPool,
}

impl Database {
    /// An empty one.
    pub(crate) async fn create() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let admin_url = std::env::var(VARIABLE)
            .unwrap_or_else(|_| panic!("{VARIABLE} must name a server to make databases on"));
        let name = format!(
            "audit_it_{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let mut admin = PgConnection::connect(&admin_url).await.unwrap();
        execute(&mut admin, &format!("CREATE DATABASE {name}")).await;
        admin.close().await.unwrap();
        let mut url = Url::parse(&admin_url).unwrap();
        url.set_path(&name);
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .connect_lazy(url.as_str())
            .unwrap();
        Self {
            name,
            url,
            admin_url,
            pool,
        }
    }

    /// One with the schema.
    pub(crate) async fn migrated() -> (Self, PostgresMaintainer) {
        let database = Self::create().await;
        let maintainer = database.maintainer().await;
        maintainer.migrate().await.unwrap();
        (database, maintainer)
    }

    pub(crate) fn config(&self) -> PostgresConfig {
        PostgresConfig::from_url(self.url.as_str()).unwrap()
    }

    /// As another user, with the password that is that user's name.
    pub(crate) fn config_of(&self, user: &str) -> PostgresConfig {
        PostgresConfig::from_url(self.url_of(user).as_str()).unwrap()
    }

    pub(crate) fn url_of(&self, user: &str) -> Url {
        let mut url = self.url.clone();
        url.set_username(user).unwrap();
        url.set_password(Some(user)).unwrap();
        url
    }

    pub(crate) async fn maintainer(&self) -> PostgresMaintainer {
        PostgresMaintainer::connect(&self.config()).await.unwrap()
    }

    pub(crate) async fn sink(&self) -> PostgresSink {
        PostgresSink::connect(&self.config()).await.unwrap()
    }

    pub(crate) async fn run(&self, sql: &str) {
        let mut connection = self.pool.acquire().await.unwrap();
        execute(&mut connection, sql).await;
    }

    pub(crate) async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
        (T,): for<'r> sqlx::FromRow<'r, PgRow>,
    {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&self.pool)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub(crate) async fn values<T>(&self, sql: &str) -> Vec<T>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
        (T,): for<'r> sqlx::FromRow<'r, PgRow>,
    {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_all(&self.pool)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub(crate) async fn drop(self) {
        self.pool.close().await;
        let mut admin = PgConnection::connect(&self.admin_url).await.unwrap();
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        execute(&mut admin, &sql).await;
        admin.close().await.unwrap();
    }
}

pub(crate) async fn execute(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

pub(crate) fn at(moment: &str) -> Timestamp {
    Timestamp::new(moment.parse().unwrap()).unwrap()
}

pub(crate) fn event_at(ts: Timestamp, number: u64) -> AuditEvent {
    AuditEvent::draft(Method::tools_call())
        .ts(ts)
        .id(EventId::new(ts, number))
        .outcome(Outcome::Ok)
        .stamp(WriterId::new("it").unwrap(), Seq::new(number).unwrap())
        .unwrap()
}

/// Appends an event of each moment.
pub(crate) async fn append_at(sink: &PostgresSink, moments: &[&str]) {
    let events: Vec<_> = (1..)
        .zip(moments)
        .map(|(number, moment)| event_at(at(moment), number))
        .collect();
    let appended = sink.append(&events).await.unwrap();
    assert!(appended.is_all_kept(), "{appended:?}");
}

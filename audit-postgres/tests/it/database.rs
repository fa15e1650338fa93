//! A database of its own for each test.

use audit_core::AuditSink;
use audit_core::event::{AuditEvent, EventId, Method, Outcome, Seq, Timestamp, WriterId};
use audit_postgres::{PostgresConfig, PostgresMaintainer, PostgresReader, PostgresSink, Roles};
use audit_testkit::postgres::{LocalCluster, TestDatabase};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use url::Url;

/// Roles that all databases of the tests share: they hold nothing beyond their database.
pub(crate) const WRITER: &str = "audit_test_writer";
pub(crate) const READER: &str = "audit_test_reader";

/// A database that one test has for itself.
pub(crate) struct Database {
    pub(crate) name: String,
    pub(crate) url: Url,
    pub(crate) pool: PgPool,
    inner: TestDatabase,
}

impl Database {
    /// An empty one.
    pub(crate) async fn create() -> Self {
        Self::from(TestDatabase::create().await.expect("a server for tests"))
    }

    /// An empty one on a server of the test's own.
    pub(crate) async fn create_on(cluster: &LocalCluster) -> Self {
        let inner = TestDatabase::create_on(&cluster.url()).await;
        Self::from(inner.expect("the server answers"))
    }

    fn from(inner: TestDatabase) -> Self {
        Self {
            name: inner.name().to_owned(),
            url: Url::parse(inner.url()).expect("an address"),
            pool: inner.pool().clone(),
            inner,
        }
    }

    /// One with the schema and its roles: what appends here has the writer's rights, and what
    /// reads has the reader's.
    pub(crate) async fn new() -> Self {
        let (database, maintainer) = Self::migrated().await;
        database.give_roles(&maintainer).await;
        database
    }

    /// One with the schema, and who made it.
    pub(crate) async fn migrated() -> (Self, PostgresMaintainer) {
        let database = Self::create().await;
        let maintainer = database.migrate().await;
        (database, maintainer)
    }

    /// One with the schema and its roles, on a server of the test's own.
    pub(crate) async fn migrated_on(cluster: &LocalCluster) -> Self {
        let database = Self::create_on(cluster).await;
        let maintainer = database.migrate().await;
        database.give_roles(&maintainer).await;
        database
    }

    pub(crate) async fn give_roles(&self, maintainer: &PostgresMaintainer) {
        let roles = Roles::default()
            .writer(WRITER)
            .and_then(|roles| roles.reader(READER))
            .and_then(|roles| roles.maintainer("audit_test_maintainer"));
        let given = maintainer
            .apply_roles(&roles.expect("names of roles"))
            .await;
        given.expect("the roles can be made");
    }

    /// Makes the schema.
    pub(crate) async fn migrate(&self) -> PostgresMaintainer {
        let maintainer = self.maintainer().await;
        maintainer.migrate().await.expect("the schema can be made");
        maintainer
    }

    pub(crate) fn config(&self) -> PostgresConfig {
        PostgresConfig::from_url(self.url.as_str()).expect("the address is one of PostgreSQL")
    }

    /// As another user, with the password that is that user's name.
    pub(crate) fn config_of(&self, user: &str) -> PostgresConfig {
        PostgresConfig::from_url(self.url_of(user).as_str()).unwrap()
    }

    /// With the rights of this role and no others.
    pub(crate) fn config_in_role(&self, role: &str) -> PostgresConfig {
        let url = self.url_in_role(role);
        PostgresConfig::from_url(&url).expect("the address is one of PostgreSQL")
    }

    /// Whoever has given the roles appends with the writer's rights.
    pub(crate) fn writer_url(&self) -> String {
        self.url_in_role(WRITER)
    }

    pub(crate) fn url_in_role(&self, role: &str) -> String {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("options[role]", role);
        url.into()
    }

    pub(crate) fn url_of(&self, user: &str) -> Url {
        let mut url = self.url.clone();
        url.set_username(user).unwrap();
        url.set_password(Some(user)).unwrap();
        url
    }

    /// The address of a user that can log in and has the rights of these roles and no others, for
    /// where no option can choose a role.
    pub(crate) async fn login(&self, roles: &str) -> Url {
        let user = format!("audit_test_{}", roles.replace(", ", "_and_"));
        self.run(&format!(
            "DO $$ BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{user}') THEN
                    CREATE ROLE {user} LOGIN PASSWORD '{user}' IN ROLE {roles};
                END IF;
            -- Somebody else was faster.
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$"
        ))
        .await;
        self.url_of(&user)
    }

    pub(crate) async fn maintainer(&self) -> PostgresMaintainer {
        let maintainer = PostgresMaintainer::connect(&self.config()).await;
        maintainer.expect("the server answers")
    }

    /// With the writer's rights, where there are roles.
    pub(crate) async fn sink(&self) -> PostgresSink {
        let sink = PostgresSink::connect(&self.config_by_rights(WRITER).await).await;
        sink.expect("the schema is there")
    }

    /// With the reader's rights, where there are roles.
    pub(crate) async fn reader(&self) -> PostgresReader {
        let reader = PostgresReader::connect(&self.config_by_rights(READER).await).await;
        reader.expect("the schema is there")
    }

    pub(crate) async fn config_by_rights(&self, role: &str) -> PostgresConfig {
        let sql = format!(
            "SELECT EXISTS (SELECT FROM pg_class, aclexplode(relacl) AS acl
             WHERE pg_class.oid = 'audit_events'::regclass
                AND acl.grantee = (SELECT oid FROM pg_roles WHERE rolname = '{role}'))"
        );
        if self.value::<bool>(&sql).await {
            return self.config_in_role(role);
        }
        self.config()
    }

    /// Connections for what a test does by hand.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Waits until so many of the database's sessions are in a state.
    pub(crate) async fn wait_for(&self, state: &str, n_sessions: i64) {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {state}"
        );
        let patience = std::time::Duration::from_secs(30);
        let wait = async {
            while self.value::<i64>(&sql).await < n_sessions {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(patience, wait)
            .await
            .expect("the sessions come into that state");
    }

    /// Runs statements that stand in the test.
    pub(crate) async fn run(&self, sql: &str) {
        let mut connection = self.pool.acquire().await.expect("the server answers");
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
        self.inner.close().await.unwrap();
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

/// Appends events that must be kept.
pub(crate) async fn keep(sink: &PostgresSink, events: &[AuditEvent]) {
    let appended = sink.append(events).await.expect("the store works");
    assert!(appended.is_all_kept(), "{appended:?}");
}

use audit_core::AuditSink;
use audit_postgres::{
    Hold, PostgresConfig, PostgresMaintainer, PostgresSink, RetentionPolicy, Roles,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use url::Url;

use crate::database::{Database, append_at, at, event_at};

/// The three roles and a user in each, with names that no other test has: roles belong to the
/// whole server.
struct Users {
    roles: Roles,
    names: Vec<String>,
}

impl Users {
    async fn create(database: &Database) -> Self {
        let users = Self::named(database);
        database
            .maintainer()
            .await
            .apply_roles(&users.roles)
            .await
            .unwrap();
        users.let_in(database).await;
        users
    }

    fn named(database: &Database) -> Self {
        let name = |role: &str| format!("{}_{role}", database.name);
        Self {
            roles: Roles::default()
                .writer(&name("writer"))
                .and_then(|roles| roles.reader(&name("reader")))
                .and_then(|roles| roles.maintainer(&name("maintainer")))
                .unwrap(),
            names: ["writer", "reader", "maintainer"].map(name).into(),
        }
    }

    /// A user `…_login` for each role, who is nothing but its member.
    async fn let_in(&self, database: &Database) {
        for role in &self.names {
            database
                .run(&format!(
                    "CREATE ROLE {role}_login LOGIN PASSWORD '{role}_login' IN ROLE {role}"
                ))
                .await;
        }
    }

    fn config(&self, database: &Database, role: usize) -> PostgresConfig {
        database.config_of(&format!("{}_login", self.names[role]))
    }

    async fn connect(&self, database: &Database, role: usize) -> PgConnection {
        let url = database.url_of(&format!("{}_login", self.names[role]));
        PgConnection::connect(url.as_str()).await.unwrap()
    }

    /// Roles outlive a database: what is theirs in it goes first.
    async fn drop(self, database: Database) {
        for role in &self.names {
            database
                .run(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE IF EXISTS {role}_login; DROP ROLE {role}"))
                .await;
        }
        database.drop().await;
    }
}

const WRITER: usize = 0;
const READER: usize = 1;
const MAINTAINER: usize = 2;

async fn assert_denied(connection: &mut PgConnection, statements: &[&str]) {
    for sql in statements {
        let done = connection.execute(AssertSqlSafe((*sql).to_owned())).await;
        let error = done.map(drop).expect_err(sql);
        let code = error.as_database_error().and_then(|error| error.code());
        assert_eq!(code.as_deref(), Some("42501"), "{sql}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sink_works_as_the_writer() {
    let (database, _) = Database::migrated().await;
    let users = Users::create(&database).await;
    let sink = PostgresSink::connect(&users.config(&database, WRITER))
        .await
        .unwrap();
    // Stored, there already, in conflict, and in a partition that is made for it.
    let event = event_at(at("2026-11-23T00:00:00Z"), 1);
    let old = event_at(at("1999-11-23T00:00:00Z"), 2);
    assert!(
        sink.append(std::slice::from_ref(&event))
            .await
            .unwrap()
            .is_all_kept()
    );
    assert!(
        sink.append(&[event.clone(), old])
            .await
            .unwrap()
            .is_all_kept()
    );
    let other = audit_core::AuditEvent::draft(audit_core::event::Method::tools_call())
        .ts(event.ts)
        .id(event.id)
        .stamp(event.writer.clone(), event.seq)
        .unwrap();
    assert!(!sink.append(&[other]).await.unwrap().is_all_kept());
    assert!(sink.health().await.is_ready());
    let counts: Vec<i64> = database
        .values(
            "SELECT count(*) FROM audit_events UNION ALL SELECT count(*) FROM audit_dead_letters",
        )
        .await;
    assert_eq!(counts, [2, 1]);
    sink.close().await.unwrap();
    users.drop(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_can_change_and_remove_nothing() {
    let (database, _) = Database::migrated().await;
    let users = Users::create(&database).await;
    append_at(&database.sink().await, &["2019-06-01T00:00:00Z"]).await;
    let mut writer = users.connect(&database, WRITER).await;
    let set_role = format!("SET ROLE {}", users.names[MAINTAINER]);
    let grant = format!(
        "GRANT {} TO {}_login",
        users.names[MAINTAINER], users.names[WRITER]
    );
    assert_denied(
        &mut writer,
        &[
            "UPDATE audit_events SET role = 'x'",
            "DELETE FROM audit_events",
            "TRUNCATE audit_events",
            "DROP TABLE audit_events",
            "ALTER TABLE audit_events ADD COLUMN x int",
            "ALTER TABLE audit_events DETACH PARTITION audit_events_2019",
            "CREATE TRIGGER t BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "CREATE INDEX ON audit_events (ts)",
            "DO $$ BEGIN LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE; END $$",
            "INSERT INTO audit_events SELECT * FROM audit_events ON CONFLICT (id) DO UPDATE SET role = 'x'",
            "SELECT * FROM audit_events FOR UPDATE",
            "SELECT * FROM audit_events_2019",
            "INSERT INTO audit_events_2019 SELECT * FROM audit_events",
            "UPDATE audit_events_2019 SET role = 'x'",
            "DELETE FROM audit_events_2019",
            "TRUNCATE audit_events_2019",
            "DROP TABLE audit_events_2019",
            "SELECT * FROM audit_dead_letters",
            "DELETE FROM audit_dead_letters",
            "UPDATE audit_store SET partition_width = 'day'",
            "INSERT INTO audit_holds (name, reason) VALUES ('x', '')",
            "DELETE FROM audit_holds",
            "SELECT * FROM audit_retention",
            "DELETE FROM audit_retention",
            "SELECT * FROM audit_migrations",
            "DELETE FROM audit_legacy_ids",
            "INSERT INTO audit_legacy_queue VALUES (1, 'x')",
            "DROP VIEW audit_partitions",
            "CREATE OR REPLACE FUNCTION audit_ensure_partition(wanted uuid) RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
            "ALTER FUNCTION audit_ensure_partition(uuid) RESET search_path",
            "CREATE TABLE public.mine (x int)",
            "CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
            &set_role,
            &grant,
        ],
    )
    .await;
    let n: i64 = database.value("SELECT count(*) FROM audit_events").await;
    assert_eq!(n, 1);
    writer.close().await.unwrap();
    users.drop(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_on_a_column_that_was_granted_before_is_gone() {
    let (database, maintainer) = Database::migrated().await;
    let users = Users::named(&database);
    let writer = &users.names[WRITER];
    database
        .run(&format!(
            "SELECT audit_ensure_partition(audit_id_at('2018-06-01Z'));
             CREATE ROLE {writer};
             GRANT UPDATE (outcome) ON audit_events, audit_events_2018 TO {writer}"
        ))
        .await;
    maintainer.apply_roles(&users.roles).await.unwrap();
    for table in ["audit_events", "audit_events_2018"] {
        let sql = format!("SELECT has_any_column_privilege('{writer}', '{table}', 'UPDATE')");
        assert!(!database.value::<bool>(&sql).await, "{table}");
    }
    users.let_in(&database).await;
    users.drop(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reader_reads_and_nothing_else() {
    let (database, _) = Database::migrated().await;
    let users = Users::create(&database).await;
    append_at(&database.sink().await, &["2019-06-01T00:00:00Z"]).await;
    let mut reader = users.connect(&database, READER).await;
    for table in [
        "audit_events",
        "audit_partitions",
        "audit_store",
        "audit_dead_letters",
        "audit_holds",
        "audit_retention",
        "audit_legacy_ids",
    ] {
        let sql = format!("SELECT count(*) FROM {table}");
        reader
            .execute(AssertSqlSafe(sql))
            .await
            .unwrap_or_else(|error| panic!("{table}: {error}"));
    }
    reader
        .execute("SELECT audit_id_at(now()), audit_time_of(id) FROM audit_events")
        .await
        .unwrap();
    assert_denied(
        &mut reader,
        &[
            "INSERT INTO audit_events SELECT * FROM audit_events",
            "UPDATE audit_events SET role = 'x'",
            "DELETE FROM audit_events",
            "TRUNCATE audit_events",
            "SELECT * FROM audit_events_2019",
            "SELECT audit_ensure_partition(audit_id_at('2001-01-01Z'))",
            "INSERT INTO audit_dead_letters (event_id, reason, event) VALUES (gen_random_uuid(), '', '')",
            "INSERT INTO audit_holds (name, reason) VALUES ('x', '')",
            "DELETE FROM audit_retention",
            "CREATE TABLE public.mine (x int)",
        ],
    )
    .await;
    reader.close().await.unwrap();
    users.drop(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_has_any_right() {
    let (database, _) = Database::migrated().await;
    // What an operator may have granted on everything that comes.
    database
        .run("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC; GRANT ALL ON audit_events, audit_holds TO PUBLIC")
        .await;
    append_at(&database.sink().await, &["2018-06-01T00:00:00Z"]).await;
    database
        .run("GRANT ALL ON audit_events_2018 TO PUBLIC")
        .await;
    let users = Users::create(&database).await;
    let defaults = format!(
        "ALTER DEFAULT PRIVILEGES FOR ROLE {} GRANT ALL ON TABLES TO PUBLIC, {}",
        users.names[MAINTAINER], users.names[WRITER]
    );
    database.run(&defaults).await;
    append_at(&database.sink().await, &["2019-06-01T00:00:00Z"]).await;
    let granted: Vec<String> = database
        .values(
            "SELECT relname || ' ' || grantee::regrole::text || ' ' || privilege_type
             FROM pg_class, aclexplode(relacl)
             WHERE relnamespace = 'public'::regnamespace AND relname LIKE 'audit%'
               AND grantee <> relowner AND (grantee = 0 OR relispartition)
             UNION ALL
             SELECT proname || ' PUBLIC' FROM pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
             WHERE pronamespace = 'public'::regnamespace AND grantee = 0",
        )
        .await;
    assert!(granted.is_empty(), "{granted:?}");
    let owners: Vec<String> = database
        .values(
            "SELECT DISTINCT relowner::regrole::text FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
             UNION SELECT DISTINCT proowner::regrole::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
        )
        .await;
    assert_eq!(owners, [users.names[MAINTAINER].clone()]);
    users.drop(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_cannot_trick_the_function_that_makes_partitions() {
    let (database, _) = Database::migrated().await;
    let users = Users::create(&database).await;
    let mut writer = users.connect(&database, WRITER).await;
    for sql in [
        "CREATE TEMP TABLE audit_partitions (name text, from_id uuid, to_id uuid, from_ts timestamptz, to_ts timestamptz, is_detaching bool, table_oid oid)",
        "INSERT INTO pg_temp.audit_partitions VALUES ('x; DROP TABLE audit_events', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', now(), now(), true, 0)",
        "CREATE TEMP TABLE audit_store (partition_width text)",
        "INSERT INTO pg_temp.audit_store VALUES ('microsecond')",
        "CREATE TEMP TABLE audit_events (id uuid)",
        "CREATE FUNCTION pg_temp.audit_id_at(timestamptz) RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
        "CREATE FUNCTION pg_temp.date_trunc(text, timestamptz, text) RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'",
        "SET search_path = pg_temp, public",
        "SET timezone = 'Pacific/Kiritimati'",
        "SELECT public.audit_ensure_partition('018cc251-f400-7000-8000-000000000000')",
    ] {
        writer
            .execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let made: Vec<String> = database
        .values("SELECT name || from_ts::date || to_ts::date FROM audit_partitions")
        .await;
    assert_eq!(made, ["audit_events_20242024-01-012025-01-01"]);
    // A role with temporary tables cannot be dropped.
    writer.execute("DISCARD TEMP").await.unwrap();
    writer.close().await.unwrap();
    users.drop(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_maintainer_keeps_the_schema() {
    let (database, _) = Database::migrated().await;
    let users = Users::create(&database).await;
    let sink = PostgresSink::connect(&users.config(&database, WRITER))
        .await
        .unwrap();
    append_at(&sink, &["2018-06-01T00:00:00Z", "2019-06-01T00:00:00Z"]).await;
    let config = users.config(&database, MAINTAINER);
    let maintainer = PostgresMaintainer::connect(&config).await.unwrap();
    maintainer.migrate().await.unwrap();
    maintainer.partitions().create_ahead(3).await.unwrap();
    let hold = Hold::new("h", "")
        .unwrap()
        .since(at("2019-01-01T00:00:00Z"));
    maintainer.holds().place(&hold).await.unwrap();
    let retention = maintainer.retention();
    let plan = retention
        .plan(RetentionPolicy::keep_days(1), at("2021-01-01T00:00:00Z"))
        .await
        .unwrap();
    let report = retention.apply(&plan).await.unwrap();
    assert_eq!(report.removed.len(), 1);
    assert!(
        maintainer
            .dead_letters()
            .list(None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    sink.close().await.unwrap();
    users.drop(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_can_be_run_again_and_by_several_at_once() {
    let (database, maintainer) = Database::migrated().await;
    let users = Users::named(&database);
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let (config, roles) = (database.config(), users.roles.clone());
            tokio::spawn(async move {
                PostgresMaintainer::connect(&config)
                    .await?
                    .apply_roles(&roles)
                    .await
            })
        })
        .collect();
    for task in tasks {
        let done = task.await.unwrap();
        // Two that change the same right at once: one of them may have to run it again.
        assert!(
            done.is_ok() || done.as_ref().is_err_and(audit_core::Error::is_retryable),
            "{done:?}"
        );
    }
    maintainer.apply_roles(&users.roles).await.unwrap();
    maintainer.apply_roles(&users.roles).await.unwrap();
    users.let_in(&database).await;
    let sink = PostgresSink::connect(&users.config(&database, WRITER))
        .await
        .unwrap();
    append_at(&sink, &["2018-06-01T00:00:00Z"]).await;
    sink.close().await.unwrap();
    users.drop(database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_owner_can_run_everything() {
    let database = Database::create().await;
    let owner = format!("{}_owner", database.name);
    database
        .run(&format!(
            "CREATE ROLE {owner} LOGIN PASSWORD '{owner}' CREATEROLE"
        ))
        .await;
    database
        .run(&format!(
            "ALTER DATABASE {} OWNER TO {owner}",
            database.name
        ))
        .await;
    // Before version 15 the schema is another's; what is asked for is a schema of its own.
    let mut url: Url = database.url_of(&owner);
    database
        .run(&format!("CREATE SCHEMA audit AUTHORIZATION {owner}"))
        .await;
    url.query_pairs_mut()
        .append_pair("options", "-csearch_path=audit");
    let config = PostgresConfig::from_url(url.as_str()).unwrap();
    let users = Users::named(&database);
    let maintainer = PostgresMaintainer::connect(&config).await.unwrap();
    maintainer.migrate().await.unwrap();
    append_at(
        &PostgresSink::connect(&config).await.unwrap(),
        &["2018-06-01T00:00:00Z"],
    )
    .await;
    maintainer.apply_roles(&users.roles).await.unwrap();
    maintainer.apply_roles(&users.roles).await.unwrap();
    // A member of the maintainer now, the owner goes on as before.
    maintainer.migrate().await.unwrap();
    maintainer.partitions().create_ahead(2).await.unwrap();
    users.let_in(&database).await;
    let mut url = database.url_of(&format!("{}_login", users.names[WRITER]));
    url.query_pairs_mut()
        .append_pair("options", "-csearch_path=audit");
    let sink = PostgresSink::connect(&PostgresConfig::from_url(url.as_str()).unwrap())
        .await
        .unwrap();
    append_at(&sink, &["2018-06-02T00:00:00Z", "2001-06-02T00:00:00Z"]).await;
    sink.close().await.unwrap();
    let n: i64 = database
        .value("SELECT count(*) FROM audit.audit_events")
        .await;
    assert_eq!(n, 3);
    database
        .run(&format!("ALTER DATABASE {} OWNER TO CURRENT_USER; DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}", database.name))
        .await;
    users.drop(database).await;
}

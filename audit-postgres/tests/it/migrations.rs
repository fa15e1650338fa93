use audit_core::{AuditReader, ErrorKind};
use audit_postgres::{Pooler, PostgresConfig, PostgresMaintainer, PostgresSink};
use audit_testkit::fixture;

use crate::database::{Database, append_at, keep};

const TABLES: &str = "SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') ORDER BY 1";

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_and_again() {
    let (database, maintainer) = Database::migrated().await;
    let tables: Vec<String> = database.values(TABLES).await;
    assert_eq!(
        tables,
        [
            "audit_dead_letters",
            "audit_events",
            "audit_holds",
            "audit_legacy_ids",
            "audit_legacy_queue",
            "audit_migrations",
            "audit_partitions",
            "audit_retention",
            "audit_store"
        ]
    );
    maintainer.migrate().await.unwrap();
    assert_eq!(database.values::<String>(TABLES).await, tables);
    assert!(maintainer.pending_migrations().await.unwrap().is_empty());
    append_at(&database.sink().await, &["2026-11-23T00:00:00Z"]).await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_older_version_becomes_the_newest() {
    let versions = {
        let database = Database::create().await;
        let pending = database.maintainer().await.pending_migrations().await;
        database.drop().await;
        pending.unwrap().into_iter().map(|it| it.version)
    };
    for version in versions {
        let database = Database::create().await;
        let maintainer = database.maintainer().await;
        maintainer.migrate_to(version).await.unwrap();
        let newest: i64 = database
            .value("SELECT max(version) FROM audit_migrations")
            .await;
        assert_eq!(newest, version.parse::<i64>().unwrap());
        // The first version has no partitions yet, so that nothing can be in it.
        let mut events = Vec::new();
        if version != "0001" {
            events = (1..=20).map(fixture::full_event).collect();
            events.extend(fixture::events(100..120));
            keep(&database.sink().await, &events).await;
        }
        maintainer.migrate().await.unwrap();
        let reader = database.reader().await;
        for event in &events {
            let found = reader.get(event.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(event), "{version}");
        }
        assert!(maintainer.pending_migrations().await.unwrap().is_empty());
        append_at(&database.sink().await, &["2026-11-23T00:00:00Z"]).await;
        database.drop().await;
    }
}

/// What the schema is made of, but for partitions and what the predecessor left: tables, views,
/// columns, indexes, constraints, functions, and who may do what with them.
const DIGEST: &str = r"
WITH relation AS (
    SELECT * FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND NOT relispartition
      AND relname LIKE 'audit\_%' AND relname <> 'audit_events_seed'
), described AS (
    SELECT concat_ws(' ', relkind, relname, pg_get_userbyid(relowner), relacl, reloptions,
        obj_description(oid, 'pg_class')) AS line
    FROM relation WHERE relkind IN ('r', 'p', 'v', 'S')
    UNION ALL
    SELECT concat_ws(' ', relname, attname, format_type(atttypid, atttypmod), attcollation::regcollation,
        attnotnull, attidentity, pg_get_expr(adbin, adrelid), attacl, col_description(relation.oid, attnum))
    FROM relation
    JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relkind IN ('r', 'p', 'v')
    UNION ALL
    SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN relation ON relation.oid = indrelid
    UNION ALL
    SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(pg_constraint.oid))
    FROM pg_constraint JOIN relation ON relation.oid = conrelid
    UNION ALL
    SELECT concat_ws(' ', oid::regprocedure, pg_get_userbyid(proowner), proacl, proconfig, prosecdef,
        provolatile, proisstrict, md5(prosrc), obj_description(oid, 'pg_proc'))
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'audit\_%'
    UNION ALL
    SELECT pg_get_viewdef(oid) FROM relation WHERE relkind = 'v'
)
SELECT line FROM described ORDER BY line";

/// A table as the predecessor has it, with an index of the name that ours would have.
const PREDECESSORS: &str = "
CREATE TABLE audit_events (id uuid PRIMARY KEY, ts timestamptz NOT NULL, method text, tool_name text);
CREATE INDEX audit_events_tool_name ON audit_events (tool_name);
INSERT INTO audit_events VALUES (gen_random_uuid(), '2026-01-01Z', 'tools/call', 't')";

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_the_newest_version_ends_at_the_same_schema() {
    let digest = async |before: &str, version: Option<&str>| {
        let database = Database::create().await;
        database.run(before).await;
        let maintainer = database.maintainer().await;
        if let Some(version) = version {
            maintainer.migrate_to(version).await.unwrap();
        }
        maintainer.migrate().await.unwrap();
        database.give_roles(&maintainer).await;
        let digest: Vec<String> = database.values(DIGEST).await;
        database.drop().await;
        digest
    };
    let from_nothing = digest("", None).await;
    // The tables, their columns, the functions: it does look at something.
    assert!(from_nothing.len() > 100, "{from_nothing:#?}");
    for version in ["0001", "0002", "0003", "0004", "0005"] {
        assert_eq!(digest("", Some(version)).await, from_nothing, "{version}");
        let from_predecessor = digest(PREDECESSORS, Some(version)).await;
        assert_eq!(from_predecessor, from_nothing, "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_none_is_refused() {
    let database = Database::create().await;
    let error = database
        .maintainer()
        .await
        .migrate_to("9")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(database.values::<String>(TABLES).await.is_empty());
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_hold_every_text_is_refused() {
    let database = Database::create().await;
    let latin = format!("{}_latin", database.name);
    database
        .run(&format!(
            "CREATE DATABASE {latin} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
        ))
        .await;
    let mut url = database.url.clone();
    url.set_path(&latin);
    let config = PostgresConfig::from_url(url.as_str()).unwrap();
    let maintainer = PostgresMaintainer::connect(&config).await.unwrap();
    for error in [
        maintainer.migrate().await.unwrap_err(),
        maintainer.migrate_to("0001").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("LATIN1"), "{error}");
    }
    drop(maintainer);
    database
        .run(&format!("DROP DATABASE {latin} WITH (FORCE)"))
        .await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_at_once() {
    let database = Database::create().await;
    let config = database.config();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let config = config.clone();
            tokio::spawn(async move { PostgresMaintainer::connect(&config).await?.migrate().await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let runs: Vec<i64> = database
        .values("SELECT version FROM audit_migrations ORDER BY 1")
        .await;
    assert_eq!(runs, [1, 2, 3, 4, 5]);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_sql_and_changes_nothing() {
    let database = Database::create().await;
    let maintainer = database.maintainer().await;
    let pending = maintainer.pending_migrations().await.unwrap();
    assert_eq!(pending[0].version, "0001");
    assert!(pending[0].sql.contains("CREATE TABLE audit_events"));
    assert!(database.values::<String>(TABLES).await.is_empty());
    maintainer.migrate_to("0001").await.unwrap();
    let left = maintainer.pending_migrations().await.unwrap();
    assert_eq!(left, pending[1..]);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused() {
    let (database, maintainer) = Database::migrated().await;
    database
        .run(
            "INSERT INTO audit_migrations (version, description, success, checksum, execution_time)
              VALUES (9000, 'of the future', true, '\\x00', 0)",
        )
        .await;
    let error = maintainer.migrate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let text = error.to_string();
    assert!(
        text.contains("9000") && text.contains("update it"),
        "{text}"
    );
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_ran_with_another_text_is_refused() {
    let (database, maintainer) = Database::migrated().await;
    database
        .run("UPDATE audit_migrations SET checksum = '\\x00' WHERE version = 2")
        .await;
    let error = maintainer.migrate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("another text"), "{error}");
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_schema_takes_everything() {
    let database = Database::create().await;
    database.run("CREATE SCHEMA audit").await;
    let mut url = database.url.clone();
    url.query_pairs_mut()
        .append_pair("options", "-csearch_path=audit");
    let config = PostgresConfig::from_url(url.as_str()).unwrap();
    let maintainer = PostgresMaintainer::connect(&config).await.unwrap();
    maintainer.migrate().await.unwrap();
    maintainer.partitions().create_ahead(2).await.unwrap();
    let sink = PostgresSink::connect(&config).await.unwrap();
    append_at(&sink, &["1999-12-31T00:00:00Z"]).await;
    assert!(database.values::<String>(TABLES).await.is_empty());
    let n: i64 = database
        .value("SELECT count(*) FROM audit.audit_events")
        .await;
    assert_eq!(n, 1);
    let n_partitions = maintainer.partitions().list().await.unwrap().len();
    assert_eq!(n_partitions, 4);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_migrations_of_a_gateway_are_left_alone() {
    let database = Database::create().await;
    database
        .run(
            "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL,
                  installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL,
                  checksum bytea NOT NULL, execution_time bigint NOT NULL);
              INSERT INTO _sqlx_migrations VALUES (1, 'of the gateway', now(), false, '\\x01', 1)",
        )
        .await;
    let maintainer = database.maintainer().await;
    assert_eq!(maintainer.pending_migrations().await.unwrap().len(), 5);
    maintainer.migrate().await.unwrap();
    let rows: Vec<String> = database
        .values("SELECT description FROM _sqlx_migrations")
        .await;
    assert_eq!(rows, ["of the gateway"]);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partitioned_table_of_the_name_is_not_taken_for_the_predecessors() {
    let (database, maintainer) = Database::migrated().await;
    append_at(&database.sink().await, &["2026-11-23T00:00:00Z"]).await;
    database.run("DROP TABLE audit_migrations").await;
    assert!(maintainer.migrate().await.is_err());
    let n: i64 = database.value("SELECT count(*) FROM audit_events").await;
    assert_eq!(n, 1);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_and_column_has_a_comment() {
    let (database, _) = Database::migrated().await;
    let silent: Vec<String> = database
        .values(
            "SELECT pg_class.relname || coalesce('.' || attname, '')
             FROM pg_class
             LEFT JOIN LATERAL (
                 SELECT NULL::smallint AS attnum, NULL::name AS attname
                 UNION ALL
                 SELECT attnum, attname FROM pg_attribute
                 WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
             ) AS part ON true
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
               AND relname <> 'audit_migrations' AND NOT relispartition
               AND coalesce(col_description(pg_class.oid, attnum), CASE
                   WHEN attnum IS NULL THEN obj_description(pg_class.oid, 'pg_class') END) IS NULL",
        )
        .await;
    assert!(silent.is_empty(), "{silent:?}");
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_partition_has_every_index_once_and_every_check() {
    let (database, maintainer) = Database::migrated().await;
    maintainer.partitions().create_ahead(3).await.unwrap();
    append_at(
        &database.sink().await,
        &["1970-01-01T00:00:00Z", "9999-12-31T00:00:00Z"],
    )
    .await;
    let shape = |kind: &str| {
        format!(
            "SELECT string_agg(DISTINCT shape, E'\\n') FROM (
                 SELECT string_agg(what, E'\\n' ORDER BY what) AS shape FROM ({kind}) AS it (relid, what)
                 WHERE relid IN (SELECT table_oid FROM audit_partitions) OR relid = 'audit_events'::regclass
                 GROUP BY relid
             ) AS shapes HAVING count(DISTINCT shape) = 1"
        )
    };
    let indexes: String = database
        .value(&shape(
            "SELECT indrelid, regexp_replace(pg_get_indexdef(indexrelid), '^CREATE (UNIQUE )?INDEX .* USING', '\\1')
             FROM pg_index WHERE indisvalid AND indisready",
        ))
        .await;
    assert_eq!(indexes.lines().count(), 10, "{indexes}");
    let checks: String = database
        .value(&shape(
            "SELECT conrelid, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype IN ('c', 'p') AND convalidated",
        ))
        .await;
    assert_eq!(checks.lines().count(), 4, "{checks}");
    let attached: i64 = database
        .value("SELECT count(*) FROM pg_inherits WHERE inhrelid IN (
                    SELECT indexrelid FROM pg_index WHERE indrelid IN (SELECT table_oid FROM audit_partitions))")
        .await;
    assert_eq!(attached, 6 * 10);
    database.drop().await;
}

#[tokio::test]
async fn a_pooler_that_keeps_no_session_is_refused() {
    let database = Database::create().await;
    let pooled = database.config().pooler(Pooler::Transaction);
    let error = PostgresMaintainer::connect(&pooled).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error.to_string().contains("connect to the server itself"),
        "{error}"
    );
    database.drop().await;
}

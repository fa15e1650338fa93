use audit_core::{AuditReader, AuditSink as _, ErrorKind};
use audit_postgres::{PostgresMaintainer, PostgresSink};
use sqlx::PgPool;

use crate::database::{Database, append_at, at, event_at};
use crate::interrupt::interrupt;

/// The predecessor's own DDL.
const DDL: &str = "
CREATE TABLE api_keys (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE audit_events (
    id uuid PRIMARY KEY,
    ts timestamptz NOT NULL DEFAULT now(),
    api_key_id uuid NULL REFERENCES api_keys (id),
    role text NOT NULL,
    method text NOT NULL,
    tool_name text NOT NULL,
    request_json jsonb NOT NULL,
    response_json jsonb NOT NULL,
    decision jsonb NOT NULL,
    status_code integer NOT NULL,
    latency_ms integer NOT NULL
);
CREATE INDEX audit_events_ts ON audit_events (ts DESC);
INSERT INTO api_keys VALUES ('11111111-1111-1111-1111-111111111111', 'k');";

/// 1,200 rows, several to a moment, over three years; ids in no order of time.
const ROWS: &str = r#"
INSERT INTO audit_events
SELECT md5(n::text)::uuid, timestamptz '2024-01-01Z' + (n / 3) * interval '2 days 7 minutes 1.234567 seconds',
    CASE WHEN n % 5 = 0 THEN NULL ELSE '11111111-1111-1111-1111-111111111111'::uuid END,
    'user', 'tools/call', 'tool_' || n % 7,
    jsonb_build_object('n', n, 'password', 'hunter2'),
    jsonb_build_object('content', '[]'::jsonb, 'isError', n % 10 = 0),
    jsonb_build_object('auth', jsonb_build_object('allowed', true),
        'authz', jsonb_build_object('allowed', n % 11 <> 0, 'reason', 'role'),
        'rate', jsonb_build_object('allowed', false, 'reason', 'not_evaluated')),
    CASE WHEN n % 11 = 0 THEN 403 ELSE 200 END, n % 1000
FROM generate_series(1, 1200) AS n;"#;

/// What no gateway should have written, and what can be no event: six rows of these.
const HOSTILE: &str = r#"
INSERT INTO audit_events VALUES
    ('a0000000-0000-0000-0000-000000000001', '1969-12-31Z', NULL, 'u', 'm', 't', '{"password":"hunter2"}', '{}', '{}', 200, 1),
    ('a0000000-0000-0000-0000-000000000002', 'infinity', NULL, 'u', 'm', 't', '{}', '{}', '{}', 200, 1),
    ('a0000000-0000-0000-0000-000000000003', '-infinity', NULL, 'u', 'm', 't', '{}', '{}', '{}', 200, 1),
    ('a0000000-0000-0000-0000-000000000004', '10000-01-01Z', NULL, 'u', 'm', 't', '{}', '{}', '{}', 200, 1),
    ('a0000000-0000-0000-0000-000000000005', '2024-05-01Z', NULL, 'u', 'm', 't', '{"token":"hunter2"}', '{}', '{}', 200, -1),
    ('a0000000-0000-0000-0000-000000000006', '0044-03-15 BC', NULL, 'u', 'm', 't', '{}', '{}', '{}', 2000000, 1),
    ('b0000000-0000-0000-0000-000000000001', '1970-01-01Z', NULL, '', '', '', 'null', 'null', 'null', 0, 0),
    ('b0000000-0000-0000-0000-000000000002', '9999-12-31 23:59:59.999999Z', NULL, repeat('ü', 5000), repeat('m', 5000),
        'Bearer hunter2hunter2hunter2hunter2hunter2', '[]', '"text"', '[1]', 999, 2147483647),
    ('b0000000-0000-0000-0000-000000000003', '2024-02-29 12:00Z', NULL, E'a\tb', E'\u202e', '🦀', '{"a":{"a":{"a":[1e400, -0.0, 12345678901234567890123]}}}',
        '{"isError":"yes"}', '{"auth":"allowed","authz":{"allowed":null},"rate":{"allowed":false,"reason":{"token":"hunter2"}}}', 429, 0);
INSERT INTO audit_events
SELECT 'b0000000-0000-0000-0000-000000000004', '2024-02-29 12:00Z', NULL, 'u', 'm', 't',
    jsonb_build_object('text', repeat('x', 3000000)), (repeat('[', 2000) || repeat(']', 2000))::jsonb, '{}', 200, 1;"#;

async fn of_the_predecessor() -> Database {
    let database = Database::create().await;
    for sql in [DDL, ROWS, HOSTILE] {
        database.run(sql).await;
    }
    database
}

async fn migrated() -> (Database, PostgresMaintainer) {
    let database = of_the_predecessor().await;
    let maintainer = database.maintainer().await;
    maintainer.migrate().await.unwrap();
    (database, maintainer)
}

/// What has to be true however the rows came over.
async fn assert_whole(database: &Database) {
    let counts: Vec<i64> = database
        .values(
            "SELECT count(*) FROM audit_events_seed
             UNION ALL SELECT count(*) FROM audit_events WHERE writer = 'seed'
             UNION ALL SELECT count(*) FROM audit_dead_letters
             UNION ALL SELECT count(*) FROM audit_legacy_queue
             UNION ALL SELECT max(seq) FROM audit_events WHERE writer = 'seed'",
        )
        .await;
    assert_eq!(counts, [1210, 1204, 6, 0, 1204]);
    let lost: i64 = database
        .value(
            "SELECT count(*) FROM audit_events_seed AS s
             LEFT JOIN audit_legacy_ids AS l ON l.legacy_id = s.id::text
             LEFT JOIN audit_events AS e ON e.id = l.id AND e.ts = s.ts AND e.seq = l.seq
             LEFT JOIN audit_dead_letters AS d ON d.event_id = l.id AND l.seq IS NULL
             WHERE (e.id IS NULL) = (d.event_id IS NULL)",
        )
        .await;
    assert_eq!(lost, 0);
    let out_of_order: i64 = database
        .value(
            "SELECT count(*) FROM (
                 SELECT e.seq, row_number() OVER (ORDER BY e.ts, l.legacy_id) AS place
                 FROM audit_events AS e JOIN audit_legacy_ids AS l ON l.id = e.id
             ) AS numbered WHERE seq <> place",
        )
        .await;
    assert_eq!(out_of_order, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_comes_over_and_is_found_by_its_old_id() {
    let database = of_the_predecessor().await;
    let maintainer = database.maintainer().await;
    let before: String = database
        .value("SELECT md5(string_agg(s::text, '' ORDER BY id)) FROM audit_events AS s")
        .await;
    assert_eq!(maintainer.seed_rows_left().await.unwrap(), 1210);
    maintainer.migrate_to("0001").await.unwrap();
    assert_eq!(maintainer.seed_rows_left().await.unwrap(), 1210);
    maintainer.migrate().await.unwrap();
    assert_eq!(maintainer.seed_rows_left().await.unwrap(), 0);
    assert_whole(&database).await;
    // Again, nothing changes.
    maintainer.migrate().await.unwrap();
    assert_whole(&database).await;
    let after: String = database
        .value("SELECT md5(string_agg(s::text, '' ORDER BY id)) FROM audit_events_seed AS s")
        .await;
    assert_eq!(before, after);
    let reader = database.reader().await;
    for n in [1, 7, 600, 1_200] {
        let legacy_id: String = database
            .value(&format!("SELECT md5('{n}')::uuid::text"))
            .await;
        let id = reader.find_legacy(&legacy_id).await.unwrap().unwrap();
        let event = reader.get(id).await.unwrap().unwrap();
        let tool = event.tool_name.as_ref().map(|it| it.as_str());
        assert_eq!(tool, Some(&*format!("tool_{}", n % 7)));
        let request = event.request().and_then(|it| it.json()).unwrap();
        let request = request.replace(' ', "");
        assert!(request.contains(&format!("\"n\":{n},")), "{request}");
    }
    let unknown = "00000000-0000-0000-0000-00000000abcd";
    assert_eq!(reader.find_legacy(unknown).await.unwrap(), None);
    // The store goes on as a store.
    append_at(&database.sink().await, &["2026-11-23T00:00:00Z"]).await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_becomes_the_event_that_it_was() {
    let (database, _) = migrated().await;
    let told: Vec<String> = database
        .values(
            "SELECT concat_ws(' ', outcome, count(*)) FROM audit_events WHERE tool_name LIKE 'tool\\__'
             GROUP BY outcome ORDER BY 1",
        )
        .await;
    assert_eq!(told, ["denied 109", "ok 981", "tool_error 110"]);
    let one: String = database
        .value(
            "SELECT concat_ws(' ', api_key_id, role, method, tool_name, status_code, latency_ms,
                 decision->'auth'->>'verdict', decision->'authz'->>'verdict', decision->'rate'->>'verdict', request_json)
             FROM audit_events JOIN audit_legacy_ids USING (id) WHERE legacy_id = md5('7')::uuid::text",
        )
        .await;
    assert_eq!(
        one,
        "11111111-1111-1111-1111-111111111111 user tools/call tool_0 200 7 allowed allowed skipped \
         {\"n\": 7, \"password\": \"[REDACTED:password]\"}"
    );
    let end: String = database
        .value(
            "SELECT concat_ws(' ', length(role), length(method), tool_name, outcome, ts AT TIME ZONE 'UTC')
             FROM audit_events JOIN audit_legacy_ids USING (id) WHERE legacy_id = 'b0000000-0000-0000-0000-000000000002'",
        )
        .await;
    assert!(end.starts_with("128 256 "), "{end}");
    assert!(
        end.ends_with("internal_error 9999-12-31 23:59:59.999999"),
        "{end}"
    );
    let start: String = database
        .value(
            "SELECT concat_ws(' ', role, method, coalesce(tool_name, '-'), outcome, coalesce(request_json::text, '-'))
             FROM audit_events JOIN audit_legacy_ids USING (id) WHERE legacy_id = 'b0000000-0000-0000-0000-000000000001'",
        )
        .await;
    assert_eq!(start, "unknown [EMPTY] - aborted -");
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_came_over_holds_a_secret() {
    let (database, _) = migrated().await;
    let n: i64 = database
        .value(
            "SELECT (SELECT count(*) FROM audit_events AS e WHERE e::text LIKE '%hunter2%')
                  + (SELECT count(*) FROM audit_dead_letters AS d WHERE d::text LIKE '%hunter2%')",
        )
        .await;
    assert_eq!(n, 0);
    let reasons: Vec<String> = database
        .values("SELECT DISTINCT reason FROM audit_dead_letters ORDER BY 1")
        .await;
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(
        reasons.iter().all(|reason| reason.contains("predecessor")),
        "{reasons:?}"
    );
    let rows: i64 = database
        .value("SELECT count(*) FROM audit_dead_letters WHERE event::jsonb ? 'latency_ms'")
        .await;
    assert_eq!(rows, 6);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_bring_each_row_once() {
    let database = of_the_predecessor().await;
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let config = database.config();
            tokio::spawn(async move { PostgresMaintainer::connect(&config).await?.migrate().await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_whole(&database).await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_anywhere_it_goes_on_where_it_was() {
    let (expected, _) = migrated().await;
    let digest = "SELECT md5(string_agg(id::text || seq, '' ORDER BY seq)) FROM audit_events";
    let of_one_run: String = expected.value(digest).await;
    expected.drop().await;
    let database = of_the_predecessor().await;
    let mut n_awaits = 0;
    // Each try goes one await farther than the one before, so that it ends at another place.
    loop {
        let maintainer = database.maintainer().await;
        let done = interrupt(n_awaits, maintainer.migrate()).await;
        n_awaits += 1;
        if let Some(done) = done {
            done.unwrap();
            break;
        }
    }
    assert!(n_awaits > 3, "{n_awaits}");
    assert_whole(&database).await;
    assert_eq!(database.value::<String>(digest).await, of_one_run);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_types_and_missing_columns_come_over() {
    let database = Database::create().await;
    database
        .run(
            r#"CREATE TABLE audit_events (
                   id varchar(40) PRIMARY KEY, ts timestamp, method text, tool_name text,
                   request_json text, response_json json, status_code text, latency_ms numeric, extra bytea
               );
               INSERT INTO audit_events VALUES
                   ('old-1', '2026-01-01 12:00:00.123456', 'tools/list', NULL, '{"password":"hunter2"}',
                    '{"a":1,"a":"\u0000"}', '200', 1.2345, '\x00'),
                   ('old-2', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
                   ('old-3', '2026-01-01 12:00:01', NULL, NULL, NULL, NULL, NULL, NULL, NULL);"#,
        )
        .await;
    let maintainer = database.maintainer().await;
    maintainer.migrate().await.unwrap();
    let rows: Vec<String> = database
        .values(
            "SELECT concat_ws(' ', legacy_id, ts AT TIME ZONE 'UTC', role, method, outcome, status_code, latency_ms, seq_of.seq)
             FROM audit_events JOIN audit_legacy_ids AS seq_of USING (id) ORDER BY legacy_id",
        )
        .await;
    assert_eq!(
        rows,
        [
            "old-1 2026-01-01 12:00:00.123456 unknown tools/list ok 200 1.235 1",
            "old-3 2026-01-01 12:00:01 unknown [EMPTY] aborted 0 0 2"
        ]
    );
    let secrets: i64 = database
        .value("SELECT count(*) FROM audit_events AS e WHERE e::text LIKE '%hunter2%'")
        .await;
    assert_eq!(secrets, 0);
    let letters: i64 = database
        .value("SELECT count(*) FROM audit_dead_letters")
        .await;
    assert_eq!(letters, 1);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_whose_rows_cannot_be_told_apart_is_refused_with_what_to_do() {
    for (ddl, expected) in [
        (
            "CREATE TABLE audit_events (id int, ts timestamptz); INSERT INTO audit_events VALUES (1, now()), (1, now())",
            "several with the same",
        ),
        (
            "CREATE TABLE audit_events (id int, ts timestamptz); INSERT INTO audit_events VALUES (NULL, now())",
            "without an id",
        ),
        ("CREATE TABLE audit_events (key int)", "no column"),
    ] {
        let database = Database::create().await;
        database.run(ddl).await;
        let maintainer = database.maintainer().await;
        let error = maintainer.migrate().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(expected), "{error}");
        // The schema is there, so a gateway can begin while an operator looks at it.
        append_at(&database.sink().await, &["2026-11-23T00:00:00Z"]).await;
        database.run("DROP TABLE audit_events_seed").await;
        maintainer.migrate().await.unwrap();
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_table_can_be_dropped_afterwards() {
    let (database, maintainer) = migrated().await;
    database.run("DROP TABLE audit_events_seed").await;
    maintainer.migrate().await.unwrap();
    assert_eq!(maintainer.seed_rows_left().await.unwrap(), 0);
    let n: i64 = database.value("SELECT count(*) FROM audit_events").await;
    assert_eq!(n, 1204);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_appends_while_the_rows_come_over() {
    let database = of_the_predecessor().await;
    let maintainer = database.maintainer().await;
    maintainer.migrate_to("0003").await.unwrap();
    let config = database.config();
    let gateway = tokio::spawn(async move {
        let sink = PostgresSink::connect(&config).await.unwrap();
        for year in 2000..2030 {
            let events = [event_at(at(&format!("{year}-06-01T00:00:00Z")), 1)];
            // A function that is replaced while it is called can fail once, as a logger expects.
            let appended = loop {
                match sink.append(&events).await {
                    Err(error) if error.is_retryable() => {}
                    appended => break appended.unwrap(),
                }
            };
            assert!(appended.is_all_kept(), "{appended:?}");
        }
    });
    maintainer.migrate().await.unwrap();
    gateway.await.unwrap();
    assert_whole_beside(&database.pool).await;
    database.drop().await;
}

async fn assert_whole_beside(pool: &PgPool) {
    let n: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_events")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(n, 1204 + 30);
}

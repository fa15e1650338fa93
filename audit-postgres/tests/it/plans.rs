//! How the server reads: which partitions, which indexes, which columns.

use audit_core::event::{Outcome, StatusCode, Timestamp, TraceId};
use audit_core::reader::{
    AuditReader, Condition, Filter, GroupBy, Order, PageRequest, Span, StatisticsRequest,
    TextField, TimeBucket,
};
use audit_core::{ErrorKind, Glob};
use audit_postgres::PostgresReader;
use audit_testkit::fixture;

use crate::by_hand::many;
use crate::database::{Database, keep};

/// Four months of 2,000 events each, most of one tool, which is not among the newest.
async fn four_months() -> (Database, PostgresReader) {
    let database = Database::new().await;
    let months = ["2025-01", "2025-02", "2025-03", "2025-04", "2025-05"];
    for month in months.windows(2) {
        let partition = format!(
            "CREATE TABLE audit_events_{} PARTITION OF audit_events
             FOR VALUES FROM (audit_id_at('{}-01Z')) TO (audit_id_at('{}-01Z'))",
            month[0].replace('-', "_"),
            month[0],
            month[1]
        );
        database.run(&partition).await;
        let tool = "CASE WHEN n < 1200 THEN 'retired' ELSE 'tool ' || n % 7 END";
        let rows = many(&format!("{}-01Z", month[0]), 2_000, tool);
        database.run(&rows).await;
    }
    database.run("ANALYZE audit_events").await;
    let reader = database.reader().await;
    (database, reader)
}

async fn plan(reader: &PostgresReader, request: PageRequest) -> String {
    let plan = reader.explain_page(&request).await;
    plan.expect("a page can be explained")
}

fn tool(name: &str) -> Filter {
    Filter::all().with(Condition::Text(TextField::Tool, Glob::new(name)))
}

fn day(day: &str) -> Timestamp {
    let moment = format!("{day}T00:00:00Z").parse::<chrono::DateTime<chrono::Utc>>();
    Timestamp::new(moment.unwrap()).unwrap()
}

/// The partitions that a plan reads.
fn partitions(plan: &str) -> Vec<&str> {
    let mut found: Vec<_> = plan
        .match_indices("audit_events_2025_")
        .filter_map(|(at, name)| plan.get(at + name.len()..at + name.len() + 2))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[tokio::test]
async fn a_range_of_time_prunes_partitions() {
    let (_database, reader) = four_months().await;
    let all = plan(&reader, PageRequest::new(Filter::all())).await;
    assert_eq!(partitions(&all), ["01", "02", "03", "04"], "{all}");
    let of = |span| Filter::all().with(Condition::Time(span));
    let february = Span::between(day("2025-02-10"), day("2025-02-11"));
    let cases = [
        (of(february), Vec::from(["02"])),
        (of(Span::at_most(day("2025-01-15"))), Vec::from(["01"])),
        (
            of(Span::between(day("2025-02-10"), day("2025-03-02"))),
            Vec::from(["02", "03"]),
        ),
        // One key within a range, and one range or another.
        (tool("retired").intersect(of(february)), Vec::from(["02"])),
        (
            of(february).with(Condition::Time(Span::exactly(day("2025-04-02")))),
            Vec::from(["02", "04"]),
        ),
    ];
    for (filter, expected) in cases {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let plan = plan(&reader, PageRequest::new(filter.clone()).order(order)).await;
            assert_eq!(partitions(&plan), expected, "{filter}\n{plan}");
        }
    }
}

#[tokio::test]
async fn a_page_is_read_along_an_index_and_never_sorted_whole() {
    let (_database, reader) = four_months().await;
    let first = PageRequest::new(Filter::all());
    let second = reader.page(&first).await.unwrap().next.unwrap();
    for request in [first.clone(), first.cursor(second).unwrap()] {
        let plan = plan(&reader, request).await;
        assert!(plan.contains("_pkey on"), "{plan}");
        assert!(
            !plan.contains("Sort") && !plan.contains("Seq Scan"),
            "{plan}"
        );
    }
    // The statistics say that six of ten events are of it.
    let plan = plan(&reader, PageRequest::new(tool("retired"))).await;
    assert!(plan.contains("_tool_name_id_idx on"), "{plan}");
    assert!(
        !plan.contains("_pkey on") && !plan.contains("Seq Scan"),
        "{plan}"
    );
}

#[tokio::test]
async fn a_prefix_is_a_range_of_the_index() {
    let (_database, reader) = four_months().await;
    let plan = plan(&reader, PageRequest::new(tool("not_there*"))).await;
    assert!(plan.contains("tool_name >= 'not_there'::text"), "{plan}");
    assert!(!plan.contains("_pkey on"), "{plan}");
}

#[tokio::test]
async fn what_went_wrong_is_read_along_its_index_value_by_value() {
    let (_database, reader) = four_months().await;
    let wrong = Filter::all().without(Condition::Outcome(Outcome::Ok));
    let plan = plan(&reader, PageRequest::new(wrong)).await;
    assert!(plan.contains("_outcome_id_idx on"), "{plan}");
    assert!(!plan.contains("_pkey on"), "{plan}");
}

/// What an index is there for, with a value that no event has.
fn of_nothing() -> Vec<Condition> {
    let text = |field| Condition::Text(field, Glob::exact("nothing"));
    let fields = [
        TextField::ClientName,
        TextField::ClientVersion,
        TextField::Key,
        TextField::Method,
        TextField::RequestId,
        TextField::Role,
        TextField::Session,
        TextField::Tool,
        TextField::Upstream,
        TextField::Writer,
    ];
    let status = |number| StatusCode::new(number).unwrap();
    let others = [
        Condition::Outcome(Outcome::Timeout),
        Condition::Status(Span::exactly(status(418))),
        Condition::Status(Span::between(status(500), status(599))),
        Condition::TraceId(TraceId::new(17).unwrap()),
    ];
    fields.into_iter().map(text).chain(others).collect()
}

#[tokio::test]
async fn a_search_without_a_hit_reads_no_list() {
    let database = Database::new().await;
    // Enough that summaries are worth it, of which no two events are of the same trace.
    let rows = many("2025-01-01Z", 40_000, "'tool ' || n % 7");
    database.run(&rows).await;
    database
        .run(
            "CREATE TEMP TABLE moved AS SELECT * FROM audit_events;
             UPDATE moved SET trace_id = md5(seq::text), request_id = seq::text,
                api_key_id = 'k' || seq % 50, session_id = md5((seq / 50)::text),
                upstream = 'u' || seq % 5, client_name = 'c' || seq % 9, client_version = '1';
             TRUNCATE audit_events; INSERT INTO audit_events SELECT * FROM moved ORDER BY id",
        )
        .await;
    database.run("VACUUM (ANALYZE) audit_events").await;
    let reader = database.reader().await;
    let explain = async |condition: &Condition| {
        let filter = Filter::all().with(condition.clone());
        let found = reader.page(&PageRequest::new(filter.clone())).await;
        let plan = plan(&reader, PageRequest::new(filter)).await;
        (found.unwrap().events.len(), plan)
    };
    for condition in of_nothing() {
        let (n_found, plan) = explain(&condition).await;
        assert_eq!(n_found, 0, "{condition:?}");
        let is_list = plan.contains("_pkey on") || plan.contains("Seq Scan");
        assert!(!is_list, "{condition:?}\n{plan}");
    }
    let one = Condition::Text(TextField::RequestId, Glob::exact("39999"));
    let (n_found, plan) = explain(&one).await;
    assert_eq!(n_found, 1);
    assert!(plan.contains("_request_id_idx"), "{plan}");
    // What is common is found sooner along the list.
    for common in [
        Condition::Text(TextField::Role, Glob::exact("admin")),
        Condition::Text(TextField::Upstream, Glob::exact("u3")),
        Condition::Status(Span::exactly(StatusCode::new(200).unwrap())),
    ] {
        let (n_found, plan) = explain(&common).await;
        assert!(n_found > 0, "{common:?}");
        assert!(plan.contains("_pkey on"), "{common:?}\n{plan}");
    }
}

/// Whoever may not read payloads can read everything else.
#[tokio::test]
async fn the_list_does_not_touch_payloads() {
    let database = Database::new().await;
    let sink = database.sink().await;
    keep(&sink, &[fixture::full_event(1), fixture::event(2)]).await;
    let role = format!("no_payloads_{}", std::process::id());
    database
        .run(&format!(
            "CREATE ROLE {role};
             GRANT SELECT ON audit_store TO {role};
             GRANT SELECT (
                id, ts, api_key_id, role, method, tool_name, status_code, latency_ms, decision,
                outcome, upstream, upstream_latency_ms, session_id, request_id, trace_id, span_id,
                client_name, client_version, client_address, writer, seq, payload_report
             ) ON audit_events TO {role}"
        ))
        .await;
    let reader = PostgresReader::connect_lazily(&database.config_in_role(&role));
    let filter = Filter::all()
        .without(Condition::Contains("nowhere".into()))
        .without(Condition::Redacted);
    let request = PageRequest::new(filter.clone());
    let n_events = reader.page(&request).await.unwrap().events.len();
    assert!(n_events > 0, "a page without payloads can be read");
    let count = reader.count(&filter, 10).await.unwrap();
    assert_eq!(count.n_events, u64::try_from(n_events).unwrap());
    let statistics = StatisticsRequest::new(filter).group_by(GroupBy::Outcome);
    assert!(
        !reader
            .statistics(&statistics)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    let error = reader.page_with_payloads(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    database
        .run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .await;
}

#[tokio::test]
async fn statistics_of_a_stretch_of_time_read_no_row() {
    let (database, reader) = four_months().await;
    database.run("VACUUM (ANALYZE) audit_events").await;
    let march = Condition::Time(Span::between(day("2025-03-01"), day("2025-03-31")));
    for group_by in [
        GroupBy::Nothing,
        GroupBy::Outcome,
        GroupBy::Text(TextField::Key),
        GroupBy::Text(TextField::Role),
        GroupBy::Text(TextField::Tool),
        GroupBy::Time(TimeBucket::Hour),
    ] {
        let filter = Filter::all()
            .with(march.clone())
            .without(Condition::Outcome(Outcome::Denied));
        let request = StatisticsRequest::new(filter).group_by(group_by);
        let plan = reader.explain_statistics(&request).await.unwrap();
        assert!(
            plan.contains("Index Only Scan using"),
            "{group_by:?}\n{plan}"
        );
        assert_eq!(partitions(&plan), ["03"], "{group_by:?}\n{plan}");
    }
}

//! Equal answers to equal questions, beyond those of the suite.

use audit_core::event::{AuditEvent, CheckName, EventId, WriterId};
use audit_core::reader::{
    AuditReader, Condition, Filter, GroupBy, Order, PageRequest, Statistics, StatisticsRequest,
    TextField, TimeBucket,
};
use audit_core::{ErrorKind, Glob};
use audit_postgres::PostgresReader;
use audit_testkit::{fixture, strategy};

use crate::by_hand::many;
use crate::database::{Database, READER, keep};

async fn stored(events: &[AuditEvent]) -> (Database, PostgresReader) {
    let database = Database::new().await;
    keep(&database.sink().await, events).await;
    let reader = database.reader().await;
    (database, reader)
}

/// Readers that count here, on the server, and here until it is too much.
async fn counting(database: &Database) -> Vec<PostgresReader> {
    let config = database.config_by_rights(READER).await;
    [250_000, 0, 3]
        .map(|most| PostgresReader::connect_lazily(&config.clone().gathered_latencies(most)))
        .into()
}

/// Asks for a page in both orders, a count and statistics.
async fn check(
    (reader, counting): (&PostgresReader, &[PostgresReader]),
    events: &[AuditEvent],
    filter: &Filter,
    by: GroupBy,
) {
    let matching = events.iter().filter(|event| filter.matches(event));
    let mut expected: Vec<_> = matching.map(|event| event.id).collect();
    expected.sort_unstable();
    let request = PageRequest::new(filter.clone()).order(Order::OldestFirst);
    let page = reader.page(&request.limit(1_000).unwrap()).await.unwrap();
    let shown: Vec<EventId> = page.events.iter().map(|event| event.id).collect();
    assert_eq!(shown, expected, "{filter}");
    // Two a page, from the newest.
    let mut request = PageRequest::new(filter.clone()).limit(2).unwrap();
    let mut turned = Vec::new();
    loop {
        let page = reader.page(&request).await.unwrap();
        turned.extend(page.events.iter().map(|event| event.id));
        let Some(next) = page.next else { break };
        request = request.cursor(next).unwrap();
    }
    turned.reverse();
    assert_eq!(turned, expected, "{filter}, two a page");
    let count = reader.count(filter, 1_000).await.unwrap();
    assert_eq!(count.n_events, u64::try_from(expected.len()).unwrap());
    for limit in [2, 10_000] {
        let request = StatisticsRequest::new(filter.clone()).group_by(by);
        let request = request.limit(limit).unwrap();
        let expected = Statistics::collect(&request, events);
        for reader in counting {
            let answer = reader.statistics(&request).await.unwrap();
            assert_eq!(answer, expected, "{filter} by {by:?}, {limit} rows");
        }
    }
}

fn groupings() -> impl Iterator<Item = GroupBy> {
    let of_check = |check| [GroupBy::Reason(check), GroupBy::Verdict(check)];
    let checks = [CheckName::Auth, CheckName::Authz, CheckName::Rate];
    let others = [
        GroupBy::Nothing,
        GroupBy::Outcome,
        GroupBy::Text(TextField::Tool),
        GroupBy::Time(TimeBucket::Minute),
    ];
    let all: Vec<_> = checks
        .into_iter()
        .flat_map(of_check)
        .chain(others)
        .collect();
    all.into_iter().cycle()
}

#[tokio::test]
async fn intersected_filters_are_answered_by_every_grouping() {
    let events = strategy::sample(&strategy::clusters(60), 1).remove(0);
    let (database, reader) = stored(&events).await;
    let counting = counting(&database).await;
    let filters = strategy::sample(&strategy::filters(&events), 120);
    let pairs = filters
        .chunks(2)
        .map(|pair| pair[0].clone().intersect(pair[1].clone()));
    for (filter, by) in pairs.zip(groupings()) {
        check((&reader, &counting), &events, &filter, by).await;
    }
}

#[tokio::test]
async fn events_of_every_kind_are_found_by_what_they_hold() {
    let events = strategy::sample(&strategy::batches(40), 1).remove(0);
    let (database, reader) = stored(&events).await;
    let counting = counting(&database).await;
    let filters = strategy::sample(&strategy::filters(&events), 60);
    for (filter, by) in filters.iter().zip(groupings()) {
        check((&reader, &counting), &events, filter, by).await;
    }
}

/// What means something to SQL, to LIKE, to JSON or to the server's texts.
#[tokio::test]
async fn odd_values_are_values() {
    let events = strategy::sample(&strategy::clusters(40), 1).remove(0);
    let (_database, reader) = stored(&events).await;
    let odd = [
        "",
        "*",
        "%",
        "_",
        "\\",
        "\\*",
        "'",
        "''",
        "$1",
        "\"",
        "{}",
        "\0",
        "a\0b",
        "null",
        "k\\_7f3",
        "Ä",
        "ı",
        "K_7F3",
        "--",
        "/*",
        "\u{feff}",
        "🏳\u{fe0f}",
    ];
    for text in odd {
        for field in [TextField::Tool, TextField::Key, TextField::Method] {
            let conditions = [
                Condition::Text(field, Glob::exact(text)),
                Condition::Text(field, Glob::new(text)),
                Condition::Text(field, Glob::new(&format!("{text}*"))),
                Condition::Contains(text.into()),
            ];
            for condition in conditions {
                let with = Filter::all().with(condition.clone());
                let or = with
                    .clone()
                    .with(Condition::Text(field, Glob::exact("k_7f3")));
                let without = Filter::all().without(condition);
                for filter in [with, or, without] {
                    let expected = events.iter().filter(|event| filter.matches(event)).count();
                    let page = reader
                        .page(&PageRequest::new(filter.clone()))
                        .await
                        .unwrap();
                    assert_eq!(page.events.len(), expected, "{filter}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_filter_of_more_terms_than_the_server_takes_is_the_askers_fault() {
    let (_database, reader) = stored(&[]).await;
    let words = (0..4_000).map(|n| Condition::Contains(n.to_string().into()));
    let filter = words.fold(Filter::all(), Filter::with);
    let error = reader.page(&PageRequest::new(filter)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("terms"), "{error}");
}

#[tokio::test]
async fn of_many_groups_the_largest_are_shown() {
    let database = Database::new().await;
    // 3,000 tools, of which the first hundred were called twice.
    let sql = many(
        "2026-01-01Z",
        3_100,
        "'tool ' || lpad((n % 3000)::text, 4, '0')",
    );
    database.run(&sql).await;
    let reader = database.reader().await;
    let by_tool = |limit| {
        let request = StatisticsRequest::new(Filter::all());
        let request = request.group_by(GroupBy::Text(TextField::Tool));
        request.limit(limit).unwrap()
    };
    let mut events = Vec::new();
    let mut request = PageRequest::new(Filter::all()).limit(1_000).unwrap();
    loop {
        let page = reader.page_with_payloads(&request).await.unwrap();
        events.extend(page.events);
        let Some(next) = page.next else { break };
        request = request.cursor(next).unwrap();
    }
    for limit in [1, 100, 150, 3_000, 10_000] {
        let request = by_tool(limit);
        let expected = Statistics::collect(&request, &events);
        for reader in &counting(&database).await {
            let answer = reader.statistics(&request).await.unwrap();
            assert_eq!(answer, expected, "{limit} rows");
        }
    }
}

#[tokio::test]
async fn gaps_are_found_among_many_numbers() {
    let database = Database::new().await;
    database.run(&many("2026-01-01Z", 20_000, "NULL")).await;
    database
        .run("DELETE FROM audit_events WHERE seq < 3 OR seq % 5000 = 0 OR seq BETWEEN 70 AND 80")
        .await;
    let reader = database.reader().await;
    let writer = WriterId::new("by hand").unwrap();
    let gaps = async |limit| {
        let gaps = reader.gaps(&writer, limit).await.unwrap();
        gaps.iter()
            .map(|gap| (gap.first.get(), gap.last.get()))
            .collect::<Vec<_>>()
    };
    let all = [
        (1, 2),
        (70, 80),
        (5_000, 5_000),
        (10_000, 10_000),
        (15_000, 15_000),
    ];
    assert_eq!(gaps(100).await, all);
    assert_eq!(gaps(2).await, all[..2]);
    assert_eq!(gaps(0).await, []);
    let nobody = WriterId::new("nobody").unwrap();
    assert_eq!(reader.gaps(&nobody, 10).await.unwrap(), []);
}

#[tokio::test]
async fn an_event_of_the_predecessor_is_found_by_the_id_it_had() {
    let (database, reader) = stored(&[fixture::event(1)]).await;
    let sql = format!(
        "INSERT INTO audit_legacy_ids VALUES ('0b1c', '{}')",
        fixture::event_id(1)
    );
    database.run(&sql).await;
    let found = reader.find_legacy("0b1c").await.unwrap();
    assert_eq!(found, Some(fixture::event_id(1)));
    for other in ["", "0B1C", "x\0", "' OR true"] {
        assert_eq!(reader.find_legacy(other).await.unwrap(), None);
    }
}

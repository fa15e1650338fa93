//! Equal answers to equal questions, beyond those of the suite.

use audit_core::event::{AuditEvent, CheckName, EventId, ToolName};
use audit_core::reader::{
    AuditReader, Condition, Filter, FollowRequest, GroupBy, Order, PageRequest, Statistics,
    StatisticsRequest, TextField, TimeBucket,
};
use audit_core::{ErrorKind, Glob};
use audit_memory::MemoryStore;
use audit_sqlite::SqliteStore;
use audit_testkit::{fixture, strategy};

use crate::database::{Database, keep};

async fn stored(events: &[AuditEvent]) -> (Database, SqliteStore) {
    let database = Database::new();
    let store = database.open().await;
    if !events.is_empty() {
        keep(&store, events).await;
    }
    (database, store)
}

/// Asks for a page in both orders, a count and statistics.
async fn check(reader: &SqliteStore, events: &[AuditEvent], filter: &Filter, by: GroupBy) {
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
        let answer = reader.statistics(&request).await.unwrap();
        let expected = Statistics::collect(&request, events);
        assert_eq!(answer, expected, "{filter} by {by:?}, {limit} rows");
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
    let (_database, reader) = stored(&events).await;
    let filters = strategy::sample(&strategy::filters(&events), 120);
    let pairs = filters
        .chunks(2)
        .map(|pair| pair[0].clone().intersect(pair[1].clone()));
    for (filter, by) in pairs.zip(groupings()) {
        check(&reader, &events, &filter, by).await;
    }
}

#[tokio::test]
async fn events_of_every_kind_are_found_by_what_they_hold() {
    let events = strategy::sample(&strategy::batches(40), 1).remove(0);
    let (_database, reader) = stored(&events).await;
    let filters = strategy::sample(&strategy::filters(&events), 60);
    for (filter, by) in filters.iter().zip(groupings()) {
        check(&reader, &events, filter, by).await;
    }
}

/// What means something to SQL, to LIKE, to GLOB, to JSON or to SQLite's texts.
#[tokio::test]
async fn odd_values_are_values() {
    let events = strategy::sample(&strategy::clusters(40), 1).remove(0);
    let (_database, reader) = stored(&events).await;
    let odd = [
        "",
        "*",
        "%",
        "?",
        "[a]",
        "[",
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

/// Every pattern of these pieces, up to four, on every text of them, up to three. The pieces are
/// what other ways to match would take for each other.
#[tokio::test]
async fn a_pattern_matches_bytes_and_its_parts_do_not_overlap() {
    let pieces = ["a", "A", "\u{fffd}", "\u{ffff}", "\u{10ffff}", "é"];
    let mut texts: Vec<String> = vec![String::new()];
    let mut patterns = vec![String::new()];
    for round in 0..3 {
        let longer = |all: &[String], pieces: &[&str]| -> Vec<String> {
            let pairs = all
                .iter()
                .flat_map(|head| pieces.iter().map(move |it| format!("{head}{it}")));
            pairs.collect()
        };
        let few = if round == 0 {
            &pieces[..]
        } else {
            &pieces[..2]
        };
        texts.extend(longer(&texts, few));
        patterns.extend(longer(&patterns, &[few, &["*"]].concat()));
        texts.sort_unstable();
        texts.dedup();
        patterns.sort_unstable();
        patterns.dedup();
    }
    let events: Vec<AuditEvent> = (1..)
        .zip(texts.iter().filter(|text| !text.is_empty()))
        .map(|(number, text)| {
            let tool = ToolName::new(text.as_str()).unwrap();
            fixture::stamp(fixture::draft(number).tool_name(tool), number)
        })
        .collect();
    let (_database, store) = stored(&events).await;
    for pattern in &patterns {
        for pattern in [pattern.clone(), format!("{pattern}*a")] {
            let condition = Condition::Text(TextField::Tool, Glob::new(&pattern));
            let filter = Filter::all().with(condition);
            let matching = events.iter().filter(|event| filter.matches(event)).count();
            let count = store.count(&filter, 10_000).await.unwrap();
            assert_eq!(
                count.n_events,
                u64::try_from(matching).unwrap(),
                "{pattern:?}"
            );
        }
    }
}

/// The search for one part stands once in that for the next, and not thrice.
#[tokio::test]
async fn a_pattern_of_many_parts_is_answered_at_once() {
    let event = |number, text: &str| {
        let tool = ToolName::new(text).unwrap();
        fixture::stamp(fixture::draft(number).tool_name(tool), number)
    };
    let events = [event(1, &"ab".repeat(60)), event(2, &"ab".repeat(59))];
    let (_database, store) = stored(&events).await;
    let parts = vec!["a"; 60].join("*");
    let condition = Condition::Text(TextField::Tool, Glob::new(&format!("{parts}*")));
    let filter = Filter::all().with(condition);
    let counted = store.count(&filter, 10).await.unwrap();
    assert_eq!(counted.n_events, 1);
    let page = store.page(&PageRequest::new(filter)).await.unwrap();
    assert_eq!(page.events, [events[0].summary()]);
}

#[tokio::test]
async fn a_filter_of_more_terms_than_sqlite_takes_is_the_askers_fault() {
    let (_database, reader) = stored(&[]).await;
    let words = (0..400).map(|n| Condition::Contains(n.to_string().into()));
    let filter = words.fold(Filter::all(), Filter::with);
    let error = reader.page(&PageRequest::new(filter)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("terms"), "{error}");
}

/// Whatever is asked, the store answers as the memory store does.
#[tokio::test]
async fn the_memory_store_answers_alike() {
    let events = strategy::sample(&strategy::clusters(80), 1).remove(0);
    let (_database, store) = stored(&events).await;
    let memory = MemoryStore::new();
    keep(&memory, &events).await;
    let readers: [&dyn AuditReader; 2] = [&store, &memory];
    for (filter, by) in strategy::sample(&strategy::filters(&events), 60)
        .into_iter()
        .zip(groupings())
    {
        let mut answers = Vec::new();
        for reader in readers {
            let request = PageRequest::new(filter.clone()).limit(7).unwrap();
            let first = reader.page_with_payloads(&request).await.unwrap();
            let summaries = reader.page(&request).await.unwrap();
            let second = match first.next {
                Some(next) => Some(reader.page(&request.cursor(next).unwrap()).await.unwrap()),
                None => None,
            };
            let statistics = StatisticsRequest::new(filter.clone())
                .group_by(by)
                .limit(3)
                .unwrap();
            let followed = reader
                .follow(&FollowRequest::new(filter.clone()))
                .await
                .unwrap();
            let followed: Vec<AuditEvent> =
                followed.events.into_iter().map(|it| it.event).collect();
            answers.push((
                first,
                summaries,
                second,
                reader.count(&filter, 5).await.unwrap(),
                reader.statistics(&statistics).await.unwrap(),
                reader.gaps(&events[0].writer, 4).await.unwrap(),
                reader.get(events[0].id).await.unwrap(),
                followed,
            ));
        }
        assert_eq!(answers[0], answers[1], "{filter}");
    }
}

//! How SQLite reads: which indexes, and that it sorts nothing whole.

use std::os::unix::fs::FileExt as _;

use audit_core::event::{Outcome, Timestamp};
use audit_core::payload::{Payload, PayloadContext, PayloadLimits, PayloadPolicy};
use audit_core::reader::{AuditReader, Condition, Filter, Order, PageRequest, Span, TextField};
use audit_core::sink::AuditSink;
use audit_core::{ErrorKind, Glob};
use audit_sqlite::SqliteStore;
use audit_testkit::fixture;

use crate::database::{Database, keep};

async fn store() -> (Database, SqliteStore) {
    let database = Database::new();
    let store = database.open().await;
    keep(&store, &fixture::events(1..=1_000)).await;
    (database, store)
}

/// Whether a page is read along this index and no other, in both orders, from the beginning and
/// from a cursor.
async fn is_read_along(store: &SqliteStore, filter: &Filter, index: &str) {
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let request = PageRequest::new(filter.clone())
            .order(order)
            .limit(5)
            .unwrap();
        let plan = store.reader().explain_page(&request).await.unwrap();
        let mut n_reads = 0;
        for line in plan.lines() {
            assert!(!line.contains("TEMP B-TREE"), "{filter}\n{plan}");
            if line.contains("audit_events") {
                n_reads += 1;
                assert!(
                    line.contains(&format!("{index} ")) || line.ends_with(index),
                    "{filter}\n{plan}"
                );
            }
        }
        assert!(n_reads > 0, "{filter}\n{plan}");
    }
}

fn text(field: TextField, text: &str) -> Condition {
    Condition::Text(field, Glob::new(text))
}

#[tokio::test]
async fn the_list_is_read_along_ids() {
    let (_database, store) = store().await;
    let index = "audit_events_id";
    let time = Span::at_least(Timestamp::from_micros(1_700_000_000_000_000).unwrap());
    for filter in [
        Filter::all(),
        Filter::all().with(text(TextField::Role, "admin")),
        Filter::all().with(text(TextField::Tool, "delete_*")),
        Filter::all().with(Condition::Time(time)),
        Filter::all().with(Condition::Contains("x".into())),
        Filter::all().with(Condition::Id(fixture::event_id(3))),
    ] {
        is_read_along(&store, &filter, index).await;
    }
}

#[tokio::test]
async fn a_list_of_few_is_read_along_their_index() {
    let (_database, store) = store().await;
    let tool = text(TextField::Tool, "search");
    let key = text(TextField::Key, "k_1");
    let session = text(TextField::Session, "s_1");
    let denied = Condition::Outcome(Outcome::Denied);
    let cases = [
        (Filter::all().with(tool.clone()), "audit_events_tool_name"),
        (
            Filter::all()
                .with(tool.clone())
                .with(text(TextField::Tool, "fetch")),
            "audit_events_tool_name",
        ),
        (
            Filter::all().with(tool.clone()).with(key.clone()),
            "audit_events_api_key_id",
        ),
        (
            Filter::all()
                .with(tool.clone())
                .with(key.clone())
                .with(denied.clone()),
            "audit_events_outcome",
        ),
        (
            Filter::all().with(tool).with(session).with(denied),
            "audit_events_session_id",
        ),
        (
            Filter::all().without(Condition::Outcome(Outcome::Ok)),
            "audit_events_outcome",
        ),
        (
            Filter::all()
                .without(Condition::Outcome(Outcome::Ok))
                .without(Condition::Outcome(Outcome::ToolError))
                .with(text(TextField::Role, "admin")),
            "audit_events_outcome",
        ),
    ];
    for (filter, index) in cases {
        is_read_along(&store, &filter, index).await;
    }
}

/// Where payloads are damaged and the list is not, only who asks for payloads notices.
#[tokio::test]
async fn a_list_reads_no_payload() {
    let database = Database::new();
    let store = database.open().await;
    let n_pages = async || database.value::<i64>("PRAGMA page_count").await;
    let before = n_pages().await;
    let limits = PayloadLimits::MAX;
    let policy = PayloadPolicy::builder().limits(limits).build().unwrap();
    let large = "x".repeat(30_000);
    let large = Payload::from_text(&large, &PayloadContext::request(&policy));
    let draft = fixture::draft(1).request(large.clone()).response(large);
    let event = fixture::stamp(draft, 1);
    keep(&store, std::slice::from_ref(&event)).await;
    let behind = n_pages().await;
    store.close().await.unwrap();
    drop(store);
    assert!(behind - before > 5, "{before} and {behind} pages");
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(database.path())
        .unwrap();
    // From the third page of the event on, where no more than payloads can be: the first one tells
    // where the next is, which is nowhere.
    for page in before + 2..behind {
        let offset = u64::try_from(page * 4_096).unwrap();
        file.write_all_at(&[0xff; 4_096], offset).unwrap();
    }
    let config = database.config().check_on_open(false);
    let store = SqliteStore::open(&config).await.unwrap();
    let page = store.page(&PageRequest::new(Filter::all())).await.unwrap();
    assert_eq!(page.events, [event.summary()]);
    let error = store
        .page_with_payloads(&PageRequest::new(Filter::all()))
        .await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Corrupt);
}

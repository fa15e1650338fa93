//! Inputs that others have collected, stored and read back: JSONTestSuite and the naughty strings.
//!
//! The folder comes from `AUDIT_CORPORA`. Without it, a small set of the same kinds that stands
//! here is used; with it, an empty folder is an error.

use std::fs;
use std::path::{Path, PathBuf};

use audit_core::event::{AuditEvent, ClientName, EventDraft, Reason, RequestId, ToolName};
use audit_core::event::{Check, Client, Decision};
use audit_core::payload::{Payload, PayloadContext, PayloadLimits, PayloadPolicy};
use audit_core::reader::{AuditReader, Filter, FollowRequest, Order, PageRequest};
use audit_testkit::{fixture, strategy};
use proptest::prelude::*;

use crate::database::{Database, keep};

fn corpora() -> Option<PathBuf> {
    // A relative folder is meant from the root of the workspace, where the tests are started.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = std::env::var_os("AUDIT_CORPORA").filter(|folder| !folder.is_empty());
    let may_be_missing = std::env::var_os("AUDIT_TEST_ALL").is_none_or(|it| it.is_empty());
    assert!(
        folder.is_some() || may_be_missing,
        "AUDIT_TEST_ALL leaves nothing out: name the folder of the corpora in AUDIT_CORPORA"
    );
    folder.map(|folder| root.join(folder))
}

/// Documents of JSONTestSuite's kinds, for who has not got the suite.
const DOCUMENTS: &[&[u8]] = &[
    b"[]",
    b"{}",
    b"[\"\\u0000\"]",
    b"{\"\\u0000\":0}",
    b"[\"\\uDADA\"]",
    b"[\"\xff\"]",
    b"[1e400000]",
    b"[-0]",
    b"[123e-10000000]",
    b"\xef\xbb\xbf[]",
    b"[1,]",
    b"{\"a\"",
    b"[\"a\x00b\"]",
    b"[NaN]",
    b"",
    b"{\"a\":1,\"a\":2}",
    b"[\"\t\"]",
    b"[[[[[[[[[[1]]]]]]]]]]",
    b"null",
    b"\"\"",
    b"0.1",
    b"1E+2",
];

/// Strings of the naughty kinds.
const STRINGS: &[&str] = &[
    "undefined",
    "1e100",
    "Ω≈ç√∫˜µ≤≥÷",
    "👨‍👩‍👦",
    "１２３",
    "\u{feff}",
    "\u{202e}abc",
    "'; DROP TABLE users--",
    "%s%n%x",
    "\"\\\\\"",
    "🏳0🌈️",
    "\r\n\t",
    "\u{1}\u{8}\u{1f}\u{7f}",
];

fn documents() -> Vec<Vec<u8>> {
    let Some(folder) = corpora() else {
        return DOCUMENTS.iter().map(|text| text.to_vec()).collect();
    };
    let folder = folder.join("json-test-suite/test_parsing");
    let files = fs::read_dir(&folder).expect("AUDIT_CORPORA holds json-test-suite");
    let read = |file: std::io::Result<fs::DirEntry>| fs::read(file?.path());
    let documents: Result<Vec<_>, _> = files.map(read).collect();
    let documents = documents.expect("readable files");
    let n_files = documents.len();
    assert!(n_files >= 318, "{} has {n_files} files", folder.display());
    documents
}

fn strings() -> Vec<String> {
    let Some(folder) = corpora() else {
        return STRINGS.iter().map(|&text| text.to_owned()).collect();
    };
    let text = fs::read(folder.join("blns.json")).expect("AUDIT_CORPORA holds blns.json");
    let strings: Vec<String> = serde_json::from_slice(&text).expect("a list of strings");
    assert!(strings.len() >= 500, "{} strings", strings.len());
    strings
}

/// Stores the events, and reads them back in every way.
async fn check(events: &[AuditEvent]) {
    let database = Database::new().await;
    let (sink, reader) = (database.sink().await, database.reader().await);
    for batch in events.chunks(200) {
        keep(&sink, batch).await;
        // What was stored is the same fact.
        keep(&sink, batch).await;
    }
    for event in events {
        let found = reader.get(event.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(event));
    }
    let request = PageRequest::new(Filter::all()).order(Order::OldestFirst);
    let request = request.limit(1_000).unwrap();
    let page = reader.page_with_payloads(&request).await.unwrap();
    assert_eq!(page.events, events);
    let summaries: Vec<_> = events.iter().map(AuditEvent::summary).collect();
    assert_eq!(reader.page(&request).await.unwrap().events, summaries);
    let request = FollowRequest::new(Filter::all()).limit(1_000).unwrap();
    let request = request.wait(std::time::Duration::from_secs(30));
    let mut followed = Vec::new();
    let mut from = audit_core::reader::FollowFrom::Beginning;
    while followed.len() < events.len() {
        let answer = reader.follow(&request.clone().from(from)).await.unwrap();
        assert!(!answer.events.is_empty(), "{} events", followed.len());
        followed.extend(answer.events.into_iter().map(|it| it.event));
        from = audit_core::reader::FollowFrom::After(answer.position);
    }
    assert_eq!(followed, events);
}

/// An event for each, numbered from 1.
fn events<T>(items: &[T], fill_in: impl Fn(EventDraft, &T) -> EventDraft) -> Vec<AuditEvent> {
    let numbered = (1..).zip(items);
    numbered
        .map(|(number, item)| fixture::stamp(fill_in(fixture::draft(number), item), number))
        .collect()
}

#[tokio::test]
async fn every_document_comes_back_as_it_was_kept() {
    let documents = documents();
    let policy = PayloadPolicy::default();
    let events = events(&documents, |draft, document| {
        draft
            .request(Payload::from_json(
                document,
                &PayloadContext::request(&policy),
            ))
            .response(Payload::from_json(
                document,
                &PayloadContext::response(&policy),
            ))
    });
    eprintln!("{} documents", events.len());
    check(&events).await;
}

#[tokio::test]
async fn every_string_comes_back_as_it_was_kept() {
    let strings = strings();
    let policy = PayloadPolicy::default();
    let events = events(&strings, |draft, text| {
        let draft = draft
            .request(Payload::from_text(text, &PayloadContext::request(&policy)))
            .response(Payload::from_headers(
                [(text, text)],
                &PayloadContext::response(&policy),
            ));
        // A field takes what it takes; what it took must come back.
        let draft = match ToolName::new(text.as_str()) {
            Ok(tool) => draft.tool_name(tool),
            Err(_) => draft,
        };
        let draft = match RequestId::new(text.as_str()) {
            Ok(request) => draft.request_id(request),
            Err(_) => draft,
        };
        let draft = match ClientName::new(text.as_str()) {
            Ok(name) => draft.client(Client::new().name(name)),
            Err(_) => draft,
        };
        match Reason::new(text.as_str()) {
            Ok(reason) => draft.decision(Decision::new().authz(Check::denied(reason))),
            Err(_) => draft,
        }
    });
    eprintln!("{} strings", events.len());
    check(&events).await;
}

/// What looks most like something that a store or its driver stumbles over.
const HOSTILE: &[&str] = &[
    r#"["\u0000"]"#,
    r#"{"\u0000":"\u0000"}"#,
    r#"["\ud800"]"#,
    "[1e400000]",
    "[-1e-400000]",
    "[123456789012345678901234567890123456789012345678901234567890]",
    "{\"a\":1,\"a\":2}",
    "[\"\u{0}\"]",
    "\"'); DROP TABLE audit_events; --\"",
    "[\"\\.\",\"\\N\",\"{}\",\"\u{feff}\"]",
    "{\"\":{\"\":{\"\":[]}}}",
    "not json at all",
    "",
];

#[tokio::test]
async fn p17_one_hostile_event_loses_no_other() {
    let policy = PayloadPolicy::default();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let long = format!("[\"{}\"]", "\\u0000".repeat(100_000));
    let broken = b"[\"\xff\xfe\xc0\x80\"]";
    let hostile = HOSTILE.iter().map(|text| text.as_bytes());
    let hostile: Vec<&[u8]> = hostile
        .chain([deep.as_bytes(), long.as_bytes(), broken])
        .collect();
    let database = Database::new().await;
    let (sink, reader) = (database.sink().await, database.reader().await);
    for (first, input) in (1..).step_by(10).zip(hostile) {
        // The neighbors before and behind it in its batch.
        let mut batch = fixture::events(first..first + 5);
        let draft = fixture::draft(first + 2)
            .request(Payload::from_json(input, &PayloadContext::request(&policy)))
            .response(Payload::from_json(
                input,
                &PayloadContext::response(&policy),
            ));
        batch[2] = fixture::stamp(draft, first + 2);
        keep(&sink, &batch).await;
        for event in &batch {
            let found = reader.get(event.id).await.unwrap();
            assert_eq!(found.as_ref(), Some(event), "{:?}", input.escape_ascii());
        }
    }
    let n_letters: i64 = database
        .value("SELECT count(*) FROM audit_dead_letters")
        .await;
    assert_eq!(n_letters, 0);
}

/// Payloads as clients may send them: any JSON, and JSON that was cut or spoilt.
fn inputs() -> impl Strategy<Value = Vec<u8>> {
    let spoilt = (
        strategy::json(),
        any::<proptest::sample::Index>(),
        any::<u8>(),
    );
    let spoilt = spoilt.prop_map(|(json, at, byte)| {
        let mut bytes = json.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    });
    let cut = (strategy::json(), any::<proptest::sample::Index>());
    let cut = cut.prop_map(|(json, at)| {
        let mut bytes = json.into_bytes();
        bytes.truncate(at.index(bytes.len()));
        bytes
    });
    let whole = strategy::json().prop_map(String::into_bytes);
    let noise = proptest::collection::vec(any::<u8>(), 0..200);
    prop_oneof![4 => whole, 2 => spoilt, 2 => cut, 1 => noise]
}

#[tokio::test]
async fn p2_postgres_takes_any_payload() {
    let small = PayloadLimits::MIN;
    let limits = [
        small,
        small.with_bytes(200).with_depth(3).with_items(5),
        PayloadLimits::default(),
        PayloadLimits::MAX,
    ];
    let database = Database::create().await;
    let inputs = strategy::sample(&inputs(), 2_000);
    for limits in limits {
        let policy = PayloadPolicy::builder().limits(limits).build().unwrap();
        let kept: Vec<String> = inputs
            .iter()
            .map(|input| Payload::from_json(input, &PayloadContext::request(&policy)))
            .filter_map(|payload| payload.json().map(str::to_owned))
            .collect();
        assert!(kept.len() > 1_000, "{} payloads", kept.len());
        for (batch, inputs) in kept.chunks(200).zip(inputs.chunks(200)) {
            let query = "SELECT count(*) FROM unnest($1::text[]) AS of (json) WHERE json::jsonb IS NOT NULL";
            let taken = sqlx::query_scalar::<_, i64>(query).bind(batch);
            let taken = taken.fetch_one(database.pool()).await;
            let taken = taken.unwrap_or_else(|error| panic!("{error}, one of {inputs:?}"));
            assert_eq!(usize::try_from(taken).unwrap(), batch.len());
        }
    }
}

//! Inputs that others have collected, stored and read back: JSONTestSuite and the naughty strings.
//!
//! The folder comes from `AUDIT_CORPORA`. Without it, a small set of the same kinds that stands
//! here is used; with it, an empty folder is an error.

use std::fs;
use std::path::{Path, PathBuf};

use audit_core::event::{AuditEvent, ClientName, EventDraft, Reason, RequestId, ToolName};
use audit_core::event::{Check, Client, Decision};
use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};
use audit_core::reader::{AuditReader, Filter, FollowRequest, Order, PageRequest};
use audit_testkit::fixture;

use crate::database::{Database, keep};

fn corpora() -> Option<PathBuf> {
    // A relative folder is meant from the root of the workspace, where the tests are started.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::env::var_os("AUDIT_CORPORA").map(|folder| root.join(folder))
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

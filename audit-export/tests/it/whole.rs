//! What is exported is what is stored.

use std::io::Cursor;
use std::sync::Arc;

use audit_core::reader::{Filter, Page};
use audit_core::{AuditEvent, AuditSink as _, Error, ErrorKind};
use audit_export::{Compression, Export, ExportFormat, ExportReader, ExportRequest, verify};
use audit_testkit::{MockAuditReader, fixture};
use futures_util::TryStreamExt as _;
use proptest::prelude::*;

use crate::support::{begin, jsonl, requests, rest, store, whole};

fn read_back(file: Vec<u8>) -> Vec<AuditEvent> {
    let mut reader = ExportReader::new(Cursor::new(file)).unwrap();
    let mut events = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        let text = std::str::from_utf8(row.text).unwrap();
        events.push(AuditEvent::from_json(text).unwrap());
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_many_events_equals_the_store() {
    let events = fixture::events(1..=12_345);
    let store = store(&events).await;
    for compression in [Compression::None, Compression::Zstd] {
        let request = jsonl().compression(compression);
        let mut export = begin(&store, &request).await;
        let file = rest(&mut export).await;
        assert_eq!(export.progress().n_rows, 12_345);
        assert_eq!(export.progress().fraction, Some(1.0));
        assert_eq!(verify(Cursor::new(file.clone())).unwrap(), export.totals());
        assert_eq!(read_back(file), events);
    }
}

#[tokio::test]
async fn an_export_holds_what_matches_and_no_more() {
    let events = fixture::events(1..=300);
    let store = store(&events).await;
    let text = format!("time:{}..{}", events[20].ts, events[39].ts);
    let filter = Filter::parse(&text, fixture::moment(1)).unwrap();
    let request = ExportRequest::new(filter, ExportFormat::Jsonl);
    assert_eq!(read_back(whole(&store, &request).await), events[20..40]);
}

#[tokio::test]
async fn an_export_of_nothing_is_whole_too() {
    let store = store(&[]).await;
    for request in requests() {
        let file = whole(&store, &request).await;
        assert_eq!(verify(Cursor::new(file)).unwrap().n_rows, 0, "{request:?}");
    }
}

#[tokio::test]
async fn what_is_stored_behind_the_newest_event_is_not_waited_for() {
    let events = fixture::events(1..=40);
    let store = store(&events[..30]).await;
    let mut export = begin(&store, &jsonl()).await;
    assert!(store.append(&events[30..]).await.unwrap().is_all_kept());
    assert_eq!(read_back(rest(&mut export).await), events[..30]);
}

#[tokio::test]
async fn as_a_stream_it_has_the_same_bytes() {
    let store = store(&fixture::events(1..=700)).await;
    for request in requests() {
        let chunks: Vec<_> = begin(&store, &request)
            .await
            .into_stream()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(
            chunks.concat(),
            whole(&store, &request).await,
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn a_store_that_fails_is_an_error_and_no_end_of_the_file() {
    let events = fixture::events(1..=2_000);
    let newest = events.last().unwrap().summary();
    let mut reader = MockAuditReader::new();
    reader
        .expect_page()
        .returning(move |request| Ok(Page::assemble(request, vec![newest.clone()])));
    reader
        .expect_page_with_payloads()
        .returning(move |request| {
            let scan = request.scan();
            match scan.bound {
                None => Ok(Page::assemble(request, events[..scan.limit].to_vec())),
                Some(_) => Err(Error::new(ErrorKind::Unavailable, "the server went away")),
            }
        });
    let mut export = Export::begin(Arc::new(reader), jsonl()).await.unwrap();
    let mut file = Vec::new();
    let error = loop {
        match export.next_chunk().await {
            Ok(Some(chunk)) => file.extend_from_slice(&chunk),
            Ok(None) => panic!("the export ended as if it were whole"),
            Err(error) => break error,
        }
    };
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!(export.next_chunk().await.unwrap(), None);
    assert!(verify(Cursor::new(file)).unwrap_err().is_cut());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_events_come_back_as_they_were(events in audit_testkit::strategy::batches(12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = store(&events).await;
            let mut expected = store.recorded();
            expected.sort_by_key(|event| event.id);
            for request in requests() {
                let file = whole(&store, &request).await;
                let totals = verify(Cursor::new(file.clone())).unwrap();
                assert_eq!(totals.n_rows, expected.len() as u64);
                if request == jsonl() {
                    assert_eq!(read_back(file), expected);
                }
            }
        });
    }
}

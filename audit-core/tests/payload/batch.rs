//! P17: a hostile payload loses no other event of its batch.

use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::AuditEvent;
use audit_core::payload::{
    CallerCredential, Payload, PayloadContext, PayloadFailure, PayloadPolicy,
};
use audit_core::sink::{Appended, AuditSink, Durability};
use audit_memory::MemoryStore;
use audit_testkit::fixture;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Says a secret and panics.
struct Panicking;

impl Serialize for Panicking {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("password", "some words")?;
        std::panic::panic_any(())
    }
}

/// Payloads that lost events, or whole batches, elsewhere.
fn hostile() -> Vec<Payload> {
    let policy = PayloadPolicy::default();
    let credentials = [CallerCredential::new(r#"","value":"#)];
    let context = PayloadContext::request(&policy);
    let inputs: [&[u8]; 17] = [
        b"{\"a\\u0000b\":\"\\u0000\"}",
        b"[\"\\ud800\",\"\\udc00\\ud800\"]",
        b"\"\xff\xed\xa0\x80\"",
        b"[1e400000,1e131071,-1e-400,NaN]",
        b"[1e400000,1e131071,-1e-400]",
        b"{\"a\":1,\"a\":2,\"a\":3}",
        b"{\"a\":[1,{\"b\":",
        b"hello",
        b"",
        b"\x00",
        b"'; DROP TABLE audit_events--",
        b"\"'; DROP TABLE audit_events--\"",
        b"\"\\\\x00 \\\\u0000 \\\\N\\t\\r\\n\"",
        b"{\"[REDACTED:password]\":\"[TRUNCATED]\"}",
        b"{\"\":{\"\":{\"\":\"\"}}}",
        b"\xef\xbb\xbf{}",
        b"null",
    ];
    let mut payloads: Vec<Payload> = inputs
        .iter()
        .map(|input| Payload::from_json(input, &context))
        .collect();
    for large in [
        "[".repeat(1_000_000),
        format!("[\"{}\"]", "A".repeat(10_000_000)),
        format!("[{}0]", "0,".repeat(1_000_000)),
        format!("{{{}\"a\":0}}", "\"a\":0,".repeat(100_000)),
    ] {
        payloads.push(Payload::from_json(large, &context));
    }
    payloads.push(Payload::from_serialize(&Panicking, &context));
    payloads.push(Payload::from_serialize(&f64::NAN, &context));
    payloads.push(Payload::from_text("\u{0}\u{ffff}", &context));
    payloads.push(Payload::from_headers([("\u{0}", b"\xff\x00")], &context));
    let withheld = Payload::from_json(
        r#"{"a":"x","value":"y"}"#,
        &context.credentials(&credentials),
    );
    assert_eq!(withheld.report().failure, Some(PayloadFailure::Withheld));
    payloads.push(withheld);
    payloads
}

/// One hostile event among ordinary ones.
fn batch(payload: &Payload, first: u64) -> Vec<AuditEvent> {
    let ordinary = fixture::events(first..first + 5);
    let draft = fixture::full_draft(first + 5)
        .request(payload.clone())
        .response(payload.clone());
    let mut batch = ordinary;
    batch.insert(2, fixture::stamp(draft, first + 5));
    batch
}

#[tokio::test]
async fn p17_a_hostile_payload_loses_no_other_event_of_its_batch() {
    let store = MemoryStore::new();
    let mut expected = Vec::new();
    for (i, payload) in hostile().iter().enumerate() {
        let batch = batch(payload, 1 + 10 * u64::try_from(i).unwrap());
        let appended = store.append(&batch).await.unwrap();
        let all = Appended::all_stored(batch.len());
        assert_eq!(appended.receipts(), all.receipts(), "{payload:?}");
        for event in &batch {
            let again = AuditEvent::from_json(&event.to_json()).unwrap();
            assert_eq!(&again, event, "{payload:?}");
        }
        expected.extend(batch);
    }
    assert_eq!(store.recorded(), expected);
}

#[tokio::test]
async fn p17_a_hostile_payload_loses_no_other_call_of_a_logger() {
    let store = MemoryStore::new();
    let logger = AuditLogger::builder(store.clone())
        .durability(Durability::Committed)
        .build()
        .unwrap();
    let payloads = hostile();
    let mut waiting = Vec::new();
    for (i, payload) in payloads.iter().enumerate() {
        let number = 1 + 2 * u64::try_from(i).unwrap();
        let hostile = fixture::draft(number).request(payload.clone());
        let other = fixture::draft(number + 1).request(fixture::payload("{\"query\":1}"));
        for draft in [hostile, other] {
            let logger = logger.clone();
            waiting.push(tokio::spawn(async move { logger.log_event(draft).await }));
        }
    }
    for call in waiting {
        call.await.unwrap().unwrap();
    }
    assert_eq!(store.n_events(), payloads.len() * 2);
    assert!(logger.shutdown(Duration::from_secs(10)).await.is_complete());
}

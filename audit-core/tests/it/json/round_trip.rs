//! Reading what was written gives the same event, for every event.

use audit_core::event::AuditEvent;
use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};
use audit_testkit::{fixture, strategy};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_event_is_read_as_it_was_written(event in strategy::events()) {
        let json = event.to_json();
        prop_assert!(!json.contains('\n'), "one line: {json}");
        let read = AuditEvent::from_json(&json).unwrap();
        prop_assert_eq!(&read, &event, "{}", json);
        prop_assert_eq!(read.to_json(), json);
    }

    /// A store may keep the text as any JSON: other spaces, keys in another order.
    #[test]
    fn an_event_is_read_however_its_json_is_spelled(event in strategy::events()) {
        let value: serde_json::Value = serde_json::from_str(&event.metadata_json()).unwrap();
        let spelled = serde_json::to_string_pretty(&value).unwrap();
        let read = AuditEvent::from_json(&spelled).unwrap();
        prop_assert_eq!(&*read, &*event, "{}", spelled);
    }
}

/// The JSON of an event without its payloads, of which serde's values would round the numbers.
trait MetadataJson {
    fn metadata_json(&self) -> String;
}

impl MetadataJson for AuditEvent {
    fn metadata_json(&self) -> String {
        let mut json: serde_json::Value = serde_json::from_str(&self.to_json()).unwrap();
        for field in ["request_json", "response_json", "payload_report"] {
            json.as_object_mut().unwrap().remove(field);
        }
        json.to_string()
    }
}

#[test]
fn the_ends_of_every_range_are_read_as_they_were_written() {
    let events = [
        fixture::event(1),
        fixture::full_event(2),
        fixture::largest_event(3),
        fixture::stamp(fixture::draft(4), 4),
    ];
    for event in events {
        assert_eq!(AuditEvent::from_json(&event.to_json()).unwrap(), event);
    }
}

/// `null` was handed over, nothing was handed over, and something was handed over and not kept:
/// three things that must not be mixed up.
#[test]
fn a_payload_of_null_is_not_a_missing_payload() {
    let null = fixture::stamp(fixture::draft(1).request(fixture::payload("null")), 1);
    let none = fixture::stamp(fixture::draft(1), 1);
    let not_json = fixture::stamp(fixture::draft(1).request(fixture::payload("{{")), 1);
    let policy = PayloadPolicy::default();
    let empty = Payload::from_json("", &PayloadContext::request(&policy));
    let empty = fixture::stamp(fixture::draft(1).request(empty), 1);
    for event in [&null, &none, &not_json, &empty] {
        let read = AuditEvent::from_json(&event.to_json()).unwrap();
        assert_eq!(&read, event, "{}", event.to_json());
    }
    assert_ne!(null, none);
    assert_ne!(null, not_json);
}

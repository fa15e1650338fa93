//! What a later version adds is passed over; what it changes is refused with a word why.

use audit_core::event::AuditEvent;
use audit_testkit::fixture;
use serde_json::{Value, json};

use super::{changed, refused};

#[test]
fn unknown_fields_are_passed_over_at_every_depth() {
    let added = json!({"since": "version 1.9", "list": [1, null]});
    let places = [
        "",
        "/decision",
        "/decision/auth",
        "/decision/rate",
        "/client",
        "/payload_report",
        "/payload_report/request",
    ];
    for place in places {
        let json = changed(|json| {
            let object = json.pointer_mut(place).and_then(Value::as_object_mut);
            object.unwrap().insert("new_field".into(), added.clone());
        });
        let read = AuditEvent::from_json(&json).unwrap();
        assert_eq!(read, fixture::full_event(7), "at `{place}`");
    }
}

#[test]
fn fields_that_may_be_absent_may_also_be_null_and_the_other_way_round() {
    let left_out = [
        "upstream",
        "session_id",
        "trace_id",
        "span_id",
        "request_id",
    ];
    let always_there = ["api_key_id", "tool_name", "request_json", "response_json"];
    for field in left_out.into_iter().chain(always_there) {
        let remove = |json: &mut Value| {
            let object = json.as_object_mut().unwrap();
            object.remove(field).unwrap();
            object.remove("payload_report").unwrap();
            object.remove("request_json");
            object.remove("response_json");
        };
        let absent = AuditEvent::from_json(&changed(remove)).unwrap();
        let null = changed(|json| {
            remove(json);
            json[field] = Value::Null;
        });
        assert_eq!(AuditEvent::from_json(&null).unwrap(), absent, "{field}");
    }
}

#[test]
fn a_newer_schema_is_refused_with_what_to_do() {
    let error = refused(&changed(|json| json["schema"] = json!(2)));
    let expected = "the event has schema 2, this version reads up to 1: update the reader";
    assert_eq!(error.to_string(), expected);
}

/// A newer schema may have changed any field: what this version cannot read must not hide why.
#[test]
fn a_newer_schema_is_named_whatever_else_it_changed() {
    let error = refused(&changed(|json| {
        json["schema"] = json!(3);
        json["status_code"] = json!("too many requests");
        json.as_object_mut().unwrap().remove("seq");
    }));
    assert!(error.to_string().contains("has schema 3"), "{error}");
}

#[test]
fn a_schema_of_nothing_is_refused() {
    for schema in [json!(0), json!(-1), json!("1"), json!(null), json!(1.5)] {
        let error = refused(&changed(|json| json["schema"] = schema.clone()));
        assert!(!error.to_string().is_empty());
    }
    let error = refused(&changed(|json| {
        drop(json.as_object_mut().unwrap().remove("schema"))
    }));
    assert!(error.to_string().contains("not the JSON form"), "{error}");
}

//! What is no event is refused, by an error that never repeats what stood there.

use audit_core::event::{AuditEvent, InvalidField};
use serde_json::{Value, json};

use super::{changed, refused, whole_text};

/// A value that must not come up again.
const CANARY: &str = "canary-7f3a";

#[test]
fn a_field_that_is_always_there_is_missed() {
    let required = [
        "schema",
        "id",
        "ts",
        "role",
        "method",
        "status_code",
        "latency_ms",
        "decision",
        "outcome",
        "writer",
        "seq",
    ];
    for field in required {
        let json = changed(|json| drop(json.as_object_mut().unwrap().remove(field)));
        let error = refused(&json);
        assert!(
            error
                .to_string()
                .starts_with("not the JSON form of an event"),
            "{field}: {error}"
        );
    }
}

#[test]
fn a_value_of_another_type_is_refused_and_not_repeated() {
    let fields = [
        "id",
        "ts",
        "api_key_id",
        "role",
        "method",
        "tool_name",
        "status_code",
        "latency_ms",
        "decision",
        "outcome",
        "upstream",
        "upstream_latency_ms",
        "session_id",
        "request_id",
        "trace_id",
        "span_id",
        "client",
        "writer",
        "seq",
        "payload_report",
    ];
    for field in fields {
        for wrong in [json!([CANARY]), json!({ CANARY: CANARY }), json!(true)] {
            // An object of unknown fields alone is an empty client or report: tolerated.
            let is_tolerated = wrong.is_object() && ["client", "payload_report"].contains(&field);
            if is_tolerated {
                continue;
            }
            let error = refused(&changed(|json| json[field] = wrong.clone()));
            let text = whole_text(&error);
            assert!(!text.contains("canary"), "{field}: {text}");
        }
    }
}

#[test]
fn a_value_beyond_its_bound_names_the_field_and_is_not_repeated() {
    let long = CANARY.repeat(30);
    let cases = [
        ("id", json!("67e55044-10b1-426f-9247-bb680e5fe0c8"), "id"),
        ("id", json!(CANARY), "id"),
        ("ts", json!(CANARY), "ts"),
        ("ts", json!("1969-12-31T23:59:59.999999Z"), "ts"),
        ("api_key_id", json!(""), "api_key_id"),
        ("role", json!(long), "role"),
        ("method", json!(""), "method"),
        ("method", json!(format!("{CANARY}\0")), "method"),
        ("tool_name", json!(long), "tool_name"),
        ("status_code", json!(1_000), "status_code"),
        ("status_code", json!(-1), "status_code"),
        ("latency_ms", json!(-0.001), "latency_ms"),
        ("latency_ms", json!(1e300), "latency_ms"),
        ("outcome", json!(CANARY), "outcome"),
        ("upstream", json!(long), "upstream"),
        ("upstream_latency_ms", json!(-1), "upstream_latency_ms"),
        ("session_id", json!(""), "session_id"),
        ("request_id", json!(long), "request_id"),
        ("trace_id", json!(CANARY), "trace_id"),
        ("trace_id", json!("0".repeat(32)), "trace_id"),
        ("span_id", json!("ABCDEF0123456789"), "span_id"),
        ("writer", json!(long), "writer"),
        ("seq", json!(0), "seq"),
        ("seq", json!(u64::MAX), "seq"),
    ];
    for (field, value, named) in cases {
        let error = refused(&changed(|json| json[field] = value.clone()));
        let text = whole_text(&error);
        assert!(!text.contains("canary"), "{field}: {text}");
        let source = std::error::Error::source(&error).unwrap_or_else(|| panic!("{field}: {text}"));
        let source: &InvalidField = source.downcast_ref().unwrap();
        assert_eq!(source.field(), named, "{text}");
    }
}

#[test]
fn a_value_within_an_object_is_refused_and_not_repeated() {
    let long = CANARY.repeat(30);
    let cases = [
        (
            "/decision/auth/verdict",
            json!(CANARY),
            "`decision` is not a verdict",
        ),
        ("/decision/rate/reason", json!(long), "decision.reason"),
        ("/decision/rate/rule", json!(""), "decision.rule"),
        ("/client/name", json!(long), "client.name"),
        ("/client/version", json!(long), "client.version"),
        ("/client/address", json!("\0"), "client.address"),
    ];
    for (place, value, named) in cases {
        let error = refused(&changed(|json| *json.pointer_mut(place).unwrap() = value));
        let text = whole_text(&error);
        assert!(!text.contains("canary"), "{place}: {text}");
        assert!(text.contains(named), "{place}: {text}");
    }
    for (place, value) in [
        ("/decision/rate/limit", json!(-1)),
        ("/decision/rate/limit", json!(1_u64 << 32)),
    ] {
        let error = refused(&changed(|json| *json.pointer_mut(place).unwrap() = value));
        assert!(
            error.to_string().starts_with("not the JSON form"),
            "{place}: {error}"
        );
    }
}

#[test]
fn an_id_of_another_moment_is_refused() {
    let error = refused(&changed(|json| {
        json["ts"] = json!("2023-11-14T22:13:21.007000Z")
    }));
    assert!(
        whole_text(&error).contains("an id of the millisecond of `ts`"),
        "{error:?}"
    );
}

#[test]
fn a_payload_without_its_report_was_not_written_here() {
    for side in ["request", "response"] {
        let error = refused(&changed(|json| {
            json["payload_report"]
                .as_object_mut()
                .unwrap()
                .remove(side)
                .unwrap();
        }));
        assert!(whole_text(&error).contains("payload_report"), "{error:?}");
    }
}

#[test]
fn what_is_not_json_is_refused_and_not_repeated() {
    let whole = changed(|json| json["tool_name"] = json!(CANARY));
    for text in [
        "",
        "null",
        "[]",
        "{}",
        CANARY,
        "\"canary\"",
        &whole[..whole.len() - 1],
        &format!("{whole},"),
    ] {
        let text = whole_text(&refused(text));
        assert!(!text.contains("canary"), "{text}");
    }
}

/// A field that comes twice could be read as either: it is neither.
#[test]
fn a_field_that_comes_twice_is_refused() {
    let json = changed(|_| {});
    let twice = json.replacen('{', "{\"seq\":1,", 1);
    assert!(AuditEvent::from_json(&twice).is_err(), "{twice}");
    let value: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["seq"], 7);
}

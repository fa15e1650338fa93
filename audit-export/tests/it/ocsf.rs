//! OCSF as a SIEM reads it.

use audit_core::reader::Filter;
use audit_export::{ExportFormat, ExportRequest};
use audit_testkit::{fixture, strategy};
use serde_json::Value;

use crate::support::{store, whole};

async fn lines(events: &[audit_core::AuditEvent]) -> Vec<Value> {
    let request = ExportRequest::new(Filter::all(), ExportFormat::Ocsf);
    let file = whole(&store(events).await, &request).await;
    let text = String::from_utf8(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What the schema requires of an API Activity.
fn has_what_is_required(line: &Value) {
    for path in [
        "/activity_id",
        "/category_uid",
        "/class_uid",
        "/severity_id",
        "/time",
        "/type_uid",
        "/metadata/version",
        "/metadata/product/name",
        "/actor/user",
        "/api/operation",
        "/api/request/uid",
    ] {
        assert!(
            line.pointer(path).is_some_and(|it| !it.is_null()),
            "{path}: {line}"
        );
    }
    let endpoint = &line["src_endpoint"];
    assert!(
        endpoint["ip"].is_string() || endpoint["name"].is_string(),
        "{line}"
    );
    let user = &line["actor"]["user"];
    assert!(
        user["uid"].is_string() || user["name"].is_string(),
        "{line}"
    );
    let type_uid =
        line["class_uid"].as_u64().unwrap() * 100 + line["activity_id"].as_u64().unwrap();
    assert_eq!(line["type_uid"], type_uid);
}

#[tokio::test]
async fn an_event_is_an_api_activity() {
    let event = fixture::full_event(1);
    let lines = lines(std::slice::from_ref(&event)).await;
    let line = &lines[0];
    has_what_is_required(line);
    assert_eq!(line["class_uid"], 6003);
    assert_eq!(line["metadata"]["uid"], event.id.to_string());
    assert_eq!(
        line["actor"]["user"]["uid"],
        event.api_key_id.as_ref().unwrap().as_str()
    );
    assert_eq!(
        line["actor"]["user"]["groups"][0]["name"],
        event.role.as_str()
    );
    assert_eq!(
        line["api"]["operation"],
        event.tool_name.as_ref().unwrap().as_str()
    );
    assert_eq!(line["time"], event.ts.as_micros() / 1_000);
    assert_eq!(line["status_detail"], event.outcome.as_str());
    let json: Value = serde_json::from_str(&event.to_json()).unwrap();
    assert_eq!(line["api"]["request"]["data"], json["request_json"]);
    assert_eq!(line["api"]["response"]["data"], json["response_json"]);
    assert_eq!(line["unmapped"]["decision"], json["decision"]);
}

#[tokio::test]
async fn any_event_has_what_the_class_requires() {
    let events = strategy::sample(&strategy::batches(40), 1).swap_remove(0);
    let lines = lines(&events).await;
    for line in &lines[..lines.len() - 1] {
        has_what_is_required(line);
    }
    let end = lines.last().unwrap();
    assert_eq!(
        (&end["class_uid"], &end["type_uid"]),
        (&0.into(), &99.into())
    );
    assert_eq!(end["unmapped"]["audit_export"]["rows"], lines.len() - 1);
}

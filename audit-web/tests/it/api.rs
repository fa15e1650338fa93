use std::collections::BTreeSet;

use audit_core::event::{EventDraft, Outcome};
use audit_testkit::fixture;
use audit_web::access::Scope;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::Stand;

fn ids(list: &Value) -> Vec<String> {
    let events = list["events"].as_array().unwrap().iter();
    events
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_links_of_a_list_lead_through_it_in_both_directions() {
    let stand = Stand::with(&fixture::events(1..=25)).await;
    let mut page = stand
        .get(
            Scope::Viewer,
            "/api/v1/events?limit=10&filter=since%3A1h&count=20",
        )
        .await
        .json();
    assert_eq!(page["count"], json!({ "n_events": 20, "is_capped": true }));
    assert_eq!(page["previous"], Value::Null);
    let mut seen = ids(&page);
    // A later moment does not make another list of it.
    stand.clock.advance(std::time::Duration::from_secs(60));
    while let Some(next) = page["next"].as_str() {
        let path = next.to_owned();
        page = stand.get(Scope::Viewer, &path).await.json();
        seen.extend(ids(&page));
    }
    let all: Vec<_> = (1..=25)
        .rev()
        .map(|n| fixture::event_id(n).to_string())
        .collect();
    assert_eq!(seen, all);
    let previous = page["previous"].as_str().unwrap().to_owned();
    let before = stand.get(Scope::Viewer, &previous).await.json();
    assert_eq!(ids(&before), all[10..20]);
}

#[tokio::test]
async fn a_cursor_is_bound_to_its_filter() {
    let stand = Stand::with(&fixture::events(1..=9)).await;
    let page = stand
        .get(Scope::Viewer, "/api/v1/events?limit=2")
        .await
        .json();
    let next = page["next"].as_str().unwrap();
    let (_, cursor) = next.split_once("cursor=").unwrap();
    let cursor = cursor.split('&').next().unwrap();
    for other in ["filter=outcome%3Aok", "order=oldest"] {
        let path = format!("/api/v1/events?cursor={cursor}&{other}");
        let refused = stand.get(Scope::Viewer, &path).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert_eq!(refused.json()["parameter"], "cursor", "{}", refused.text());
    }
}

#[tokio::test]
async fn what_cannot_be_understood_is_pointed_at() {
    let stand = Stand::with(&[]).await;
    let refused = stand
        .get(Scope::Viewer, "/api/v1/events?filter=tool%3Ax+statsu%3A500")
        .await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    let problem = refused.json();
    assert_eq!(problem["column"], 8);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("did you mean status:"), "{detail}");
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=1&limit=2",
        "lmit=1",
        "count=0",
        "order=up",
        "cursor=x",
        "filter=a%00b",
    ] {
        let refused = stand
            .get(Scope::Viewer, &format!("/api/v1/events?{query}"))
            .await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(refused.json()["status"], 400, "{query}");
    }
    for path in [
        "/api/v1/stats?by=nobody",
        "/api/v1/export?format=xml",
        "/api/v1/events/123",
    ] {
        let refused = stand.get(Scope::Auditor, path).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_or_cannot_be_asked_so_is_a_problem() {
    let stand = Stand::with(&[]).await;
    let id = fixture::event_id(7);
    for path in [
        "/api/v1/nothing",
        "/api/",
        "/nothing",
        &format!("/api/v1/events/{id}"),
    ] {
        let missing = stand.get(Scope::Viewer, path).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(missing.header("content-type"), "application/problem+json");
    }
    let request = stand.request("DELETE", "/api/v1/events/x");
    let refused = stand
        .send(stand.with_token(request, Scope::Admin), "")
        .await;
    assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.json()["code"], "method-not-allowed");
    let path = format!("/api/v1/events/%ff{id}");
    let unreadable = stand.get(Scope::Viewer, &path).await;
    assert_eq!(unreadable.status, StatusCode::BAD_REQUEST);
    assert_eq!(unreadable.json()["status"], 400);
    let request = stand.with_token(stand.request("HEAD", "/api/v1/events"), Scope::Viewer);
    let head = stand.send(request, "").await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn reading_payloads_is_on_record_before_they_leave() {
    let stand = Stand::with(&[fixture::full_event(1)]).await;
    let path = format!("/api/v1/events/{}", fixture::event_id(1));
    let seen = stand.get(Scope::Viewer, &path).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(seen.json().get("request_json").is_none(), "{}", seen.text());
    assert_eq!(stand.store.n_events(), 1, "a summary is no secret");
    let forbidden = stand
        .get(Scope::Viewer, &format!("{path}?payloads=true"))
        .await;
    assert_eq!(forbidden.status, StatusCode::FORBIDDEN);

    let whole = stand.get(Scope::Auditor, &path).await;
    assert_eq!(whole.json()["request_json"]["customer"], "c-17");
    let records = stand.store.recorded();
    let record = records.last().unwrap();
    assert_eq!(record.method.as_str(), "audit/read");
    assert_eq!(record.api_key_id.as_ref().unwrap().as_str(), "the-auditor");
    assert_eq!(record.outcome, Outcome::Ok);
    let request = record.request().unwrap().json().unwrap();
    assert!(
        request.contains(&fixture::event_id(1).to_string()),
        "{request}"
    );
    assert_eq!(
        record.client.address.as_ref().unwrap().as_str(),
        "127.0.0.1"
    );

    let etag = whole.header("etag").to_owned();
    assert_ne!(etag, seen.header("etag"), "they are not the same bytes");
    let request = stand.with_token(stand.request("GET", &path), Scope::Auditor);
    let known = stand.send(request.header("if-none-match", &etag), "").await;
    assert_eq!(
        (known.status, known.body.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
    assert_eq!(stand.store.n_events(), 2, "no payload left");
    stand
        .get(Scope::Auditor, &format!("{path}?payloads=false"))
        .await;
    assert_eq!(stand.store.n_events(), 2);
}

#[tokio::test]
async fn payloads_that_cannot_be_recorded_are_not_shown() {
    let stand = Stand::with(&[fixture::full_event(1)]).await;
    audit_core::AuditSink::close(&stand.store).await.unwrap();
    for path in [
        format!("/api/v1/events/{}", fixture::event_id(1)),
        "/api/v1/export".to_owned(),
    ] {
        let refused = stand.get(Scope::Auditor, &path).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(!refused.text().contains("c-17"));
    }
    let ready = stand.send(stand.request("GET", "/health/ready"), "").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn an_export_is_on_record_and_says_at_its_end_what_it_was() {
    let stand = Stand::with(&fixture::events(1..=3)).await;
    let export = stand
        .get(Scope::Auditor, "/api/v1/export?filter=seq%3A%3E%3D2")
        .await;
    assert_eq!(export.header("content-type"), "application/x-ndjson");
    let lines: Vec<Value> = export
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let shown: Vec<_> = lines[..2]
        .iter()
        .map(|line| line["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(shown, [2, 3]);
    assert!(lines[2].get("audit_export").is_some(), "{}", lines[2]);
    let records = stand.store.recorded();
    let record = records.last().unwrap();
    assert_eq!(record.method.as_str(), "audit/export");
    assert!(
        record
            .request()
            .unwrap()
            .json()
            .unwrap()
            .contains("seq:2..")
    );
    let refused = stand.get(Scope::Viewer, "/api/v1/export").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn calls_are_counted_by_what_they_have_in_common() {
    let drafts: [EventDraft; 3] = [
        fixture::draft(1).outcome(Outcome::Denied),
        fixture::draft(2),
        fixture::draft(3),
    ];
    let events: Vec<_> = (1..)
        .zip(drafts)
        .map(|(n, draft)| fixture::stamp(draft, n))
        .collect();
    let stand = Stand::with(&events).await;
    let answer = stand
        .get(Scope::Viewer, "/api/v1/stats?by=outcome")
        .await
        .json();
    let rows = answer["rows"].as_array().unwrap();
    assert_eq!(rows[0]["key"], "ok");
    assert_eq!(rows[0]["n_events"], 2);
    assert_eq!(rows[1]["outcomes"], json!({ "denied": 1 }));
    let all = stand.get(Scope::Viewer, "/api/v1/stats").await.json();
    assert_eq!(all["rows"][0]["key"], Value::Null);
    let by_day = stand
        .get(Scope::Viewer, "/api/v1/stats?by=day")
        .await
        .json();
    assert_eq!(by_day["rows"][0]["key"], "2023-11-14T00:00:00.000000Z");
    let outcomes: BTreeSet<_> = all["rows"][0]["outcomes"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(outcomes.len(), 2);
}

use audit_core::event::Outcome;
use audit_testkit::fixture;
use audit_web::access::Scope;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Stand};

/// The methods that a path could be asked with.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

async fn document(stand: &Stand) -> Value {
    let answer = stand
        .send(stand.request("GET", "/api/v1/openapi.json"), "")
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json()
}

/// Holds an answer against what the document says of its status and media type.
fn check(document: &Value, path: &str, method: &str, answer: &Answer) {
    let status = answer.status.as_u16().to_string();
    let operation = &document["paths"][path][method];
    let mut response = &operation["responses"][&status];
    if let Some(reference) = response["$ref"].as_str() {
        response = document.pointer(reference.trim_start_matches('#')).unwrap();
    }
    assert!(
        response.is_object(),
        "{method} {path}: {status} is not described"
    );
    let media_type = answer.header("content-type");
    let schema = &response["content"][media_type]["schema"];
    assert!(
        schema.is_object(),
        "{method} {path}: {status} as {media_type}"
    );
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let json = answer.json();
    let errors: Vec<_> = validator
        .iter_errors(&json)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{method} {path}: {errors:?}\n{json:#}");
}

#[tokio::test]
async fn what_is_described_is_served_and_nothing_besides() {
    let stand = Stand::with(&[]).await;
    let document = document(&stand).await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = path.replace("{id}", &fixture::event_id(1).to_string());
        for method in METHODS {
            // Without a token a route that is there does not say what it would answer.
            let answer = stand.send(stand.request(method, &path), "").await;
            let is_described = methods.get(method.to_lowercase()).is_some();
            let is_served = answer.status != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(
                is_served, is_described,
                "{method} {path}: {}",
                answer.status
            );
            assert_ne!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn answers_are_as_they_are_described() {
    let mut events = fixture::events(1..=3);
    events.push(fixture::full_event(4));
    events.push(fixture::largest_event(5));
    let stand = Stand::with(&events).await;
    let document = document(&stand).await;
    let id = fixture::event_id(4);
    for (scope, path, query) in [
        (
            Scope::Viewer,
            "/api/v1/events",
            "?limit=2&count=3".to_owned(),
        ),
        (Scope::Viewer, "/api/v1/events", "?order=oldest".to_owned()),
        (
            Scope::Viewer,
            "/api/v1/events",
            "?filter=tol%3Ax".to_owned(),
        ),
        (Scope::Ingest, "/api/v1/events", String::new()),
        (Scope::Viewer, "/api/v1/stats", "?by=tool".to_owned()),
        (Scope::Viewer, "/api/v1/stats", "?by=hour".to_owned()),
        (Scope::Viewer, "/api/v1/stats", "?limit=0".to_owned()),
        (Scope::Viewer, "/api/v1/export", String::new()),
        (Scope::Auditor, "/api/v1/export", "?format=xml".to_owned()),
        (
            Scope::Viewer,
            "/api/v1/events/stream",
            "?after=x".to_owned(),
        ),
        (Scope::Viewer, "/api/v1/openapi.json", String::new()),
    ] {
        let answer = stand.get(scope, &format!("{path}{query}")).await;
        check(&document, path, "get", &answer);
    }
    let one = "/api/v1/events/{id}";
    for scope in [Scope::Viewer, Scope::Auditor, Scope::Ingest] {
        for id in [
            id.to_string(),
            fixture::event_id(5).to_string(),
            fixture::event_id(99).to_string(),
            "x".to_owned(),
        ] {
            let answer = stand.get(scope, &format!("/api/v1/events/{id}")).await;
            check(&document, one, "get", &answer);
        }
    }
    let batch = json!([{ "id": fixture::event_id(7), "method": "tools/call", "outcome": "ok" }, 7]);
    for body in [batch.to_string(), String::new(), " ".repeat((4 << 20) + 1)] {
        let request = stand.with_token(stand.request("POST", "/api/v1/events"), Scope::Ingest);
        let answer = stand.send(request, body).await;
        check(&document, "/api/v1/events", "post", &answer);
    }
}

#[tokio::test]
async fn every_outcome_is_described() {
    let stand = Stand::with(&[]).await;
    let document = document(&stand).await;
    let described = &document["components"]["schemas"]["EventSummary"]["properties"]["outcome"];
    let mut described: Vec<_> = described["enum"].as_array().unwrap().iter().collect();
    let mut words: Vec<_> = Outcome::ALL.iter().map(|it| json!(it.as_str())).collect();
    described.sort_by_key(|word| word.to_string());
    words.sort_by_key(ToString::to_string);
    assert_eq!(described, words.iter().collect::<Vec<_>>());
}

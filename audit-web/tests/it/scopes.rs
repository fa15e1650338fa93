//! Every scope against every route.

use std::collections::BTreeSet;

use audit_testkit::fixture;
use audit_web::access::Scope::{self, Admin, Auditor, Ingest, Viewer};
use axum::http::StatusCode;
use serde_json::Value;

use crate::support::Stand;

/// A route, and who may ask it; nobody: it is open to everybody.
type Row = (&'static str, &'static str, &'static [Scope]);

const READERS: &[Scope] = &[Viewer, Auditor, Admin];

const TABLE: &[Row] = &[
    ("GET", "/api/v1/events", READERS),
    ("POST", "/api/v1/events", &[Ingest]),
    ("GET", "/api/v1/events/{id}", READERS),
    (
        "GET",
        "/api/v1/events/{id}?payloads=true",
        &[Auditor, Admin],
    ),
    ("GET", "/api/v1/events/{id}?payloads=false", READERS),
    // The stream goes on for ever; what it refuses comes before the position.
    ("GET", "/api/v1/events/stream?after=x", READERS),
    ("GET", "/api/v1/export", &[Auditor, Admin]),
    ("GET", "/api/v1/openapi.json", &[]),
    ("GET", "/api/v1/stats", READERS),
    ("GET", "/assets/style.css", &[]),
    ("GET", "/health/live", &[]),
    ("GET", "/health/ready", &[]),
    ("GET", "/login", &[]),
    ("GET", "/metrics", READERS),
];

#[tokio::test]
async fn each_scope_is_let_in_where_it_belongs_and_nowhere_else() {
    let stand = Stand::with(&[fixture::full_event(1)]).await;
    for (method, path, allowed) in TABLE {
        let path = path.replace("{id}", &fixture::event_id(1).to_string());
        let nobody = stand.send(stand.request(method, &path), "").await;
        let is_open = allowed.is_empty();
        assert_eq!(
            nobody.status != StatusCode::UNAUTHORIZED,
            is_open,
            "{method} {path}"
        );
        for scope in Scope::ALL {
            let request = stand.with_token(stand.request(method, &path), scope);
            let answer = stand.send(request, "").await;
            let is_refused = answer.status == StatusCode::FORBIDDEN;
            let is_allowed = is_open || allowed.contains(&scope);
            assert_eq!(
                is_refused,
                !is_allowed,
                "{scope} {method} {path}: {}",
                answer.text()
            );
            if !allowed.contains(&Viewer) && scope == Viewer {
                assert!(!answer.text().contains("c-17"), "{path}");
            }
        }
        let wrong = stand
            .request(method, &path)
            .header("authorization", "Bearer audit_wrong");
        let wrong = stand.send(wrong, "").await;
        assert_eq!(
            wrong.status != StatusCode::UNAUTHORIZED,
            is_open,
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn the_table_has_every_route_of_the_api() {
    let stand = Stand::with(&[]).await;
    let document = stand
        .send(stand.request("GET", "/api/v1/openapi.json"), "")
        .await;
    let tested: BTreeSet<_> = TABLE
        .iter()
        .map(|(method, path, _)| {
            (
                (*method).to_owned(),
                path.split('?').next().unwrap().to_owned(),
            )
        })
        .collect();
    let document: Value = document.json();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let route = (method.to_uppercase(), path.clone());
            assert!(tested.contains(&route), "{route:?}");
        }
    }
}

#[tokio::test]
async fn every_answer_is_protected() {
    let stand = Stand::with(&[]).await;
    let others = [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("PUT", "/login"),
        ("GET", "/api/v1/events/%ff"),
    ];
    let routes = TABLE.iter().map(|(method, path, _)| (*method, *path));
    for (method, path) in routes.chain(others) {
        for host in [stand.address.to_string(), "evil.example".to_owned()] {
            let request = stand.request(method, path).header("host", &host);
            let answer = stand.send(request, "").await;
            if host == "evil.example" {
                assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{path}");
            }
            let policy = answer.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'"), "{method} {path}");
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
            assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
            let caching = answer.header("cache-control");
            let may_be_kept = answer.status == StatusCode::OK && path.starts_with("/assets/");
            assert_eq!(
                caching == "no-store",
                !may_be_kept,
                "{method} {path}: {caching}"
            );
        }
    }
}

#[tokio::test]
async fn nobody_finds_out_by_a_filter_what_stands_in_a_payload() {
    let draft = fixture::draft(1).request(fixture::payload(r#"{"city":"Atlantis"}"#));
    let stand = Stand::with(&[fixture::stamp(draft, 1)]).await;
    let whole = format!("/api/v1/events/{}", fixture::event_id(1));
    let whole = stand.get(Auditor, &whole).await;
    assert!(whole.text().contains("Atlantis"), "{}", whole.text());
    for scope in READERS {
        for filter in ["Atlantis", "city", "tool:*Atlantis*"] {
            let list = stand
                .get(*scope, &format!("/api/v1/events?count=1&filter={filter}"))
                .await;
            assert_eq!(list.json()["count"]["n_events"], 0, "{scope} {filter}");
            let statistics = stand
                .get(*scope, &format!("/api/v1/stats?filter={filter}"))
                .await;
            assert!(!statistics.text().contains("\"n_events\":1"), "{filter}");
        }
    }
}

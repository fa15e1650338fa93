//! What is kept of bodies and headers.

use std::collections::VecDeque;

use audit_core::AuditLogger;
use audit_core::event::{AuditEvent, Outcome};
use audit_core::payload::{PayloadLimits, PayloadPolicy};
use audit_memory::MemoryStore;
use audit_tower::{AuditLayer, AuditService, CaptureRequest};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, Request, Response};
use http_body_util::BodyExt as _;
use serde_json::json;
use tower::{Layer as _, ServiceExt as _};

use crate::support::{Audit, Script, Step, answering, payloads};

/// What is kept of a response of this type, of which so many chunks are read.
async fn response(audit: &Audit, kind: &str, body: Script, n_polls: usize) -> AuditEvent {
    let kind = kind.to_owned();
    let service = audit
        .layer()
        .capture_responses()
        .layer(answering(move |_: Request<()>| {
            let response = Response::builder().header("content-type", &kind);
            response.body(body.clone()).unwrap()
        }));
    let mut body = service.oneshot(Request::new(())).await.unwrap().into_body();
    for _ in 0..n_polls {
        let _frame = body.frame().await;
    }
    drop(body);
    audit.one().await
}

fn chunks(texts: &[&'static str]) -> Script {
    Script::new(texts.iter().map(|text| Step::data(text)))
}

#[tokio::test]
async fn json_is_kept_as_json_without_its_secrets() {
    for kind in [
        "application/json",
        "application/problem+json; charset=utf-8",
    ] {
        let body = chunks(&["{\"password\":\"hun", "ter2\",\"n\":", "7}"]);
        let event = response(&Audit::new(), kind, body, 4).await;
        let kept = r#"{"password":"[REDACTED:password]","n":7}"#;
        assert_eq!(payloads(&event), (None, Some(kept)));
        assert_eq!(event.response().unwrap().report().original_bytes, 28);
    }
}

#[tokio::test]
async fn text_is_kept_as_a_string() {
    let body = chunks(&["data: one\n\n", "data: password=hunter2x\n\n"]);
    let event = response(&Audit::new(), "text/event-stream", body, 3).await;
    let kept = r#""data: one\n\ndata: password=[REDACTED:password]\n\n""#;
    assert_eq!(payloads(&event).1, Some(kept));
}

#[tokio::test]
async fn of_anything_else_type_and_size_are_kept() {
    let body = chunks(&["\u{1}\u{2}", "hunter2"]);
    let event = response(&Audit::new(), "image/png", body, 3).await;
    let kept = r#"{"bytes":9,"content_type":"image/png"}"#;
    assert_eq!(payloads(&event).1, Some(kept));
}

#[tokio::test]
async fn of_an_empty_body_nothing_is_kept() {
    let event = response(&Audit::new(), "application/json", chunks(&[""]), 2).await;
    assert_eq!(event.outcome, Outcome::Ok);
    assert_eq!(payloads(&event), (None, None));
}

#[tokio::test]
async fn what_is_no_json_says_so() {
    let event = response(&Audit::new(), "application/json", chunks(&["hunter2"]), 2).await;
    assert_eq!(payloads(&event).1, Some("\"[UNPARSEABLE:7]\""));
}

#[tokio::test]
async fn nothing_is_kept_unless_it_was_asked_for() {
    let audit = Audit::new();
    let service = audit.layer().layer(answering(|_: Request<Script>| {
        let response = Response::builder().header("content-type", "application/json");
        response.body(chunks(&["1"])).unwrap()
    }));
    let request = Request::new(chunks(&["2"]));
    let response = service.oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
    assert_eq!(payloads(&audit.one().await), (None, None));
}

#[tokio::test]
async fn a_caller_who_leaves_has_his_part_on_record_and_the_announced_size() {
    let mut body = chunks(&["half of", " a text"]);
    body.is_exact = true;
    let event = response(&Audit::new(), "text/plain", body, 1).await;
    assert_eq!(event.outcome, Outcome::Cancelled);
    assert_eq!(payloads(&event).1, Some(r#""half [TRUNCATED:14]""#));
    let report = event.response().unwrap().report();
    assert!(report.truncated);
    assert_eq!(report.original_bytes, 14);
}

fn bounded(scan_bytes: usize) -> Audit {
    let limits = PayloadLimits::default().with_scan_bytes(scan_bytes);
    let policy = PayloadPolicy::builder().limits(limits).build().unwrap();
    let store = MemoryStore::new();
    let logger = AuditLogger::builder(store.clone())
        .payload_policy(policy)
        .build()
        .unwrap();
    Audit { store, logger }
}

#[tokio::test]
async fn a_long_body_leaves_its_beginning_and_its_size() {
    let audit = bounded(64);
    let steps = std::iter::repeat_n(Step::data("0123456789"), 1_000);
    let event = response(&audit, "text/plain", Script::new(steps), 1_001).await;
    let report = event.response().unwrap().report();
    assert_eq!(report.original_bytes, 10_000);
    assert!(report.truncated && report.scanned_bytes <= 64, "{report:?}");
    let kept = payloads(&event).1.unwrap();
    assert!(kept.contains("[TRUNCATED:10000]"), "{kept}");
    assert!(kept.len() < 100, "{kept}");

    let audit = bounded(64);
    let items = std::iter::once(Step::data("[0")).chain(std::iter::repeat_n(Step::data(",1"), 500));
    let event = response(&audit, "application/json", Script::new(items), 502).await;
    let report = event.response().unwrap().report();
    assert_eq!((report.original_bytes, report.failure), (1_002, None));
    assert!(payloads(&event).1.unwrap().starts_with("[0,1,1"));
}

#[tokio::test]
async fn a_character_that_the_bound_cuts_is_left_out() {
    let audit = bounded(64);
    let body = Script::new([
        Step::Data(Bytes::from("x".repeat(63))),
        Step::data("ü and more"),
    ]);
    let event = response(&audit, "text/plain", body, 3).await;
    assert_eq!(event.response().unwrap().report().replaced_characters, 0);
}

#[tokio::test]
async fn the_callers_credential_is_in_no_payload() {
    let audit = Audit::new();
    let service = audit
        .layer()
        .credential_header(AUTHORIZATION)
        .request_headers([AUTHORIZATION, HeaderName::from_static("x-echo")])
        .capture_responses()
        .layer(answering(|_: Request<()>| {
            let response = Response::builder().header("content-type", "text/plain");
            response
                .body(chunks(&["you said correct-ho", "rse-battery, thanks"]))
                .unwrap()
        }));
    let request = Request::get("/by/correct-horse-battery")
        .header("authorization", "Bearer correct-horse-battery")
        .header("user-agent", "correct-horse-battery/1")
        .header("x-echo", "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5")
        .body(())
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
    let event = audit.one().await;
    let text = serde_json::to_string(&event).unwrap();
    assert!(
        !text.contains("horse") && !text.contains("Y29ycmVjd"),
        "{text}"
    );
    assert_eq!(
        payloads(&event).1,
        Some(r#""you said [REDACTED:caller_credential], thanks""#)
    );
    assert_eq!(
        event.method.as_str(),
        "GET /by/[REDACTED:caller_credential]"
    );
}

/// What a handler does with the body of a request.
#[derive(Clone, Copy)]
enum Reads {
    All,
    First,
    Nothing,
}

async fn request(layer: AuditLayer<CaptureRequest>, request: Request<Script>, reads: Reads) {
    let service: AuditService<_, CaptureRequest> =
        layer.layer(tower::service_fn(move |request: Request<_>| async move {
            let mut body: audit_tower::RequestBody<Script> = request.into_body();
            match reads {
                Reads::All => while body.frame().await.is_some() {},
                Reads::First => drop(body.frame().await),
                Reads::Nothing => {}
            }
            Ok::<_, std::convert::Infallible>(Response::new(Script::default()))
        }));
    let response = service.oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
}

fn post(kind: &str, length: Option<u64>, body: Script) -> Request<Script> {
    let mut request = Request::post("/").header(CONTENT_TYPE, kind);
    if let Some(length) = length {
        request = request.header("content-length", length);
    }
    request.body(body).unwrap()
}

#[tokio::test]
async fn the_body_of_a_request_is_kept_as_far_as_the_handler_reads_it() {
    let body = || chunks(&["{\"a\":1,", "\"b\":2}"]);
    let table = [
        (Reads::All, None, r#"{"a":1,"b":2}"#, 13),
        (Reads::All, Some(13), r#"{"a":1,"b":2}"#, 13),
        (
            Reads::Nothing,
            Some(13),
            r#"{"bytes":13,"content_type":"application/json"}"#,
            46,
        ),
    ];
    for (reads, length, kept, size) in table {
        let audit = Audit::new();
        request(
            audit.layer().capture_requests(),
            post("application/json", length, body()),
            reads,
        )
        .await;
        let event = audit.one().await;
        assert_eq!(payloads(&event), (Some(kept), None));
        let report = event.request().unwrap().report();
        assert_eq!(
            report.original_bytes, size,
            "a summary has the size of its own JSON"
        );
    }
    let audit = Audit::new();
    let half = post("application/json", Some(13), body());
    request(audit.layer().capture_requests(), half, Reads::First).await;
    let event = audit.one().await;
    let kept = payloads(&event).0.unwrap();
    assert!(kept.starts_with("{\"a\":1"), "{kept}");
    let report = event.request().unwrap().report();
    assert!(report.truncated);
    assert_eq!(report.original_bytes, 13);
}

#[tokio::test]
async fn a_response_that_ends_before_its_request_has_what_came_until_then() {
    let audit = Audit::new();
    let (keep, kept) = std::sync::mpsc::channel();
    let service = audit.layer().capture_requests().layer(tower::service_fn(
        move |request: Request<audit_tower::RequestBody<Script>>| {
            let keep = keep.clone();
            async move {
                let mut body = request.into_body();
                drop(body.frame().await);
                keep.send(body).unwrap();
                Ok::<_, std::convert::Infallible>(Response::new(Script::default()))
            }
        },
    ));
    let two = chunks(&["first ", "second"]);
    let response = service
        .oneshot(post("text/plain", None, two))
        .await
        .unwrap();
    response.into_body().collect().await.unwrap();
    let mut body = kept.recv().unwrap();
    let second = body.frame().await.unwrap().unwrap();
    assert_eq!(
        second.into_data().unwrap(),
        "second",
        "it is still passed on"
    );
    let event = audit.one().await;
    assert_eq!(payloads(&event).0, Some("\"first \""));
}

/// What headers and body become together.
async fn with_headers(kind: &'static str, body: Script) -> (String, Option<serde_json::Value>) {
    let audit = Audit::new();
    let layer = audit
        .layer()
        .response_headers([CONTENT_TYPE, HeaderName::from_static("x-api-key")])
        .capture_responses();
    let service = layer.layer(answering(move |_: Request<()>| {
        Response::builder()
            .header("content-type", kind)
            .header("x-api-key", "hunter2hunter2")
            .header("x-not-asked", "for")
            .body(body.clone())
            .unwrap()
    }));
    let response = service.oneshot(Request::new(())).await.unwrap();
    response.into_body().collect().await.unwrap();
    let event = audit.one().await;
    let kept = payloads(&event).1.unwrap().to_owned();
    assert!(
        !kept.contains("hunter2") && !kept.contains("x-not-asked"),
        "{kept}"
    );
    let value = serde_json::from_str::<serde_json::Value>(&kept).unwrap();
    assert_eq!(value["headers"]["content-type"], kind, "{kept}");
    (kept, value.get("body").cloned())
}

#[tokio::test]
async fn headers_that_were_asked_for_stand_beside_the_body() {
    let json = chunks(&["{\"n\":7,\"password\":\"hunter2\"}"]);
    let (_, body) = with_headers("application/json", json).await;
    assert_eq!(
        body,
        Some(json!({"n": 7, "password": "[REDACTED:password]"}))
    );
    let (_, body) = with_headers("text/plain", chunks(&["a \"quote\""])).await;
    assert_eq!(body, Some(json!("a \"quote\"")));
    let (_, body) = with_headers("image/png", chunks(&["\u{1}\u{2}"])).await;
    assert_eq!(body, Some(json!({"content_type": "image/png", "bytes": 2})));
    let (_, body) = with_headers("text/plain", chunks(&[])).await;
    assert_eq!(body, None);
}

#[tokio::test]
async fn a_body_cannot_pose_as_headers() {
    let body = chunks(&["1},\"headers\":{\"content-type\":\"forged\"}"]);
    let (kept, body) = with_headers("application/json", body).await;
    assert!(body.unwrap().is_string(), "{kept}");
    let (kept, body) = with_headers("application/json", chunks(&["1,\"headers\":2"])).await;
    assert!(body.unwrap().is_string(), "{kept}");
}

#[tokio::test]
async fn the_beginning_of_a_body_stands_beside_its_headers() {
    let mut steps = VecDeque::from([Step::data("{\"items\":[0")]);
    steps.extend(std::iter::repeat_n(Step::data(",1"), 40_000));
    let (kept, body) = with_headers("application/json", Script::new(steps)).await;
    assert_eq!(body.unwrap()["items"][0], 0, "{kept}");
    let words = std::iter::repeat_n(Step::data("words "), 20_000);
    let (kept, body) = with_headers("text/plain", Script::new(words)).await;
    assert!(
        body.unwrap().as_str().unwrap().starts_with("words words"),
        "{kept}"
    );
    assert!(kept.contains("[TRUNCATED:"), "{kept}");
}

#[tokio::test]
async fn headers_of_requests_come_without_a_body_too() {
    let audit = Audit::new();
    let layer = audit.layer().request_headers([
        HeaderName::from_static("accept"),
        HeaderName::from_static("cookie"),
        HeaderName::from_static("x-absent"),
    ]);
    let service = layer.layer(answering(|_: Request<()>| Response::new(Script::default())));
    let request = Request::get("/")
        .header("accept", "text/html")
        .header("accept", "image/*")
        .header("cookie", "session=hunter2hunter2")
        .body(())
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
    let event = audit.one().await;
    let kept = payloads(&event).0.unwrap();
    let value: serde_json::Value = serde_json::from_str(kept).unwrap();
    assert_eq!(value["headers"]["accept"], "text/html, image/*");
    assert!(value["headers"].get("x-absent").is_none() && value.get("body").is_none());
    assert!(!kept.contains("hunter2"), "{kept}");
}

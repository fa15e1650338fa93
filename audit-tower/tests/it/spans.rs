//! The span of a call.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use audit_core::event::Outcome;
use audit_tower::{AuditLayer, AuditedRequest as _};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::{Layer as _, ServiceExt as _};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::support::{Audit, Script, Step, answering};

/// What was logged, line by line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What is logged while one request is answered.
async fn logged(layer: AuditLayer, request: Request<()>, response: Response<Script>) -> Vec<Value> {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(log.clone())
        .with_span_events(FmtSpan::CLOSE)
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let service = layer.layer(answering(move |_: Request<()>| {
        tracing::info!("the handler runs");
        response.clone()
    }));
    let response = service.oneshot(request).await.unwrap();
    drop(response.into_body().collect().await);
    drop(guard);
    log.lines()
}

#[tokio::test]
async fn the_span_has_the_events_id_and_the_names_of_opentelemetry() {
    let audit = Audit::new();
    let layer = audit.layer().route(|_| Some("/items/{id}"));
    let request = Request::get("/items/secret-7?x=hunter2");
    let request = request.header("user-agent", "hunter2").body(()).unwrap();
    let response = Response::builder().status(404);
    let response = response.body(Script::new([Step::data("none")])).unwrap();
    let lines = logged(layer, request, response).await;
    let event = audit.one().await;
    assert_eq!(event.outcome, Outcome::InvalidRequest);

    let [runs, closed] = &lines[..] else {
        panic!("two lines, not {lines:?}");
    };
    assert_eq!(
        runs["span"]["audit.event.id"],
        event.id.to_string(),
        "{runs}"
    );
    let span = &closed["span"];
    for (field, value) in [
        ("otel.name", "GET /items/{id}"),
        ("otel.kind", "server"),
        ("http.request.method", "GET"),
        ("http.route", "/items/{id}"),
        ("error.type", "invalid_request"),
        ("audit.outcome", "invalid_request"),
        ("audit.event.id", &event.id.to_string()),
    ] {
        assert_eq!(span[field], value, "{field} in {span}");
    }
    assert_eq!(span["http.response.status_code"], 404);
    let all = closed.to_string();
    assert!(
        !all.contains("secret-7") && !all.contains("hunter2"),
        "{all}"
    );
}

#[tokio::test]
async fn what_a_client_makes_up_is_no_name_of_a_span() {
    let audit = Audit::new();
    let request = Request::builder()
        .method("HUNTER2")
        .uri("/secret-7")
        .body(())
        .unwrap();
    let lines = logged(audit.layer(), request, Response::new(Script::default())).await;
    let span = &lines.last().unwrap()["span"];
    assert_eq!(span["otel.name"], "HTTP");
    assert_eq!(span["http.request.method"], "_OTHER");
    assert_eq!(span["audit.outcome"], "ok");
    assert!(span.get("error.type").is_none(), "{span}");
    let all = span.to_string();
    assert!(
        !all.contains("secret-7") && !all.contains("HUNTER2"),
        "{all}"
    );
    assert_eq!(audit.one().await.method.as_str(), "HUNTER2 /secret-7");
}

#[tokio::test]
async fn the_body_is_polled_within_the_span() {
    let audit = Audit::new();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let service = audit.layer().layer(answering(|request: Request<()>| {
        let id = request.audit_call().unwrap().id();
        let body = Script::new([Step::data("a")]).map_frame(move |frame| {
            tracing::info!(%id, "a chunk");
            frame
        });
        Response::new(body)
    }));
    let response = service.oneshot(Request::new(())).await.unwrap();
    response.into_body().collect().await.unwrap();
    drop(guard);
    let lines = log.lines();
    let chunk = &lines[0];
    assert_eq!(chunk["fields"]["message"], "a chunk");
    assert_eq!(chunk["fields"]["id"], chunk["span"]["audit.event.id"]);
}

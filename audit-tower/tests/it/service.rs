//! The layer around a service: what it passes on, and when a call begins.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use audit_core::event::{ApiKeyId, Decision, Latency, Outcome, ToolName, Verdict};
use audit_testkit::Gate;
use audit_tower::{AuditedRequest as _, SharedCall};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tower::{Layer as _, Service, ServiceExt as _};

use crate::support::{Audit, Script, Step, answering, poll_once, soon};

fn request() -> Request<()> {
    Request::get("/items/7?token=hunter2").body(()).unwrap()
}

#[tokio::test]
async fn a_request_is_one_event() {
    let audit = Audit::new();
    let service = audit.layer().layer(answering(|request: Request<()>| {
        assert_eq!(
            request.uri(),
            "/items/7?token=hunter2",
            "it is passed on whole"
        );
        Response::new(Full::<bytes::Bytes>::from("seven"))
    }));
    let response = service.oneshot(request()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), "seven");

    let event = audit.one().await;
    assert_eq!(event.method.as_str(), "GET /items/7");
    assert_eq!(event.outcome, Outcome::Ok);
    assert_eq!(event.status_code.as_u16(), 200);
    assert!(event.request().is_none() && event.response().is_none());
}

#[tokio::test]
async fn what_the_handler_knows_is_in_the_event() {
    let audit = Audit::new();
    let service = audit.layer().layer(answering(|request: Request<()>| {
        let call = request.audit_call().expect("it is recorded");
        call.update(|call| {
            call.amend(|draft| {
                draft
                    .api_key_id(ApiKeyId::new("k_7f3").unwrap())
                    .tool_name(ToolName::new("search").unwrap())
                    .upstream_latency(Latency::from_millis(12.5).unwrap())
                    .decision(Decision::allowed())
            });
            call.request_json(r#"{"query":"audit"}"#);
        });
        call.say(Outcome::ToolError);
        Response::new(Full::<bytes::Bytes>::from("it failed"))
    }));
    let response = service.oneshot(request()).await.unwrap();
    response.into_body().collect().await.unwrap();

    let event = audit.one().await;
    assert_eq!(event.api_key_id.as_ref().unwrap().as_str(), "k_7f3");
    assert_eq!(event.tool_name.as_ref().unwrap().as_str(), "search");
    assert_eq!(event.upstream_latency_ms.unwrap().as_millis(), 12.5);
    assert_eq!(event.decision.auth.verdict, Verdict::Allowed);
    assert_eq!(event.outcome, Outcome::ToolError);
    assert_eq!(
        event.request().unwrap().json(),
        Some(r#"{"query":"audit"}"#)
    );
}

#[tokio::test]
async fn the_handler_runs_only_once_its_record_has_room() {
    let audit = Audit::new();
    let ran = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&ran);
    let mut service = audit.layer().layer(answering(move |_: Request<()>| {
        seen.store(true, Ordering::SeqCst);
        Response::new(Script::default())
    }));
    let future = service.ready().await.unwrap().call(request());
    assert!(
        !ran.load(Ordering::SeqCst),
        "a future that nobody polls does nothing"
    );
    assert_eq!(audit.logger.counters().open_calls, 0);
    drop(future);
    assert_eq!(audit.all().await.len(), 0);
}

#[tokio::test]
async fn the_call_is_open_while_the_handler_runs() {
    let audit = Audit::new();
    let gate = Gate::new();
    let held = gate.clone();
    let service = audit
        .layer()
        .layer(tower::service_fn(move |_: Request<()>| {
            let held = held.clone();
            async move {
                held.pass().await;
                Ok::<_, Infallible>(Response::new(Script::default()))
            }
        }));
    let mut future = pin!(service.oneshot(request()));
    assert!(poll_once(future.as_mut()).await.is_pending());
    soon(gate.arrived(1)).await;
    assert_eq!(audit.logger.counters().open_calls, 1);
    assert!(audit.store.recorded().is_empty());
    gate.open();
    let response = soon(future).await.unwrap();
    assert_eq!(
        audit.logger.counters().open_calls,
        1,
        "its body has not ended"
    );
    drop(response);
    assert_eq!(audit.one().await.outcome, Outcome::Cancelled);
}

/// Ready once, and only for the clone that was asked.
#[derive(Debug)]
struct Once {
    is_ready: bool,
    n_asked: Arc<AtomicUsize>,
}

impl Clone for Once {
    /// A clone has to be asked itself.
    fn clone(&self) -> Self {
        Self {
            is_ready: false,
            n_asked: Arc::clone(&self.n_asked),
        }
    }
}

impl Service<Request<()>> for Once {
    type Response = Response<Script>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Script>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.n_asked.fetch_add(1, Ordering::SeqCst);
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(self.is_ready, "the service that is called was not asked");
        self.is_ready = false;
        std::future::ready(Ok(Response::new(Script::default())))
    }
}

#[tokio::test]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    let audit = Audit::new();
    let n_asked = Arc::new(AtomicUsize::new(0));
    let mut service = audit.layer().layer(Once {
        is_ready: false,
        n_asked: Arc::clone(&n_asked),
    });
    for n in 1..=3 {
        let response = service.ready().await.unwrap().call(request());
        drop(response.await.unwrap());
        assert_eq!(n_asked.load(Ordering::SeqCst), n);
        assert!(!service.inner().is_ready, "the next request asks again");
    }
    assert_eq!(audit.all().await.len(), 3);
}

#[tokio::test]
async fn a_call_that_an_inner_layer_took_over_is_still_one_event() {
    let audit = Audit::new();
    let layer = audit.layer().capture_responses();
    let service = layer.layer(answering(|request: Request<()>| {
        let call: &SharedCall = request.audit_call().unwrap();
        assert!(call.claim());
        call.update(|call| call.response_json(r#"{"of":"the protocol"}"#));
        call.say(Outcome::RpcError);
        let body = Script::new([Step::data(r#"{"of":"the transport"}"#)]);
        let response = Response::builder().header("content-type", "application/json");
        response.body(body).unwrap()
    }));
    let response = service.oneshot(request()).await.unwrap();
    response.into_body().collect().await.unwrap();
    let event = audit.one().await;
    assert_eq!(event.outcome, Outcome::RpcError);
    let kept = event.response().unwrap().json();
    assert_eq!(kept, Some(r#"{"of":"the protocol"}"#));
}

#[tokio::test]
async fn of_a_call_that_was_taken_over_the_layer_keeps_no_payload() {
    let audit = Audit::new();
    let layer = audit.layer().capture_responses();
    let service = layer.layer(answering(|request: Request<()>| {
        assert!(request.audit_call().unwrap().claim());
        let response = Response::builder().header("content-type", "application/json");
        response.body(Script::new([Step::data("1")])).unwrap()
    }));
    let response = service.oneshot(request()).await.unwrap();
    response.into_body().collect().await.unwrap();
    let event = audit.one().await;
    assert!(event.request().is_none() && event.response().is_none());
}

#[tokio::test]
async fn a_payload_that_the_handler_kept_stays() {
    let audit = Audit::new();
    let layer = audit.layer().capture_responses();
    let service = layer.layer(answering(|request: Request<()>| {
        let call = request.audit_call().unwrap();
        call.update(|call| call.response_json("1"));
        let response = Response::builder().header("content-type", "application/json");
        response.body(Script::new([Step::data("2")])).unwrap()
    }));
    let response = service.oneshot(request()).await.unwrap();
    response.into_body().collect().await.unwrap();
    assert_eq!(audit.one().await.response().unwrap().json(), Some("1"));
}

#[tokio::test]
async fn a_handler_that_ends_the_call_itself_has_the_last_word() {
    let audit = Audit::new();
    let service = audit.layer().layer(answering(|request: Request<()>| {
        let call = request.audit_call().unwrap();
        assert!(call.finish(Outcome::Denied).is_some());
        Response::new(Script::new([Step::data("no")]))
    }));
    let response = service.oneshot(request()).await.unwrap();
    response.into_body().collect().await.unwrap();
    assert_eq!(audit.one().await.outcome, Outcome::Denied);
}

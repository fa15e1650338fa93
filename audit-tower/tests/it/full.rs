//! Requests that cannot be recorded.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::{EventDraft, Method, Outcome};
use audit_core::logger::{LOSS_METHOD, Overload};
use audit_memory::MemoryStore;
use audit_tower::AuditedRequest as _;
use http::{Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tower::{Layer as _, ServiceExt as _};

use crate::support::{Audit, Script, Step, answering, poll_once, soon};

fn full(overload: Overload) -> Audit {
    let store = MemoryStore::new();
    let logger = AuditLogger::builder(store.clone())
        .queue_events(1)
        .overload(overload)
        .build()
        .unwrap();
    Audit { store, logger }
}

fn other() -> EventDraft {
    EventDraft::new(Method::tools_call())
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_run() {
    let audit = full(Overload::Reject);
    let open = audit.logger.begin(other()).await.unwrap();
    let n_runs = Arc::new(AtomicUsize::new(0));
    let ran = Arc::clone(&n_runs);
    let layer = audit.layer();
    let service = layer.layer(answering(move |_: Request<()>| {
        ran.fetch_add(1, Ordering::SeqCst);
        Response::new(Script::default())
    }));
    let response = service.clone().oneshot(Request::new(())).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    let body = response.into_body();
    let size = body.size_hint().exact();
    assert!(!body.is_end_stream());
    let text = body.collect().await.unwrap().to_bytes();
    assert_eq!(u64::try_from(text.len()).ok(), size);
    assert!(
        text.starts_with(b"The audit log takes no records"),
        "{text:?}"
    );
    assert_eq!((n_runs.load(Ordering::SeqCst), layer.n_refused()), (0, 1));

    open.finish(Outcome::Ok).await.unwrap();
    let response = service.oneshot(Request::new(())).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().collect().await.unwrap();
    assert_eq!((n_runs.load(Ordering::SeqCst), layer.n_refused()), (1, 1));
    assert_eq!(audit.all().await.len(), 2);
}

#[tokio::test]
async fn a_gateway_may_run_what_cannot_be_recorded() {
    let audit = full(Overload::Reject);
    let open = audit.logger.begin(other()).await.unwrap();
    let layer = audit.layer().fail_open();
    let service = layer.layer(answering(|request: Request<()>| {
        assert!(request.audit_call().is_none());
        Response::new(Script::new([Step::data("all the same")]))
    }));
    let response = service.oneshot(Request::new(())).await.unwrap();
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), "all the same");
    assert_eq!((layer.n_unrecorded(), layer.n_refused()), (1, 0));
    open.finish(Outcome::Ok).await.unwrap();
    let all = audit.all().await;
    let losses = all
        .iter()
        .filter(|event| event.method.as_str() == LOSS_METHOD);
    let told: Vec<_> = losses.filter_map(|loss| loss.request()?.json()).collect();
    assert_eq!((all.len(), told.len()), (2, 1));
    assert!(
        told[0].contains(r#""reason":"unrecorded","count":1"#),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_logger_that_was_shut_down_takes_no_requests() {
    let audit = Audit::new();
    let service = audit
        .layer()
        .layer(answering(|_: Request<()>| Response::new(Script::default())));
    soon(audit.logger.shutdown(Duration::from_secs(9))).await;
    let response = service.oneshot(Request::new(())).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let text = response.into_body().collect().await.unwrap().to_bytes();
    assert!(
        text.starts_with(b"The gateway is shutting down"),
        "{text:?}"
    );
}

#[tokio::test]
async fn a_request_waits_for_room_and_may_leave_meanwhile() {
    let audit = full(Overload::Wait(Duration::from_secs(60)));
    let open = audit.logger.begin(other()).await.unwrap();
    let service = audit.layer().layer(answering(|_: Request<()>| {
        Response::new(Script::default().eager())
    }));
    {
        let mut left = pin!(service.clone().oneshot(Request::new(())));
        assert!(poll_once(left.as_mut()).await.is_pending());
    }
    let mut waits = pin!(service.oneshot(Request::new(())));
    assert!(poll_once(waits.as_mut()).await.is_pending());
    open.finish(Outcome::ToolError).await.unwrap();
    let response = soon(waits).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let outcomes: Vec<_> = audit
        .all()
        .await
        .iter()
        .map(|event| event.outcome)
        .collect();
    assert_eq!(
        outcomes,
        [Outcome::ToolError, Outcome::Ok],
        "who left had not begun"
    );
}

#[tokio::test]
async fn what_is_shed_runs_and_is_told_by_the_logger() {
    let audit = full(Overload::Shed);
    let open = audit.logger.begin(other()).await.unwrap();
    let layer = audit.layer();
    let service = layer.layer(answering(|_: Request<()>| {
        Response::new(Script::default().eager())
    }));
    let response = service.oneshot(Request::new(())).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(layer.n_refused(), 0);
    assert_eq!(audit.logger.counters().shed, 1);
    open.finish(Outcome::Ok).await.unwrap();
    let events = audit.all().await;
    assert!(
        events
            .iter()
            .any(|event| event.method.as_str() == LOSS_METHOD)
    );
}

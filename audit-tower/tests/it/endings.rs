//! How a call ends when its future does not: errors, timeouts, panics, callers who leave.

use std::convert::Infallible;
use std::future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use audit_core::event::Outcome;
use audit_testkit::Gate;
use audit_tower::{AuditedRequest as _, SharedCall};
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tower::timeout::{Timeout, TimeoutLayer};
use tower::{BoxError, Layer as _, Service, ServiceExt as _};

use crate::support::{Audit, Script, Step, answering, poll_once, soon};

fn request() -> Request<()> {
    Request::new(())
}

async fn failing_with(error: BoxError, said: Option<Outcome>) -> (Outcome, u16) {
    let audit = Audit::new();
    let error = std::sync::Mutex::new(Some(error));
    let error = std::sync::Arc::new(error);
    let service = audit
        .layer()
        .layer(tower::service_fn(move |request: Request<()>| {
            if let Some(said) = said {
                request.audit_call().unwrap().say(said);
            }
            future::ready(Err::<Response<Script>, _>(
                error.lock().unwrap().take().unwrap(),
            ))
        }));
    assert!(service.oneshot(request()).await.is_err(), "it is passed on");
    let event = audit.one().await;
    (event.outcome, event.status_code.as_u16())
}

#[tokio::test]
async fn an_error_of_the_service_is_an_internal_error_unless_more_is_known() {
    assert_eq!(
        failing_with("no".into(), None).await,
        (Outcome::InternalError, 500)
    );
    let said = failing_with("no".into(), Some(Outcome::UpstreamUnavailable)).await;
    assert_eq!(said, (Outcome::UpstreamUnavailable, 503));
    let said = failing_with("no".into(), Some(Outcome::Ok)).await;
    assert_eq!(said, (Outcome::InternalError, 500));
}

fn never()
-> impl Service<Request<()>, Response = Response<Script>, Error = Infallible, Future: Send> + Clone
{
    tower::service_fn(|_: Request<()>| future::pending())
}

#[tokio::test(start_paused = true)]
async fn a_timeout_within_is_a_timeout() {
    let audit = Audit::new();
    let timeout = TimeoutLayer::new(Duration::from_millis(5));
    let service = audit.layer().layer(timeout.layer(never()));
    service.oneshot(request()).await.unwrap_err();
    assert_eq!(audit.one().await.outcome, Outcome::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_around_looks_like_a_caller_who_leaves() {
    let audit = Audit::new();
    let service = Timeout::new(audit.layer().layer(never()), Duration::from_millis(5));
    service.oneshot(request()).await.unwrap_err();
    let event = audit.one().await;
    assert_eq!(event.outcome, Outcome::Cancelled);
    assert_eq!(event.status_code.as_u16(), 499);
    assert!(event.latency_ms.as_millis() < 1_000.0);
}

/// Runs until it panics, as a server does that contains its handlers.
async fn contained<T>(work: impl Future<Output = T>) -> bool {
    let mut work = Box::pin(work);
    let polled = future::poll_fn(|context| {
        let poll = AssertUnwindSafe(|| work.as_mut().poll(context));
        match std::panic::catch_unwind(poll) {
            Ok(poll) => poll.map(|_| false),
            Err(_) => std::task::Poll::Ready(true),
        }
    });
    soon(polled).await
}

#[tokio::test]
async fn a_panic_in_the_handlers_future_is_aborted() {
    let audit = Audit::new();
    let service = audit
        .layer()
        .layer(tower::service_fn(|request: Request<()>| async move {
            request.audit_call().unwrap().say(Outcome::Ok);
            if request.method() == "GET" {
                std::panic::panic_any("as the test says");
            }
            Ok::<_, Infallible>(Response::new(Script::default()))
        }));
    assert!(contained(service.oneshot(request())).await);
    let event = audit.one().await;
    assert_eq!(
        (event.outcome, event.status_code.as_u16()),
        (Outcome::Aborted, 0)
    );
}

#[tokio::test]
async fn a_panic_in_the_call_itself_is_aborted() {
    let audit = Audit::new();
    let service = audit.layer().layer(answering(|request: Request<()>| {
        if request.method() == "GET" {
            std::panic::panic_any("as the test says");
        }
        Response::new(Script::default())
    }));
    assert!(contained(service.oneshot(request())).await);
    assert_eq!(audit.one().await.outcome, Outcome::Aborted);
}

#[tokio::test]
async fn a_panic_of_the_body_is_aborted() {
    let audit = Audit::new();
    let service = audit.layer().layer(answering(|_: Request<()>| {
        Response::new(Script::new([Step::data("a"), Step::Panic]))
    }));
    let response = service.oneshot(request()).await.unwrap();
    assert!(contained(response.into_body().collect()).await);
    let event = audit.one().await;
    assert_eq!(
        (event.outcome, event.status_code.as_u16()),
        (Outcome::Aborted, 200)
    );
}

#[tokio::test]
async fn a_panic_counts_even_where_a_handle_of_the_call_lives_on() {
    let audit = Audit::new();
    let (give, mut given) = tokio::sync::mpsc::unbounded_channel();
    let service = audit.layer().layer(answering(move |request: Request<()>| {
        give.send(request.audit_call().unwrap().clone()).unwrap();
        if request.method() == "GET" {
            std::panic::panic_any("as the test says");
        }
        Response::new(Script::default())
    }));
    assert!(contained(service.oneshot(request())).await);
    let left: SharedCall = given.recv().await.unwrap();
    assert_eq!(audit.one().await.outcome, Outcome::Aborted);
    assert!(left.finish(Outcome::Ok).is_none());
}

/// What is recorded of a caller who leaves while the handler runs.
async fn leaving(said: Option<Outcome>) -> Outcome {
    let audit = Audit::new();
    let gate = Gate::new();
    let held = gate.clone();
    let service = audit
        .layer()
        .layer(tower::service_fn(move |request: Request<()>| {
            let held = held.clone();
            async move {
                if let Some(said) = said {
                    request.audit_call().unwrap().say(said);
                }
                held.pass().await;
                Ok::<_, Infallible>(Response::new(Script::default()))
            }
        }));
    {
        let mut future = pin!(service.oneshot(request()));
        assert!(poll_once(future.as_mut()).await.is_pending());
        soon(gate.arrived(1)).await;
    }
    audit.one().await.outcome
}

#[tokio::test]
async fn a_caller_who_leaves_the_handler_is_cancelled_unless_he_was_refused() {
    assert_eq!(leaving(None).await, Outcome::Cancelled);
    assert_eq!(leaving(Some(Outcome::Ok)).await, Outcome::Cancelled);
    assert_eq!(leaving(Some(Outcome::Denied)).await, Outcome::Denied);
}

#[tokio::test]
async fn what_the_handler_says_while_it_is_dropped_is_heard() {
    struct Refuse(SharedCall);

    impl Drop for Refuse {
        fn drop(&mut self) {
            self.0.say(Outcome::RateLimited);
        }
    }

    let audit = Audit::new();
    let service = audit
        .layer()
        .layer(tower::service_fn(|request: Request<()>| async move {
            let _guard = Refuse(request.audit_call().unwrap().clone());
            future::pending::<Result<Response<Script>, Infallible>>().await
        }));
    {
        let mut future = pin!(service.oneshot(request()));
        assert!(poll_once(future.as_mut()).await.is_pending());
    }
    assert_eq!(audit.one().await.outcome, Outcome::RateLimited);
}

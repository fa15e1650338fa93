//! Where a response ends, and what passes through on the way.

use audit_core::event::Outcome;
use audit_tower::AuditLayer;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tower::{Layer as _, ServiceExt as _};

use crate::support::{Audit, Script, Step, answering};

/// What is recorded of a response before anybody polls its body, if anything is.
async fn at_once(method: Method, response: Response<Script>) -> Option<(Outcome, u16)> {
    let audit = Audit::new();
    let service = audit
        .layer()
        .layer(answering(move |_: Request<()>| response.clone()));
    let request = Request::builder().method(method).body(()).unwrap();
    let response = service.oneshot(request).await.unwrap();
    let is_open = audit.logger.counters().open_calls > 0;
    drop(response);
    let event = audit.one().await;
    (!is_open).then_some((event.outcome, event.status_code.as_u16()))
}

fn with_status(status: u16) -> Response<Script> {
    let body = Script::new([Step::data("a body that nobody reads")]);
    Response::builder().status(status).body(body).unwrap()
}

#[tokio::test]
async fn a_response_without_a_body_ends_at_once() {
    assert_eq!(
        at_once(Method::HEAD, with_status(200)).await,
        Some((Outcome::Ok, 200))
    );
    assert_eq!(
        at_once(Method::HEAD, with_status(404)).await,
        Some((Outcome::InvalidRequest, 404))
    );
    for status in [101, 204, 304] {
        assert_eq!(
            at_once(Method::GET, with_status(status)).await,
            Some((Outcome::Ok, status))
        );
    }
    assert_eq!(
        at_once(Method::CONNECT, with_status(200)).await,
        Some((Outcome::Ok, 200))
    );
    let empty = Response::new(Script::default().eager());
    assert_eq!(at_once(Method::GET, empty).await, Some((Outcome::Ok, 200)));
}

#[tokio::test]
async fn a_response_with_a_body_does_not() {
    assert_eq!(at_once(Method::GET, with_status(200)).await, None);
    assert_eq!(at_once(Method::CONNECT, with_status(403)).await, None);
    assert_eq!(at_once(Method::OPTIONS, with_status(205)).await, None);
}

/// Polls a response's body this often, then drops it.
async fn polled(layer: AuditLayer, response: Response<Script>, n_polls: usize) {
    let service = layer.layer(answering(move |_: Request<()>| response.clone()));
    let mut body = service.oneshot(Request::new(())).await.unwrap().into_body();
    for _ in 0..n_polls {
        let _frame = body.frame().await;
    }
}

#[tokio::test]
async fn a_body_that_says_it_ended_need_not_be_asked_again() {
    let audit = Audit::new();
    let body = Script::new([Step::data("a"), Step::data("b")]).eager();
    polled(audit.layer(), Response::new(body), 2).await;
    assert_eq!(audit.one().await.outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_body_of_a_known_length_has_ended_when_that_is_out() {
    let announced = Response::builder().header("content-length", 2);
    let announced = announced
        .body(Script::new([Step::data("a"), Step::data("b")]))
        .unwrap();
    let mut exact = Script::new([Step::data("a"), Step::data("b")]);
    exact.is_exact = true;
    for response in [announced, Response::new(exact)] {
        for (n_polls, outcome) in [(1, Outcome::Cancelled), (2, Outcome::Ok)] {
            let audit = Audit::new();
            polled(audit.layer(), response.clone(), n_polls).await;
            assert_eq!(audit.one().await.outcome, outcome, "{n_polls}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_dropped_before_its_end_was_left() {
    let audit = Audit::new();
    let body = Script::new([Step::data("a"), Step::data("b")]);
    polled(audit.layer(), Response::new(body), 2).await;
    let event = audit.one().await;
    assert_eq!(
        (event.outcome, event.status_code.as_u16()),
        (Outcome::Cancelled, 200)
    );
}

#[tokio::test]
async fn who_leaves_a_refusal_was_refused() {
    for (status, outcome) in [
        (401, Outcome::Unauthenticated),
        (403, Outcome::Denied),
        (429, Outcome::RateLimited),
        (500, Outcome::Cancelled),
    ] {
        let audit = Audit::new();
        polled(audit.layer(), with_status(status), 0).await;
        assert_eq!(audit.one().await.outcome, outcome);
    }
}

#[tokio::test]
async fn a_body_that_fails_half_way_is_an_error_by_choice_of_the_gateway() {
    let body = || Response::new(Script::new([Step::data("a"), Step::Fail]));
    let audit = Audit::new();
    polled(audit.layer(), body(), 2).await;
    assert_eq!(audit.one().await.outcome, Outcome::InternalError);

    let audit = Audit::new();
    let layer = audit.layer().broken_body(Outcome::UpstreamDisconnected);
    polled(layer, body(), 2).await;
    let event = audit.one().await;
    assert_eq!(event.outcome, Outcome::UpstreamDisconnected);
    assert_eq!(
        event.status_code.as_u16(),
        200,
        "that is what the caller got"
    );
}

#[tokio::test]
async fn chunks_trailers_hints_and_ends_pass_through() {
    let mut trailers = HeaderMap::new();
    trailers.insert("checksum", HeaderValue::from_static("7"));
    let audit = Audit::new();
    let mut script = Script::new([
        Step::data("one"),
        Step::Pending,
        Step::data("two"),
        Step::Trailers(trailers.clone()),
    ])
    .eager();
    script.is_exact = true;
    let service = audit
        .layer()
        .capture_responses()
        .layer(answering(move |_: Request<()>| {
            Response::new(script.clone())
        }));
    let mut body = service.oneshot(Request::new(())).await.unwrap().into_body();

    assert_eq!(body.size_hint().exact(), Some(6));
    assert!(!body.is_end_stream());
    let mut data = async || body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(data().await, Bytes::from_static(b"one"));
    assert_eq!(data().await, Bytes::from_static(b"two"));
    assert_eq!(
        audit.logger.counters().open_calls,
        1,
        "trailers are still to come"
    );
    let last = body.frame().await.unwrap().unwrap();
    assert_eq!(last.into_trailers().unwrap(), trailers);
    assert!(body.is_end_stream());
    assert_eq!(audit.logger.counters().open_calls, 0);
    assert!(body.frame().await.is_none());
    assert_eq!(audit.one().await.outcome, Outcome::Ok);
}

/// What a gRPC response says in its headers and its trailers.
async fn grpc(header: Option<&'static str>, trailer: Option<&'static str>) -> Outcome {
    let audit = Audit::new();
    let mut steps = vec![Step::data("\0\0\0\0\0")];
    if let Some(trailer) = trailer {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static(trailer));
        steps.push(Step::Trailers(trailers));
    }
    let mut response = Response::builder().header("content-type", "application/grpc+proto");
    if let Some(header) = header {
        response = response.header("grpc-status", header);
        steps.clear();
    }
    let response = response.body(Script::new(steps)).unwrap();
    polled(audit.layer(), response, 3).await;
    audit.one().await.outcome
}

#[tokio::test]
async fn grpc_says_what_came_of_a_call_behind_its_end() {
    assert_eq!(grpc(None, Some("0")).await, Outcome::Ok);
    assert_eq!(grpc(None, Some("7")).await, Outcome::Denied);
    assert_eq!(grpc(Some("16"), None).await, Outcome::Unauthenticated);
    assert_eq!(grpc(None, Some("5")).await, Outcome::RpcError);
    assert_eq!(grpc(None, None).await, Outcome::Ok);
}

#[tokio::test]
async fn an_answer_that_says_no_is_ended_by_its_body_as_well() {
    let audit = Audit::new();
    let response = Response::builder().status(StatusCode::IM_A_TEAPOT);
    let response = response
        .body(Script::new([Step::data("no coffee")]))
        .unwrap();
    polled(audit.layer(), response, 2).await;
    let event = audit.one().await;
    assert_eq!(
        (event.outcome, event.status_code.as_u16()),
        (Outcome::InvalidRequest, 418)
    );
}

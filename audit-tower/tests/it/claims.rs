//! What a request says of itself.

use std::net::{IpAddr, Ipv4Addr};

use audit_core::event::{AuditEvent, Role, SessionId, Upstream};
use audit_tower::AuditLayer;
use http::{HeaderName, Request, Response};
use tower::{Layer as _, ServiceExt as _};

use crate::support::{Audit, Script, answering};

async fn recorded(
    set: impl FnOnce(AuditLayer) -> AuditLayer,
    request: Request<()>,
    response: Response<Script>,
) -> AuditEvent {
    let audit = Audit::new();
    let service = set(audit.layer()).layer(answering(move |_: Request<()>| response.clone()));
    drop(service.oneshot(request).await.unwrap());
    audit.one().await
}

fn empty() -> Response<Script> {
    Response::new(Script::default().eager())
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn the_trace_is_taken_from_traceparent() {
    let request = Request::get("/").header("traceparent", PARENT);
    let event = recorded(|it| it, request.body(()).unwrap(), empty()).await;
    assert_eq!(event.trace_id.unwrap().to_string(), TRACE);
    assert_eq!(event.span_id.unwrap().to_string(), "00f067aa0ba902b7");
}

#[tokio::test]
async fn a_trace_that_cannot_be_read_or_came_twice_is_none() {
    let wrong = Request::get("/").header("traceparent", "00-nonsense");
    let event = recorded(|it| it, wrong.body(()).unwrap(), empty()).await;
    assert_eq!(event.trace_id, None);
    let twice = Request::get("/")
        .header("traceparent", PARENT)
        .header("traceparent", PARENT);
    let event = recorded(|it| it, twice.body(()).unwrap(), empty()).await;
    assert_eq!(event.trace_id, None);
}

#[tokio::test]
async fn the_client_is_who_it_says_and_from_where_the_gateway_sees_it() {
    let request = Request::get("/")
        .header("user-agent", "curl/8.5.0")
        .body(())
        .unwrap();
    let event = recorded(
        |it| it.client_address(|_| Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)))),
        request,
        empty(),
    )
    .await;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let client = &event.client;
    assert_eq!(text(client.name.as_ref().map(AsRef::as_ref)), "curl");
    assert_eq!(text(client.version.as_ref().map(AsRef::as_ref)), "8.5.0");
    assert_eq!(
        text(client.address.as_ref().map(AsRef::as_ref)),
        "192.0.2.7"
    );
}

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

#[tokio::test]
async fn the_session_is_hashed_and_may_begin_with_the_response() {
    let hashed = |text: &str| Some(SessionId::hashed(text));
    let request = || Request::get("/").header(SESSION, "s-1").body(()).unwrap();
    let begins = Response::builder().header(SESSION, "s-2");
    let begins = begins.body(Script::default().eager()).unwrap();

    let event = recorded(|it| it.session_header(SESSION), request(), begins.clone()).await;
    assert_eq!(
        event.session_id,
        hashed("s-1"),
        "the caller's, where he has one"
    );
    let event = recorded(
        |it| it.session_header(SESSION),
        Request::new(()),
        begins.clone(),
    )
    .await;
    assert_eq!(event.session_id, hashed("s-2"));
    let event = recorded(|it| it, request(), begins).await;
    assert_eq!(event.session_id, None, "nobody asked for it");
}

#[tokio::test]
async fn the_request_id_is_a_claim() {
    let id = "7".repeat(1_000);
    let request = Request::get("/")
        .header("x-request-id", &id)
        .body(())
        .unwrap();
    let name = HeaderName::from_static("x-request-id");
    let event = recorded(|it| it.request_id_header(name), request, empty()).await;
    let kept = event.request_id.as_ref().unwrap().as_str();
    assert_eq!(kept, &id[..128]);
}

#[tokio::test]
async fn the_route_stands_for_the_path() {
    let request = || Request::get("/reset/one-time-token?x=y").body(()).unwrap();
    let event = recorded(
        |it| it.route(|_| Some("/reset/{token}")),
        request(),
        empty(),
    )
    .await;
    assert_eq!(event.method.as_str(), "GET /reset/{token}");
    let event = recorded(|it| it.route(|_| None), request(), empty()).await;
    assert_eq!(event.method.as_str(), "GET /reset/one-time-token");
}

#[tokio::test]
async fn a_path_is_bounded_and_scrubbed_and_its_query_never_stored() {
    let path = format!("/{}?password=hunter2", "way/".repeat(500));
    let event = recorded(|it| it, Request::get(path).body(()).unwrap(), empty()).await;
    assert_eq!(event.method.as_str().chars().count(), 256);
    assert!(!serde_json::to_string(&event).unwrap().contains("hunter2"));

    let token = format!("ghp_{}", "a1B2".repeat(9));
    let path = format!("/by/{token}/x");
    let event = recorded(|it| it, Request::get(path).body(()).unwrap(), empty()).await;
    assert!(!event.method.as_str().contains(&token), "{}", event.method);
}

#[tokio::test]
async fn the_gateway_has_the_last_word_on_the_draft() {
    let event = recorded(
        |it| {
            it.draft(|request, draft| {
                let name = request.uri.path().trim_start_matches('/');
                draft
                    .upstream(Upstream::lossy(name))
                    .role(Role::lossy("operator"))
            })
        },
        Request::get("/search").body(()).unwrap(),
        empty(),
    )
    .await;
    assert_eq!(event.upstream.as_ref().unwrap().as_str(), "search");
    assert_eq!(event.role.as_str(), "operator");
}

//! Real servers and clients on the loopback.

use std::convert::Infallible;
use std::time::Duration;

use audit_core::event::Outcome;
use audit_testkit::Gate;
use audit_tower::SharedCall;
use axum::body::{Body, Bytes};
use axum::error_handling::HandleErrorLayer;
use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceBuilder;

use crate::support::{Audit, Script, Step, client, get as request, payloads, serve, soon};

async fn connect(address: &str) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Reads until this text came.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(text) {
        let mut buffer = [0; 1_024];
        let n = soon(stream.read(&mut buffer)).await.unwrap();
        assert_ne!(n, 0, "the connection ended behind {seen:?}");
        seen.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
    }
    seen
}

async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// A body that goes on for ever, a chunk whenever there is room.
fn endless() -> Body {
    let steps = std::iter::repeat_n(Step::Data(Bytes::from_static(&[b'x'; 16 << 10])), 100_000);
    Body::new(Script::new(steps))
}

#[tokio::test]
async fn a_client_that_cuts_the_connection_in_mid_body_is_on_record() {
    let audit = Audit::new();
    let router = Router::new()
        .route("/", get(async || endless()))
        .layer(audit.layer());
    let mut stream = connect(&serve(router).await).await;
    send(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    read_until(&mut stream, "xxxx").await;
    drop(stream);
    let event = audit.one().await;
    assert_eq!(
        (event.outcome, event.status_code.as_u16()),
        (Outcome::Cancelled, 200)
    );
}

#[tokio::test]
async fn a_client_that_cuts_the_connection_while_the_handler_runs_is_on_record() {
    let audit = Audit::new();
    let gate = Gate::new();
    let held = gate.clone();
    let handler = async move || held.pass().await;
    let router = Router::new().route("/", get(handler)).layer(audit.layer());
    let mut stream = connect(&serve(router).await).await;
    send(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    soon(gate.arrived(1)).await;
    drop(stream);
    let event = audit.one().await;
    assert_eq!(
        (event.outcome, event.status_code.as_u16()),
        (Outcome::Cancelled, 499)
    );
}

#[tokio::test]
async fn a_client_that_leaves_an_idle_event_stream_is_on_record() {
    let audit = Audit::new();
    let handler = async || {
        // One event, then nothing more for ever.
        let (send, receive) = tokio::sync::mpsc::unbounded_channel::<Bytes>();
        send.send(Bytes::from_static(b"data: one\n\n")).unwrap();
        let body = Body::new(Channel {
            receive,
            _send: send,
        });
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(body)
            .unwrap()
    };
    let layer = audit.layer().capture_responses();
    let router = Router::new().route("/", get(handler)).layer(layer);
    let mut stream = connect(&serve(router).await).await;
    send(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    read_until(&mut stream, "data: one\n\n").await;
    assert_eq!(audit.logger.counters().open_calls, 1);
    drop(stream);
    let event = audit.one().await;
    assert_eq!(event.outcome, Outcome::Cancelled);
    assert_eq!(payloads(&event).1, Some(r#""data: one\n\n""#));
}

/// Chunks as somebody sends them; as long as it holds a sender of its own, it has no end.
struct Channel<S> {
    receive: tokio::sync::mpsc::UnboundedReceiver<Bytes>,
    _send: S,
}

impl<S: Unpin> http_body::Body for Channel<S> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        let data = self.receive.poll_recv(context);
        data.map(|data| data.map(|data| Ok(http_body::Frame::data(data))))
    }
}

#[tokio::test]
async fn no_event_of_a_stream_is_held_back() {
    let audit = Audit::new();
    let (send, receive) = tokio::sync::mpsc::unbounded_channel::<Bytes>();
    let body = std::sync::Mutex::new(Some(Body::new(Channel { receive, _send: () })));
    let body = std::sync::Arc::new(body);
    let handler = async move || {
        let response = Response::builder().header("content-type", "text/event-stream");
        response.body(body.lock().unwrap().take().unwrap()).unwrap()
    };
    let layer = audit.layer().capture_responses().capture_requests();
    let router = Router::new().route("/", get(handler)).layer(layer);
    let response = client().request(request(format!("http://{}/", serve(router).await)));
    let mut body = soon(response).await.unwrap().into_body();
    for n in 0..5 {
        let text = format!("data: {n}\n\n");
        send.send(Bytes::from(text.clone())).unwrap();
        let frame = soon(body.frame()).await.unwrap().unwrap();
        assert_eq!(
            frame.into_data().unwrap(),
            text,
            "before the next one is sent"
        );
    }
    drop(send);
    assert!(soon(body.frame()).await.is_none());
    let event = audit.one().await;
    assert_eq!(event.outcome, Outcome::Ok);
    let kept = payloads(&event).1.unwrap();
    assert!(
        kept.contains("data: 0\\n\\ndata: 1") && kept.contains("data: 4"),
        "{kept}"
    );
}

#[tokio::test]
async fn a_handler_that_panics_is_on_record() {
    let audit = Audit::new();
    let handler = async |request: Request| {
        if request.method() == "GET" {
            std::panic::panic_any("as the test says");
        }
    };
    let router = Router::new().route("/", any(handler)).layer(audit.layer());
    let address = serve(router).await;
    let answer = soon(client().request(request(format!("http://{address}/")))).await;
    assert!(answer.is_err(), "the connection is cut");
    let event = audit.one().await;
    assert_eq!(
        (event.outcome, event.status_code.as_u16()),
        (Outcome::Aborted, 0)
    );
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_on_record() {
    let audit = Audit::new();
    let never = async || std::future::pending::<()>().await;
    let answer = async |_: tower::BoxError| StatusCode::GATEWAY_TIMEOUT;
    // Error and answer: seen by the layer as the one and as the other.
    let timeout = tower::timeout::TimeoutLayer::new(Duration::from_millis(1));
    let outside = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(answer))
        .layer(audit.layer())
        .layer(timeout.clone());
    let inside = ServiceBuilder::new()
        .layer(audit.layer())
        .layer(HandleErrorLayer::new(answer))
        .layer(timeout);
    let router = Router::new()
        .route("/outside", get(never).layer(outside))
        .route("/inside", get(never).layer(inside));
    let address = serve(router).await;
    for path in ["outside", "inside"] {
        let response = client().request(request(format!("http://{address}/{path}")));
        assert_eq!(soon(response).await.unwrap().status(), 504);
    }
    let events = audit.all().await;
    let outcomes: Vec<_> = events.iter().map(|event| event.outcome).collect();
    assert_eq!(outcomes, [Outcome::Timeout, Outcome::Timeout]);
}

#[tokio::test]
async fn a_body_that_fails_half_way_is_on_record() {
    let audit = Audit::new();
    let handler = async || Body::new(Script::new([Step::data("half"), Step::Pending, Step::Fail]));
    let router = Router::new().route("/", get(handler)).layer(audit.layer());
    let address = serve(router).await;
    let response = client().request(request(format!("http://{address}/")));
    let response = soon(response).await.unwrap();
    soon(response.into_body().collect()).await.unwrap_err();
    assert_eq!(audit.one().await.outcome, Outcome::InternalError);
}

#[tokio::test]
async fn responses_without_a_body_are_on_record() {
    let audit = Audit::new();
    let router = Router::new()
        .route("/", get(async || "a text"))
        .route("/none", get(async || StatusCode::NO_CONTENT))
        .route("/same", get(async || StatusCode::NOT_MODIFIED))
        .layer(audit.layer().capture_responses());
    let mut stream = connect(&serve(router).await).await;
    for (line, answer) in [
        ("HEAD /", "HTTP/1.1 200 OK"),
        ("GET /none", "HTTP/1.1 204 No Content"),
        ("GET /same", "HTTP/1.1 304 Not Modified"),
        ("GET /", "HTTP/1.1 200 OK"),
    ] {
        send(&mut stream, &format!("{line} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        let head = read_until(&mut stream, "\r\n\r\n").await;
        assert!(head.starts_with(answer), "{head}");
    }
    let events = audit.all().await;
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event.method.as_str(), event.outcome, payloads(event).1))
        .collect();
    assert_eq!(
        seen,
        [
            ("HEAD /", Outcome::Ok, None),
            ("GET /none", Outcome::Ok, None),
            ("GET /same", Outcome::Ok, None),
            ("GET /", Outcome::Ok, Some("\"a text\"")),
        ]
    );
}

#[tokio::test]
async fn a_stream_with_a_length_that_is_read_to_its_end_is_ok() {
    let audit = Audit::new();
    let handler = async || {
        // hyper stops at the length, and never asks for the end.
        let body = Body::new(Script::new([
            Step::data("12345"),
            Step::Pending,
            Step::data("67890"),
        ]));
        Response::builder()
            .header("content-length", 10)
            .body(body)
            .unwrap()
    };
    let router = Router::new().route("/", get(handler)).layer(audit.layer());
    let address = serve(router).await;
    let response = client().request(request(format!("http://{address}/")));
    let body = soon(soon(response).await.unwrap().into_body().collect())
        .await
        .unwrap();
    assert_eq!(body.to_bytes(), "1234567890");
    assert_eq!(audit.one().await.outcome, Outcome::Ok);
}

#[tokio::test]
async fn an_upgraded_connection_is_on_record_and_goes_on() {
    let audit = Audit::new();
    let handler = async |mut request: Request| {
        let upgrade = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut stream = TokioIo::new(upgrade.await.unwrap());
            let mut word = [0; 4];
            stream.read_exact(&mut word).await.unwrap();
            word.reverse();
            stream.write_all(&word).await.unwrap();
        });
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header("connection", "upgrade")
            .header("upgrade", "backwards")
            .body(Body::empty())
            .unwrap()
    };
    let layer = audit.layer().capture_requests().capture_responses();
    let router = Router::new().route("/", get(handler)).layer(layer);
    let mut stream = connect(&serve(router).await).await;
    send(
        &mut stream,
        "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: backwards\r\n\r\n",
    )
    .await;
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let event = audit.one().await;
    assert_eq!(
        (event.outcome, event.status_code.as_u16()),
        (Outcome::Ok, 101)
    );
    send(&mut stream, "drow").await;
    read_until(&mut stream, "word").await;
}

#[tokio::test]
async fn bodies_of_both_directions_go_through_unchanged_and_are_kept() {
    let audit = Audit::new();
    let layer = audit
        .layer()
        .credential_header(http::header::AUTHORIZATION)
        .capture_responses()
        .capture_requests()
        .route(|request| Some(request.extensions.get::<MatchedPath>()?.as_str()))
        .client_address(|request| {
            let peer = request
                .extensions
                .get::<ConnectInfo<std::net::SocketAddr>>()?;
            Some(peer.0.ip())
        });
    let echo = async |call: Option<Extension<SharedCall>>, body: Bytes| {
        let Extension(call) = call.unwrap();
        call.say(Outcome::ToolError);
        let response = Response::builder().header("content-type", "application/json");
        response.body(Body::from(body)).unwrap()
    };
    let router = Router::new().route("/echo/{id}", post(echo)).layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });

    let text = r#"{"say":"hello","key":"correct-horse-battery"}"#;
    let request = http::Request::post(format!("http://{address}/echo/7?x=hunter2"))
        .header("content-type", "application/json")
        .header("authorization", "Bearer correct-horse-battery")
        .body(Body::from(text))
        .unwrap();
    let response = soon(client().request(request)).await.unwrap();
    let body = soon(response.into_body().collect()).await.unwrap();
    assert_eq!(body.to_bytes(), text);
    let event = audit.one().await;
    assert_eq!(event.method.as_str(), "POST /echo/{id}");
    assert_eq!(event.outcome, Outcome::ToolError);
    let kept = Some(r#"{"say":"hello","key":"[REDACTED:caller_credential]"}"#);
    assert_eq!(payloads(&event), (kept, kept));
    assert_eq!(event.client.address.as_ref().unwrap().as_str(), "127.0.0.1");
    let all = serde_json::to_string(&event).unwrap();
    assert!(!all.contains("hunter2") && !all.contains("horse"), "{all}");
}

#[tokio::test]
async fn a_request_body_that_breaks_off_is_on_record() {
    let audit = Audit::new();
    let gate = Gate::new();
    let held = gate.clone();
    let handler = async move |body: Body| {
        let mut body = body;
        let first = body.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "half");
        // The client knows that it was read; then nothing more comes.
        held.open();
        held.pass().await;
        drop(body.frame().await);
    };
    let layer = audit.layer().capture_requests();
    let router = Router::new().route("/", post(handler)).layer(layer);
    let mut stream = connect(&serve(router).await).await;
    send(
        &mut stream,
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 9\r\n\r\nhalf",
    )
    .await;
    soon(gate.arrived(1)).await;
    drop(stream);
    let event = audit.one().await;
    let report = event.request().unwrap().report();
    assert_eq!((report.original_bytes, report.truncated), (9, true));
    assert!(
        event
            .request()
            .unwrap()
            .json()
            .unwrap()
            .contains("[TRUNCATED:9]")
    );
    assert!(
        matches!(event.outcome, Outcome::Cancelled | Outcome::Ok),
        "the handler may still answer into the void: {}",
        event.outcome
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_are_each_on_record_once() {
    const N_CLIENTS: usize = 32;
    const N_EACH: usize = 60;
    let audit = Audit::new();
    let handler = async |request: Request| {
        let n = request
            .uri()
            .path()
            .trim_start_matches('/')
            .parse::<usize>()
            .unwrap_or(0);
        match n % 5 {
            0 => Response::new(Body::from("ok")),
            1 => {
                let refused = Response::builder().status(403);
                refused.body(Body::from("no")).unwrap()
            }
            2 => Response::new(Body::new(Script::new([
                Step::data("one"),
                Step::Pending,
                Step::data("two"),
            ]))),
            3 => {
                let status = Response::builder().status(StatusCode::NO_CONTENT);
                status.body(Body::empty()).unwrap()
            }
            _ => Response::new(endless()),
        }
    };
    let router = Router::new()
        .route("/{n}", get(handler))
        .layer(audit.layer());
    let address = serve(router).await;
    let client = client();
    let clients: Vec<_> = (0..N_CLIENTS)
        .map(|_| {
            let (client, address) = (client.clone(), address.clone());
            tokio::spawn(async move {
                for n in 0..N_EACH {
                    let response = client.request(request(format!("http://{address}/{n}")));
                    let response = response.await.unwrap();
                    if n % 5 == 4 {
                        // Leaves an endless body.
                        drop(response.into_body().frame().await);
                    } else {
                        response.into_body().collect().await.unwrap();
                    }
                }
            })
        })
        .collect();
    for client in clients {
        soon(client).await.unwrap();
    }
    let events = audit.all().await;
    let count = |outcome| {
        events
            .iter()
            .filter(|event| event.outcome == outcome)
            .count()
    };
    let each = N_CLIENTS * N_EACH / 5;
    assert_eq!(events.len(), N_CLIENTS * N_EACH);
    assert_eq!(count(Outcome::Ok), 3 * each);
    assert_eq!(count(Outcome::Denied), each);
    assert_eq!(count(Outcome::Cancelled), each);
}

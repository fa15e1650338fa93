//! One request of a client, from its head to the last byte of its answer.

use std::net::SocketAddr;
use std::sync::Arc;

use audit_core::AuditLogger;
use audit_core::event::{Outcome, Upstream};
use audit_mcp::conversation::{Conversation, Passage, Unrecorded};
use audit_web::Hosts;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};

use super::forward::{Answer, Forwarder};
use super::identity::{Callers, SESSION};
use super::sessions::Sessions;
use super::watched;

/// The largest request that is passed on. It is held as a whole, since a call has to be on record
/// before the server sees any of it.
const MAX_REQUEST_BYTES: usize = 32 << 20;

/// What all exchanges share.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) logger: AuditLogger,
    pub(super) forwarder: Forwarder,
    pub(super) hosts: Hosts,
    pub(super) callers: Callers,
    pub(super) upstream: Upstream,
    pub(super) unrecorded: Unrecorded,
    pub(super) sessions: Sessions,
}

impl Proxy {
    fn conversation(&self) -> Conversation {
        Conversation::builder(self.logger.clone())
            .upstream(self.upstream.clone())
            .unrecorded(self.unrecorded)
            .build()
    }

    /// That of the session that the request names, or a new one. Ids of messages are unique within
    /// a session; where there is none, within a request.
    fn conversation_of(&self, session: Option<&str>) -> Conversation {
        match session {
            Some(session) => self.sessions.get_or_insert(session, || self.conversation()),
            None => self.conversation(),
        }
    }
}

/// Serves one request.
pub(super) async fn serve(
    State(proxy): State<Arc<Proxy>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    if !proxy.hosts.are_called_by(&request) {
        tracing::warn!(%peer, "a request was refused that names another host: --allow-host lets it in");
        let text = "this proxy is not called by that name (--allow-host)\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    let (parts, body) = request.into_parts();
    let session = session_of(&parts.headers);
    let conversation = proxy.conversation_of(session.as_deref());
    let origin = proxy.callers.origin(&parts.headers, peer.ip());
    let exchange = conversation.exchange(origin);

    let body = match Limited::new(body, MAX_REQUEST_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            // What it asks is not known; that somebody tried is.
            drop(exchange.ask(b"{").await);
            exchange.fail(Outcome::InvalidRequest);
            let text = format!("a request has at most {MAX_REQUEST_BYTES} bytes here\n");
            return (StatusCode::PAYLOAD_TOO_LARGE, text).into_response();
        }
        // The client left before it had asked anything.
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    };
    if parts.method == Method::POST
        && let Passage::Refuse(answer) = exchange.ask(&body).await
    {
        let json = [(header::CONTENT_TYPE, "application/json")];
        return (json, answer).into_response();
    }
    let ends_session = parts.method == Method::DELETE;
    // A client that leaves now has left its calls.
    let guard = watched::Guard::new(exchange);
    let sent = proxy
        .forwarder
        .send(Request::from_parts(parts, Full::from(body)))
        .await;
    match sent {
        Ok(answer) => {
            if ends_session && answer.status().is_success() {
                session
                    .iter()
                    .for_each(|session| proxy.sessions.end(session));
            } else if let Some(session) = session_of(answer.headers()) {
                proxy.sessions.begin(&session, &conversation);
            }
            let may_go_on_elsewhere = session.is_some() || session_of(answer.headers()).is_some();
            pass_back(answer, guard, may_go_on_elsewhere)
        }
        Err(error) => unreachable_upstream(&error, guard),
    }
}

fn pass_back(answer: Answer, mut guard: watched::Guard, may_go_on_elsewhere: bool) -> Response {
    guard.status(answer.status().as_u16());
    let (parts, body) = answer.into_parts();
    let body = watched::body(body, &parts.headers, guard, may_go_on_elsewhere);
    Response::from_parts(parts, body)
}

fn unreachable_upstream(
    error: &hyper_util::client::legacy::Error,
    guard: watched::Guard,
) -> Response {
    let (outcome, what) = match error.is_connect() {
        true => (Outcome::UpstreamUnavailable, "cannot be reached"),
        false => (
            Outcome::UpstreamDisconnected,
            "broke off before it answered",
        ),
    };
    tracing::warn!(%error, "the server behind {what}");
    guard.fail(outcome);
    (
        StatusCode::BAD_GATEWAY,
        format!("the server behind this proxy {what}\n"),
    )
        .into_response()
}

fn session_of(headers: &HeaderMap) -> Option<String> {
    let session = headers.get(SESSION)?.to_str().ok()?;
    Some(session.to_owned())
}

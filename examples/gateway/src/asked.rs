//! What a request asks for, read before its record begins: the record then has the tool's name from
//! the first moment, and rules by tool (on record before it runs, durability) hold for it.

use std::sync::Arc;

use audit_core::event::{EventDraft, Method, RequestId, ToolName};
use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};
use audit_mcp::draft::CallFacts;
use audit_mcp::message::{Frame, Message, frame_text};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use crate::config::Config;

/// What a request asks for, as far as its body says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked(Arc<Fields>);

#[derive(Debug, Default)]
struct Fields {
    method: Option<Method>,
    tool: Option<ToolName>,
    id: Option<RequestId>,
    /// The id as it was spelled, to be answered.
    raw_id: Option<Box<str>>,
    /// The arguments, as JSON.
    params: Option<Box<str>>,
    unread: Option<StatusCode>,
}

impl Asked {
    /// Reads a body. This names the call on its record, and decides nothing: what is executed is
    /// what rmcp reads.
    fn read(body: &[u8]) -> Self {
        let text = frame_text(body);
        let fields = match Frame::parse(&text) {
            Frame::Message(Message::Request(request)) => Fields {
                method: Some(Method::lossy(&request.method)),
                tool: CallFacts::of_params(&request.method, request.params.unwrap_or("{}"))
                    .tool_name,
                id: Some(request.id.to_request_id()),
                raw_id: Some(request.raw_id.into()),
                params: request.params.map(Into::into),
                unread: None,
            },
            Frame::Message(Message::Notification(notification)) => Fields {
                method: Some(Method::lossy(&notification.method)),
                ..Fields::default()
            },
            _ => Fields::default(),
        };
        Self(Arc::new(fields))
    }

    fn unread(status: StatusCode) -> Self {
        Self(Arc::new(Fields {
            unread: Some(status),
            ..Fields::default()
        }))
    }

    /// Why the body could not be read.
    pub(crate) fn why_unread(&self) -> Option<StatusCode> {
        self.0.unread
    }

    pub(crate) fn raw_id(&self) -> Option<&str> {
        self.0.raw_id.as_deref()
    }
}

/// Reads the body of a request, whoever sent it: no longer than the bound, and no more slowly.
pub(crate) async fn read_body(
    State(config): State<Arc<Config>>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let reading = to_bytes(body, config.max_body_bytes);
    let (asked, body) = match tokio::time::timeout(config.body_timeout, reading).await {
        Ok(Ok(body)) => (Asked::read(&body), body),
        Ok(Err(_)) => (Asked::unread(StatusCode::PAYLOAD_TOO_LARGE), Bytes::new()),
        Err(_) => (Asked::unread(StatusCode::REQUEST_TIMEOUT), Bytes::new()),
    };
    parts.extensions.insert(asked);
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// What the body says, for the record that is about to begin.
pub(crate) fn describe(request: &Parts, draft: EventDraft, policy: &PayloadPolicy) -> EventDraft {
    let Some(Asked(asked)) = request.extensions.get() else {
        return draft;
    };
    let mut draft = draft;
    let mut context = PayloadContext::request(policy);
    if let Some(method) = &asked.method {
        draft = draft.method(method.clone());
    }
    if let Some(tool) = &asked.tool {
        draft = draft.tool_name(tool.clone());
        context = context.tool(tool.as_str());
    }
    if let Some(id) = &asked.id {
        draft = draft.request_id(id.clone());
    }
    if let Some(params) = &asked.params {
        draft = draft.request(Payload::from_json(params.as_bytes(), &context));
    }
    draft
}

/// What a request asks for.
pub(crate) fn of(request: &http::Request<Body>) -> Asked {
    request.extensions().get().cloned().unwrap_or_default()
}

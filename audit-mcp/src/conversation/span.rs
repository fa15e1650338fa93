use audit_core::event::Outcome;
use audit_core::logger::OpenCall;
use tracing::field::Empty;
use tracing::{Level, Span};

use super::Side;
use crate::draft::CallFacts;
use crate::message::MessageId;

/// The span of a call that passes by, in the words of OpenTelemetry's conventions.
pub(super) fn open(
    call: &OpenCall,
    (sender, id): (Side, &MessageId),
    method: &str,
    facts: &CallFacts,
) -> Span {
    if !tracing::enabled!(Level::INFO) {
        return Span::none();
    }
    // A caller may write his key where nobody expects it.
    let clean = |text: &str| call.scrub(text);
    let method = clean(audit_core::event::Method::lossy(method).as_str());
    let tool = facts.tool_name.as_ref().map(|tool| clean(tool.as_str()));
    let name = match &tool {
        Some(tool) => format!("{method} {tool}"),
        None => method.clone(),
    };
    // Of what the client asks this is the middle; of what the server asks, as well.
    let kind = match sender {
        Side::Client => "server",
        Side::Server => "client",
    };
    tracing::info_span!(
        "mcp_call",
        "audit.event.id" = %call.id(),
        "otel.name" = name,
        "otel.kind" = kind,
        "mcp.method.name" = method,
        "gen_ai.operation.name" = tool.as_ref().map(|_| "execute_tool"),
        "gen_ai.tool.name" = tool,
        "jsonrpc.request.id" = clean(id.to_request_id().as_str()),
        "mcp.protocol.version" = facts.protocol_version.as_deref().map(clean),
        "rpc.response.status_code" = Empty,
        "error.type" = Empty,
        "audit.outcome" = Empty,
    )
}

/// Says in the span how the call ended.
pub(super) fn close(span: &Span, outcome: Outcome, code: Option<i64>) {
    if let Some(code) = code {
        span.record("rpc.response.status_code", code);
    }
    span.record("audit.outcome", outcome.as_str());
    if !outcome.is_ok() {
        span.record("error.type", outcome.as_str());
    }
}

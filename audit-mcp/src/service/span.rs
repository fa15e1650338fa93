use audit_core::event::Outcome;
use audit_core::logger::SharedCall;
use rmcp::ErrorData;
use tracing::field::Empty;
use tracing::{Level, Span};

use super::heading::Heading;

/// The span in which a handler runs.
pub(super) fn open(call: &SharedCall, heading: &Heading<'_>) -> Span {
    if !tracing::enabled!(Level::INFO) {
        return Span::none();
    }
    // A caller may write his key where nobody expects it.
    let clean = |text: &str| call.update(|call| call.scrub(text)).unwrap_or_default();
    let method = clean(heading.method().as_str());
    let tool = heading.tool.as_ref().map(|tool| clean(tool.as_str()));
    let name = match &tool {
        Some(tool) => format!("{method} {tool}"),
        None => method.clone(),
    };
    let operation = tool.as_ref().map(|_| "execute_tool");
    let session = heading.session.as_ref().map(|session| session.as_str());
    tracing::info_span!(
        "mcp_call",
        "audit.event.id" = %call.id(),
        "otel.name" = name,
        "otel.kind" = "server",
        "mcp.method.name" = method,
        "gen_ai.operation.name" = operation,
        "gen_ai.tool.name" = tool,
        "jsonrpc.request.id" = clean(heading.request_id.as_str()),
        "mcp.session.id" = session,
        "mcp.protocol.version" = heading.version.as_deref().map(clean),
        "rpc.response.status_code" = Empty,
        "error.type" = Empty,
        "audit.outcome" = Empty,
    )
}

/// Says in the span how the call ended.
pub(super) fn close(span: &Span, outcome: Outcome, error: Option<&ErrorData>) {
    if let Some(error) = error {
        span.record("rpc.response.status_code", error.code.0);
    }
    span.record("audit.outcome", outcome.as_str());
    if !outcome.is_ok() {
        span.record("error.type", outcome.as_str());
    }
}

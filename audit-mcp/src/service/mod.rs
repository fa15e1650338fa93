//! A server or client written with rmcp, on record in one line.
//!
//! [`Audited`] stands around any rmcp `Service`, of either role: every request that comes in has
//! exactly one record, whatever its method; notifications have none.
//!
//! ```no_run
//! use audit_core::AuditLogger;
//! use audit_mcp::Audited;
//! use rmcp::{ServerHandler, ServiceExt};
//!
//! # async fn run(
//! #     server: impl ServerHandler,
//! #     logger: AuditLogger,
//! #     transport: tokio::io::DuplexStream,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let running = Audited::new(server, logger).serve(transport).await?;
//! # running.waiting().await?;
//! # Ok(())
//! # }
//! ```
//!
//! rmcp serves streamable HTTP to a `ServerHandler` only, hence
//! [`Audited::into_handler`].
//!
//! # Whose record
//! A call that another layer has begun (a [`SharedCall`](audit_core::logger::SharedCall) in the
//! request's extensions, or in those of its `http::request::Parts`, as `audit-tower` puts it there)
//! is taken over: the wrapper says what it knows, and that layer ends the record when the last byte
//! of the answer is sent. Otherwise the wrapper begins a call of its own and ends it with the
//! handler's answer. Either way the handler finds the call in `RequestContext::extensions`, and can
//! amend it.
//!
//! # Which outcome
//! What a handler said through the call stands; else a cancel is `cancelled`, though the handler
//! has answered; else the answer is [classified](crate::classify). A handler that panicked, or whose
//! task was dropped, is `aborted`.
//!
//! # Spans
//! The handler runs in a span `mcp_call` with the event's id and the names of OpenTelemetry's
//! semantic conventions:
//!
//! | field of the span | column of the event | what |
//! |---|---|---|
//! | `audit.event.id` | `id` | the record |
//! | `otel.name` | | the method and the tool |
//! | `otel.kind` | | `server`: the requests of the other side are served |
//! | `mcp.method.name` | `method` | |
//! | `gen_ai.operation.name` | | `execute_tool`, for `tools/call` |
//! | `gen_ai.tool.name` | `tool_name` | |
//! | `jsonrpc.request.id` | `request_id` | |
//! | `mcp.session.id` | `session_id` | hashed: the id itself admits its bearer |
//! | `mcp.protocol.version` | | as negotiated, or as the request says |
//! | `rpc.response.status_code` | | the code of a JSON-RPC error |
//! | `error.type` | `outcome` | the outcome's word, unless it is `ok` |
//! | `audit.outcome` | `outcome` | the outcome's word |
//!
//! The parent of the span is the one that was current; the caller's place in a trace (`traceparent`)
//! is in the event's `trace_id` and `span_id`.

mod audited;
mod caller;
mod guard;
mod handler;
mod heading;
mod kept;
mod recorder;
mod span;
mod wire;

pub use audited::Audited;
pub use caller::Caller;
pub use handler::AuditedHandler;

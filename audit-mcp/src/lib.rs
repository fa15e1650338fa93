//! MCP on record: what came of each call of the Model Context Protocol, whoever wrote the server.
//!
//! # The pieces
//! - [`Audited`]: around a service of rmcp, server or client: one line, and it is on record.
//! - [`relay`]: between two programs that speak over stdio, byte for byte.
//! - [`conversation`]: the calls of a connection seen from in between, for whoever writes a proxy.
//! - [`classify`]: what came of a call, from what was answered. Everything else asks here.
//! - [`message`], [`draft`], [`summary`]: what a message is, what it says of itself, and what is left
//!   of a result that is too big to be kept.
//!
//! # What becomes of a call
//! | what is seen | outcome |
//! |---|---|
//! | a result, without `isError: true` | `ok` |
//! | a question back (`resultType: input_required`), a task that was created | `ok`: it was answered; the next call has a record of its own |
//! | a result with `isError: true`, of `tools/call`, `tasks/result` or any other method, or in the task that `tasks/get` shows | `tool_error` |
//! | JSON-RPC −32700, −32600 | `invalid_request` |
//! | JSON-RPC −32800 | `cancelled` |
//! | JSON-RPC −32601, −32602 and every other code | `rpc_error`, never `denied` |
//! | an error without an id, with a status below 400 or none | `invalid_request` |
//! | no message of JSON-RPC | `invalid_request` |
//! | `notifications/cancelled` of who asked; who asked is gone | `cancelled` |
//! | who has to answer is gone | `upstream_disconnected` |
//! | no answer in time | `timeout` |
//! | HTTP 401, 407 | `unauthenticated` |
//! | HTTP 403, 451 | `denied` |
//! | HTTP 429 | `rate_limited` |
//! | HTTP 408, 504 | `timeout` |
//! | HTTP 499 | `cancelled` |
//! | HTTP 502, or a status of success and no answer | `upstream_disconnected` |
//! | HTTP 503, a redirect | `upstream_unavailable` |
//! | other HTTP 4xx (404: the session is gone; 406, 415) | `invalid_request` |
//! | other HTTP 5xx | `internal_error` |
//!
//! Where both a status and a JSON-RPC error with the call's id are there, the statuses 401, 403, 407,
//! 408, 429, 451, 499 and 502 to 504 say more than any code; beside the other ones from 300 on the
//! code does, but for those from −32019 to −32000, which servers use as they like.
//!
//! # In the words of OpenTelemetry
//! The [conventions for MCP](https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/) have the status
//! *Development*. The span of a call uses these names, and an export of events should:
//!
//! | event | attribute |
//! |---|---|
//! | `id` | `audit.event.id` |
//! | `method` | `mcp.method.name` |
//! | `tool_name` | `gen_ai.tool.name`, with `gen_ai.operation.name` = `execute_tool` |
//! | `request_id` | `jsonrpc.request.id` |
//! | `session_id` | `mcp.session.id`, hashed |
//! | `outcome`, if it is not `ok` | `error.type` |
//! | `outcome` | `audit.outcome` |
//! | `status_code` | `http.response.status_code`, where it came over HTTP |
//! | `trace_id`, `span_id` | the parent of the span |
//! | `upstream` | `server.address` |
//! | `client.address` | `client.address` |
//! | `client.name`, `client.version` | `user_agent.name`, `user_agent.version` |
//! | in the payload | `mcp.protocol.version`, `rpc.response.status_code` (the code of a JSON-RPC error) |
//!
//! # What it does not do
//! It decides nothing: who may call what is the gateway's. It knows no store, and of HTTP only the
//! statuses and rmcp's `http::request::Parts`. Names of prompts and URIs of resources are in the
//! payload; the column `tool_name` is that of `tools/call` alone.

pub mod classify;
pub mod conversation;
pub mod draft;
pub mod message;
pub mod relay;
mod service;
pub mod summary;

mod digest;
mod json;
mod scan;

pub use service::{Audited, AuditedHandler, Caller};

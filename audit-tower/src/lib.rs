//! Any HTTP gateway on record: a tower layer that makes one audit event of each request, to the
//! end of its response's body.
//!
//! ```
//! use audit_core::AuditLogger;
//! use audit_core::event::{ApiKeyId, Decision, ToolName};
//! use audit_tower::{AuditLayer, SharedCall};
//! use axum::{Extension, Router, extract::MatchedPath, routing::post};
//!
//! async fn search(call: Option<Extension<SharedCall>>) -> &'static str {
//!     // What only the handler knows. Without a call (fail open) there is nothing to tell it to.
//!     if let Some(Extension(call)) = call {
//!         call.update(|call| {
//!             call.amend(|draft| {
//!                 draft
//!                     .api_key_id(ApiKeyId::lossy("k_7f3"))
//!                     .tool_name(ToolName::lossy("search"))
//!                     .decision(Decision::allowed())
//!             });
//!         });
//!     }
//!     "nothing found"
//! }
//!
//! fn gateway(logger: AuditLogger) -> Router {
//!     let audit = AuditLayer::new(logger)
//!         .credential_header(http::header::AUTHORIZATION)
//!         .route(|request| Some(request.extensions.get::<MatchedPath>()?.as_str()));
//!     Router::new().route("/search", post(search)).layer(audit)
//! }
//! ```
//!
//! # The pieces
//! - [`AuditLayer`]: what is recorded, and how; the middleware is [`AuditService`].
//! - [`SharedCall`]: the open call, in the extensions of each request. Handlers and middlewares
//!   further in say through it what they know: who calls, what was decided, which tool, how long
//!   the upstream took, which outcome. [`AuditedRequest`] finds it where there is no extractor.
//! - [`AuditBody`], [`RequestBody`]: the bodies of responses and, where they are captured, of
//!   requests. Chunks, trailers, size hints and ends pass through as they are and when they are.
//!
//! # When an event begins and ends
//! Room for the record is reserved before the inner service sees the request
//! ([`AuditLogger::begin`](audit_core::AuditLogger::begin)). If that fails, the request is answered
//! with 503 and never runs; with [`AuditLayer::fail_open`] it runs without a record, which is
//! counted.
//!
//! The event ends with the response's body: behind its last chunk or its trailers; at once where
//! there is no body to come (HEAD, 204, 304, an empty body) and where something else than HTTP
//! follows (101, CONNECT). An end is what was handed to the connection; what the client made of it
//! nobody knows. It also ends when the future or the body is dropped before that: the client left,
//! or a layer around this one lost patience.
//!
//! # The outcome
//! | what happened | outcome |
//! |---|---|
//! | the body came to its end | what was said through [`SharedCall::say`]; else by the status: see below |
//! | the client left, or a timeout around the layer struck | `cancelled`; a refusal that was said or answered stays |
//! | a timeout inside the layer (tower's `Elapsed`) | `timeout` |
//! | any other error of the inner service, or of the body ([`AuditLayer::broken_body`]) | what was said, unless that was `ok`; else `internal_error` |
//! | a panic | `aborted` |
//!
//! | status | outcome |
//! |---|---|
//! | 401 | `unauthenticated` |
//! | 403 | `denied` |
//! | 408, 504 | `timeout` |
//! | 429 | `rate_limited` |
//! | 499 | `cancelled` |
//! | 502 | `upstream_disconnected` |
//! | 503 | `upstream_unavailable` |
//! | other 4xx | `invalid_request` |
//! | other 5xx | `internal_error` |
//! | everything below 400 | `ok`; in gRPC, by `grpc-status` in headers or trailers |
//!
//! # What is recorded
//! The method of an event is `GET /items/{id}`: the HTTP method and what [`AuditLayer::route`]
//! gives; without it the path, scrubbed of what looks like a credential and cut to its bound. Query
//! strings are never stored. The `traceparent` header gives trace and span id, `user-agent` the
//! client's claimed name and version. Bodies and headers are kept only where asked for:
//!
//! | asked for | payload |
//! |---|---|
//! | nothing | none |
//! | a body of JSON (`application/json`, `+json`) | that JSON |
//! | a body of text (`text/*`, so also server-sent events) | a JSON string |
//! | any other body, or one in a content coding | `{"content_type": …, "bytes": …}` |
//! | headers | `{"headers": {…}}` |
//! | both | `{"headers": {…}, "body": …}`, the body as above |
//!
//! Of a body no more is held than the logger's payload policy looks at (`scan_bytes`, 64 KiB if
//! nothing else is said), in each direction; its whole size is counted and stands in the payload's
//! report. A payload that a handler kept itself is not overwritten; nor are any made once a layer
//! further in has [claimed](SharedCall::claim) the call for a protocol of its own.
//!
//! An open call holds room in the logger's queue, so the queue bounds how many responses can be on
//! their way at once: some 2,300 by default. A gateway with long streams, such as server-sent
//! events, gives it more
//! ([`queue_bytes`](audit_core::logger::AuditLoggerBuilder::queue_bytes)).
//!
//! # Spans
//! Each call has a `tracing` span at level INFO, target `audit_tower`, in which the inner service
//! and the body are polled. Its names are those of OpenTelemetry, where it has one:
//!
//! | field | from |
//! |---|---|
//! | `otel.name`, `otel.kind` | `GET /items/{id}`, or `GET` where no route is known; `server` |
//! | `http.request.method` | the method, `_OTHER` for one that no standard names |
//! | `http.route` | [`AuditLayer::route`] |
//! | `http.response.status_code` | the status, when it is known |
//! | `error.type` | the outcome, where it is not `ok` |
//! | `audit.event.id` | the event's id |
//! | `audit.outcome` | the event's outcome |
//!
//! Neither path, query nor header of a request is in it.
//!
//! # What it does not do
//! It knows no MCP: a tool error inside a 200 is `ok` here, unless somebody says otherwise. It
//! authenticates nobody. It records requests, so what a client does in an upgraded connection is
//! beyond it; and a timeout *around* it looks like a client that leaves: put timeouts within.

mod layer;
mod options;

mod future;
mod recording;
mod service;

mod body;
mod request_body;

mod capture;
mod content;
mod kept;

mod draft;
mod extension;
mod judge;
mod refusal;
mod span;

pub use audit_core::logger::SharedCall;
pub use body::AuditBody;
pub use extension::AuditedRequest;
pub use future::ResponseFuture;
pub use layer::AuditLayer;
pub use request_body::RequestBody;
pub use service::{AuditService, CaptureRequest, PassRequest};

//! The event: one immutable fact about one call.
//!
//! An [`AuditEvent`] is made from an [`EventDraft`]; every field has a type that cannot hold
//! nonsense, and what a field refuses is an [`InvalidField`] that names the field and its bound.
//!
//! # The JSON form
//! [`AuditEvent::to_json`] writes one object, its fields in this order; [`AuditEvent::from_json`]
//! reads it back to an equal event and passes over fields that it does not know. Fields marked *
//! are left out where they are not known; the others are always there.
//!
//! | field | form | meaning |
//! |---|---|---|
//! | `schema` | number | [`SCHEMA_VERSION`] |
//! | `id` | UUID, version 7 | idempotency key, of the millisecond of `ts` |
//! | `ts` | RFC 3339, UTC, six digits of a second | when the call began |
//! | `api_key_id` | text of 1 to 128 characters, or null | which key called; never the key itself |
//! | `role` | text of 1 to 128 characters | under which role; `unknown` by default |
//! | `method` | text of 1 to 256 characters | what was called |
//! | `tool_name` | text of 1 to 256 characters, or null | which tool |
//! | `request_json` | any JSON, or null | what the caller sent, redacted and bounded |
//! | `response_json` | any JSON, or null | what the tool answered, redacted and bounded |
//! | `status_code` | number from 0 to 999 | the status that the caller got; 0: none |
//! | `latency_ms` | number from 0 to 315,360,000,000, thousandths exact | how long the call took |
//! | `decision` | object: `auth`, `authz`, `rate` | each a check, see below |
//! | `outcome` | one word of [`Outcome`] | what came of the call |
//! | `upstream`* | text of 1 to 256 characters | which server answered |
//! | `upstream_latency_ms`* | number, as `latency_ms` | how long that server took |
//! | `session_id`* | text of 1 to 128 characters | the session of the call |
//! | `request_id`* | text of 1 to 128 characters | the JSON-RPC id, as text |
//! | `trace_id`* | 32 digits of hex | W3C trace id |
//! | `span_id`* | 16 digits of hex | W3C span id |
//! | `client`* | object: `name`*, `version`*, `address`* | claims of the client, and its address as seen; texts of 1 to 128, 64 and 128 characters |
//! | `writer` | text of 1 to 64 characters | the logger that numbered the event |
//! | `seq` | number from 1 | the number within that logger, without a gap |
//! | `payload_report`* | object: `request`*, `response`* | what was done to the payloads, see [`PayloadReport`](crate::payload::PayloadReport) |
//!
//! A check is an object of `verdict` (`allowed`, `denied`, `error`, `skipped`), `reason`* (text of
//! 1 to 256 characters), `rule`* (1 to 128), `limit`* and `remaining`* (numbers below 2³²).
//!
//! No text holds U+0000, and none may look like a credential when it is made.

mod audit_event;
mod client;
mod decision;
mod draft;
mod error;
mod id;
mod json;
mod latency;
mod metadata;
mod outcome;
mod row;
mod sequence;
mod size;
mod status;
mod text;
mod timestamp;
mod trace;

pub use audit_event::AuditEvent;
pub use client::Client;
pub use decision::{Check, CheckName, Decision, Verdict};
pub use draft::EventDraft;
pub use error::{FieldProblem, InvalidField};
pub use id::EventId;
pub use json::{InvalidEvent, SCHEMA_VERSION};
pub use latency::Latency;
pub use metadata::{EventMetadata, EventSummary, PayloadReports};
pub use outcome::Outcome;
pub use row::EventRow;
pub use sequence::Seq;
pub(crate) use size::most_in_memory;
pub use status::StatusCode;
pub use text::{
    ApiKeyId, ClientAddress, ClientName, ClientVersion, Method, Reason, RequestId, Role, RuleName,
    SessionId, ToolName, Upstream, WriterId,
};
pub use timestamp::Timestamp;
pub use trace::{SpanId, TraceContext, TraceId};

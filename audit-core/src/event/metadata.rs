use std::ops::Deref;

use serde::Deserialize;

use super::client::Client;
use super::decision::Decision;
use super::id::EventId;
use super::latency::Latency;
use super::outcome::Outcome;
use super::sequence::Seq;
use super::status::StatusCode;
use super::text::{ApiKeyId, Method, RequestId, Role, SessionId, ToolName, Upstream, WriterId};
use super::timestamp::Timestamp;
use super::trace::{SpanId, TraceId};
use crate::payload::PayloadReport;

/// Everything that an event says, except for its payloads.
///
/// The fields have the names of the columns. Whoever holds an [`AuditEvent`](super::AuditEvent)
/// reads them through it; they cannot be changed there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventMetadata {
    /// The idempotency key, made from `ts`.
    pub id: EventId,
    /// When the call began, by the gateway's clock.
    pub ts: Timestamp,
    /// Which key called; absent where nobody was recognized.
    pub api_key_id: Option<ApiKeyId>,
    /// Under which role.
    pub role: Role,
    /// What was called.
    pub method: Method,
    /// Which tool, where the method has one: `tools/list` has none.
    pub tool_name: Option<ToolName>,
    /// The status that the caller got.
    pub status_code: StatusCode,
    /// From the beginning of the call to its end, as the caller saw it.
    pub latency_ms: Latency,
    /// What authentication, authorization and rate limit said.
    pub decision: Decision,
    /// What came of it.
    pub outcome: Outcome,
    /// Which server answered.
    pub upstream: Option<Upstream>,
    /// How much of the latency was spent waiting for that server.
    pub upstream_latency_ms: Option<Latency>,
    /// The session of the call.
    pub session_id: Option<SessionId>,
    /// The JSON-RPC id, as text.
    pub request_id: Option<RequestId>,
    /// The trace that the call belongs to.
    pub trace_id: Option<TraceId>,
    /// The span of the call.
    pub span_id: Option<SpanId>,
    /// The program at the other end.
    pub client: Client,
    /// The logger that numbered the event.
    pub writer: WriterId,
    /// The number within that logger.
    pub seq: Seq,
}

impl EventMetadata {
    pub(super) fn is_same_fact(&self, other: &Self) -> bool {
        let renumbered = Self {
            writer: self.writer.clone(),
            seq: self.seq,
            ..other.clone()
        };
        *self == renumbered
    }
}

/// What was done to the payloads of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PayloadReports {
    /// Of the request, where one was handed over.
    pub request: Option<PayloadReport>,
    /// Of the response, where one was handed over.
    pub response: Option<PayloadReport>,
}

/// An event as lists show it: everything but the payloads themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventSummary {
    /// The fields of the event.
    pub metadata: EventMetadata,
    /// What was done to the payloads that are not shown.
    pub payload_report: PayloadReports,
}

impl Deref for EventSummary {
    type Target = EventMetadata;

    fn deref(&self) -> &EventMetadata {
        &self.metadata
    }
}

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::SCHEMA_VERSION;
use crate::event::audit_event::AuditEvent;
use crate::event::client::Client;
use crate::event::decision::Decision;
use crate::event::id::EventId;
use crate::event::latency::Latency;
use crate::event::metadata::{EventMetadata, EventSummary, PayloadReports};
use crate::event::outcome::Outcome;
use crate::event::sequence::Seq;
use crate::event::status::StatusCode;
use crate::event::text::{
    ApiKeyId, Method, RequestId, Role, SessionId, ToolName, Upstream, WriterId,
};
use crate::event::timestamp::Timestamp;
use crate::event::trace::{SpanId, TraceId};
use crate::payload::{Payload, PayloadReport};

impl AuditEvent {
    /// The canonical JSON form: one line, fields in a fixed order.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "it never fails, and an empty text would pass for evidence"
    )]
    pub fn to_json(&self) -> String {
        // Every field writes itself without an error, and a payload holds valid JSON.
        serde_json::to_string(self).expect("an event is JSON")
    }
}

impl Decision {
    /// The decision as JSON, as it stands in an event and in a store's column.
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "words, bounded texts and numbers always serialize"
    )]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a decision is JSON")
    }
}

impl AuditEvent {
    /// The reports of the payloads as JSON, as they stand in a store's column; nothing where no
    /// payload was handed over.
    #[must_use]
    pub fn payload_report_json(&self) -> Option<String> {
        let reports = ReportsView::of_event(self);
        (!reports.is_empty()).then(|| reports.to_json())
    }
}

impl Serialize for AuditEvent {
    /// For JSON alone: payloads are written as they are.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = raw_json(self.request()).map_err(serde::ser::Error::custom)?;
        let response = raw_json(self.response()).map_err(serde::ser::Error::custom)?;
        let reports = ReportsView::of_event(self);
        EventView::new(self, Some(request), Some(response), reports).serialize(serializer)
    }
}

impl Serialize for EventSummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let reports = ReportsView::of(&self.payload_report);
        EventView::new(&self.metadata, None, None, reports).serialize(serializer)
    }
}

fn raw_json(payload: Option<&Payload>) -> Result<Option<&RawValue>, serde_json::Error> {
    payload
        .and_then(Payload::json)
        .map(serde_json::from_str)
        .transpose()
}

/// The fields in the order in which they are written: the seed's ten behind version and id, then
/// what was added. The ten are always there; what was added is left out where it is not known.
#[derive(Serialize)]
struct EventView<'a> {
    schema: u32,
    id: EventId,
    ts: Timestamp,
    api_key_id: Option<&'a ApiKeyId>,
    role: &'a Role,
    method: &'a Method,
    tool_name: Option<&'a ToolName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_json: Option<Option<&'a RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json: Option<Option<&'a RawValue>>,
    status_code: StatusCode,
    latency_ms: Latency,
    decision: &'a Decision,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<&'a Upstream>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_latency_ms: Option<Latency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a RequestId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<TraceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<SpanId>,
    #[serde(skip_serializing_if = "Client::is_empty")]
    client: &'a Client,
    writer: &'a WriterId,
    seq: Seq,
    #[serde(skip_serializing_if = "ReportsView::is_empty")]
    payload_report: ReportsView<'a>,
}

impl<'a> EventView<'a> {
    fn new(
        event: &'a EventMetadata,
        request_json: Option<Option<&'a RawValue>>,
        response_json: Option<Option<&'a RawValue>>,
        payload_report: ReportsView<'a>,
    ) -> Self {
        Self {
            schema: SCHEMA_VERSION,
            id: event.id,
            ts: event.ts,
            api_key_id: event.api_key_id.as_ref(),
            role: &event.role,
            method: &event.method,
            tool_name: event.tool_name.as_ref(),
            request_json,
            response_json,
            status_code: event.status_code,
            latency_ms: event.latency_ms,
            decision: &event.decision,
            outcome: event.outcome,
            upstream: event.upstream.as_ref(),
            upstream_latency_ms: event.upstream_latency_ms,
            session_id: event.session_id.as_ref(),
            request_id: event.request_id.as_ref(),
            trace_id: event.trace_id,
            span_id: event.span_id,
            client: &event.client,
            writer: &event.writer,
            seq: event.seq,
            payload_report,
        }
    }
}

#[derive(Serialize)]
struct ReportsView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'a PayloadReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<&'a PayloadReport>,
}

impl<'a> ReportsView<'a> {
    fn of(reports: &'a PayloadReports) -> Self {
        Self {
            request: reports.request.as_ref(),
            response: reports.response.as_ref(),
        }
    }

    fn of_event(event: &'a AuditEvent) -> Self {
        Self {
            request: event.request().map(Payload::report),
            response: event.response().map(Payload::report),
        }
    }

    fn is_empty(&self) -> bool {
        self.request.is_none() && self.response.is_none()
    }

    #[expect(clippy::expect_used, reason = "words and numbers always serialize")]
    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a report is JSON")
    }
}

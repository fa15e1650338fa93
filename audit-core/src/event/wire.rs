//! The JSON form of an event: what is written, and how it is read back.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::audit_event::AuditEvent;
use super::client::{Client, ClientForm};
use super::decision::{Decision, DecisionForm};
use super::draft::EventDraft;
use super::error::{FieldProblem, InvalidField};
use super::id::EventId;
use super::latency::Latency;
use super::metadata::{EventMetadata, EventSummary, PayloadReports};
use super::outcome::Outcome;
use super::sequence::Seq;
use super::status::StatusCode;
use super::text::{ApiKeyId, Method, RequestId, Role, SessionId, ToolName, Upstream, WriterId};
use super::timestamp::Timestamp;
use super::trace::{SpanId, TraceId};
use crate::payload::{InvalidPayload, Payload, PayloadReport};

/// The version of the JSON form that this crate writes, and the newest that it reads.
///
/// A new optional field does not raise it: readers pass over what they do not know. A field that
/// changes its meaning does, and so does a new [`Outcome`].
pub const SCHEMA_VERSION: u32 = 1;

impl AuditEvent {
    /// The canonical JSON form: one line, fields in a fixed order.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Every field writes itself without an error, and a payload holds valid JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`to_json`](Self::to_json) wrote. For stores, spools and importers of exports.
    ///
    /// Fields that are not known are passed over. The payloads are taken as they are: what was
    /// redacted was redacted when the event was made. So this is a boundary of trust: text from
    /// anywhere but a store goes through [`AuditEvent::draft`] and a
    /// [`PayloadContext`](crate::payload::PayloadContext).
    ///
    /// # Errors
    /// The text is not JSON, of a newer schema, lacks a field, or a field breaks its bounds.
    pub fn from_json(text: &str) -> Result<Self, InvalidEvent> {
        let form: EventForm<'_> = serde_json::from_str(text)?;
        form.restore()
    }
}

/// JSON that is no event. Names the place or the field; never repeats what stands there.
#[derive(Debug)]
pub struct InvalidEvent(InvalidEventKind);

#[derive(Debug)]
enum InvalidEventKind {
    Field(InvalidField),
    Form {
        line: usize,
        column: usize,
    },
    Payload {
        field: &'static str,
        source: InvalidPayload,
    },
    Schema {
        found: u32,
    },
}

impl fmt::Display for InvalidEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            InvalidEventKind::Field(_) => f.write_str("a field of the event breaks its bounds"),
            InvalidEventKind::Form { line, column } => {
                write!(
                    f,
                    "not the JSON form of an event, at line {line}, column {column}"
                )
            }
            InvalidEventKind::Payload { field, .. } => write!(f, "`{field}` is no payload"),
            InvalidEventKind::Schema { found } => {
                write!(
                    f,
                    "the event has schema {found}, this version reads up to {SCHEMA_VERSION}: update the reader"
                )
            }
        }
    }
}

impl Error for InvalidEvent {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            InvalidEventKind::Field(source) => Some(source),
            InvalidEventKind::Payload { source, .. } => Some(source),
            InvalidEventKind::Form { .. } | InvalidEventKind::Schema { .. } => None,
        }
    }
}

impl From<InvalidField> for InvalidEvent {
    fn from(field: InvalidField) -> Self {
        Self(InvalidEventKind::Field(field))
    }
}

impl From<serde_json::Error> for InvalidEvent {
    /// Keeps the place alone: serde's text can quote the value.
    fn from(error: serde_json::Error) -> Self {
        Self(InvalidEventKind::Form {
            line: error.line(),
            column: error.column(),
        })
    }
}

impl Serialize for AuditEvent {
    /// For JSON alone: payloads are written as they are.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let request = raw_json(self.request()).map_err(serde::ser::Error::custom)?;
        let response = raw_json(self.response()).map_err(serde::ser::Error::custom)?;
        let reports = ReportsView {
            request: self.request().map(Payload::report),
            response: self.response().map(Payload::report),
        };
        EventView::new(self, Some(request), Some(response), reports).serialize(serializer)
    }
}

impl Serialize for EventSummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let PayloadReports { request, response } = &self.payload_report;
        let reports = ReportsView {
            request: request.as_ref(),
            response: response.as_ref(),
        };
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

impl ReportsView<'_> {
    fn is_empty(&self) -> bool {
        self.request.is_none() && self.response.is_none()
    }
}

/// An event as it is read, before its fields are checked.
#[derive(Deserialize)]
struct EventForm<'a> {
    schema: u32,
    id: Box<str>,
    ts: Box<str>,
    api_key_id: Option<Box<str>>,
    role: Box<str>,
    method: Box<str>,
    tool_name: Option<Box<str>>,
    #[serde(borrow)]
    request_json: Option<&'a RawValue>,
    #[serde(borrow)]
    response_json: Option<&'a RawValue>,
    status_code: i64,
    latency_ms: f64,
    decision: DecisionForm,
    outcome: Box<str>,
    upstream: Option<Box<str>>,
    upstream_latency_ms: Option<f64>,
    session_id: Option<Box<str>>,
    request_id: Option<Box<str>>,
    trace_id: Option<Box<str>>,
    span_id: Option<Box<str>>,
    #[serde(default)]
    client: ClientForm,
    writer: Box<str>,
    seq: u64,
    #[serde(default)]
    payload_report: ReportsForm,
}

#[derive(Default, Deserialize)]
struct ReportsForm {
    request: Option<PayloadReport>,
    response: Option<PayloadReport>,
}

impl EventForm<'_> {
    fn restore(self) -> Result<AuditEvent, InvalidEvent> {
        if self.schema == 0 || self.schema > SCHEMA_VERSION {
            return Err(InvalidEvent(InvalidEventKind::Schema {
                found: self.schema,
            }));
        }
        let mut draft = EventDraft::new(Method::restore(self.method)?)
            .id(self.id.parse()?)
            .ts(Timestamp::parse("ts", &self.ts)?)
            .role(Role::restore(self.role)?)
            .status_code(StatusCode::new(self.status_code)?)
            .latency(Latency::from_millis(self.latency_ms)?)
            .decision(self.decision.try_into()?)
            .outcome(self.outcome.parse()?)
            .client(self.client.try_into()?);
        if let Some(text) = self.api_key_id {
            draft = draft.api_key_id(ApiKeyId::restore(text)?);
        }
        if let Some(text) = self.tool_name {
            draft = draft.tool_name(ToolName::restore(text)?);
        }
        if let Some(text) = self.upstream {
            draft = draft.upstream(Upstream::restore(text)?);
        }
        if let Some(millis) = self.upstream_latency_ms {
            draft = draft.upstream_latency(Latency::parse("upstream_latency_ms", millis)?);
        }
        if let Some(text) = self.session_id {
            draft = draft.session_id(SessionId::restore(text)?);
        }
        if let Some(text) = self.request_id {
            draft = draft.request_id(RequestId::restore(text)?);
        }
        if let Some(text) = self.trace_id {
            draft = draft.trace_id(text.parse()?);
        }
        if let Some(text) = self.span_id {
            draft = draft.span_id(text.parse()?);
        }
        if let Some(payload) = restore_payload(
            "request_json",
            self.request_json,
            self.payload_report.request,
        )? {
            draft = draft.request(payload);
        }
        if let Some(payload) = restore_payload(
            "response_json",
            self.response_json,
            self.payload_report.response,
        )? {
            draft = draft.response(payload);
        }
        Ok(draft.stamp(WriterId::restore(self.writer)?, Seq::new(self.seq)?)?)
    }
}

/// A payload without its report was not written by this crate.
fn restore_payload(
    field: &'static str,
    json: Option<&RawValue>,
    report: Option<PayloadReport>,
) -> Result<Option<Payload>, InvalidEvent> {
    match (json, report) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(InvalidField::new(
            "payload_report",
            FieldProblem::Malformed {
                expected: "a report for each payload that is there",
            },
        )
        .into()),
        (json, Some(report)) => Payload::restore(json.map(RawValue::get), report)
            .map(Some)
            .map_err(|source| InvalidEvent(InvalidEventKind::Payload { field, source })),
    }
}

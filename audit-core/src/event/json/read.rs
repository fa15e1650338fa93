use std::error::Error;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::SCHEMA_VERSION;
use crate::event::audit_event::AuditEvent;
use crate::event::client::ClientForm;
use crate::event::decision::DecisionForm;
use crate::event::draft::EventDraft;
use crate::event::error::{FieldProblem, InvalidField};
use crate::event::latency::Latency;
use crate::event::sequence::Seq;
use crate::event::status::StatusCode;
use crate::event::text::{
    ApiKeyId, Method, RequestId, Role, SessionId, ToolName, Upstream, WriterId,
};
use crate::event::timestamp::Timestamp;
use crate::payload::{InvalidPayload, Payload, PayloadReport};

impl AuditEvent {
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
        match serde_json::from_str::<EventForm<'_>>(text) {
            Ok(form) => form.restore(),
            // A newer schema may have changed any field: then that is what is wrong.
            Err(error) => Err(newer_schema(text).unwrap_or_else(|| error.into())),
        }
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

/// The error of a text that is an event of a newer schema, if it is one.
fn newer_schema(text: &str) -> Option<InvalidEvent> {
    #[derive(Deserialize)]
    struct SchemaForm {
        schema: u32,
    }
    let found = serde_json::from_str::<SchemaForm>(text).ok()?.schema;
    (found > SCHEMA_VERSION).then_some(InvalidEvent(InvalidEventKind::Schema { found }))
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

use std::error::Error;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::SCHEMA_VERSION;
use crate::event::audit_event::AuditEvent;
use crate::event::decision::{Decision, DecisionForm};
use crate::event::error::{FieldProblem, InvalidField};
use crate::event::latency::Latency;
use crate::event::metadata::PayloadReports;
use crate::event::row::EventRow;
use crate::event::sequence::Seq;
use crate::event::status::StatusCode;
use crate::event::timestamp::Timestamp;
use crate::payload::InvalidPayload;

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

impl Decision {
    /// Reads what [`to_json`](Self::to_json) wrote, spelled by a store as it likes.
    ///
    /// # Errors
    /// The text is not JSON, lacks a check, or a field breaks its bounds.
    pub fn from_json(text: &str) -> Result<Self, InvalidEvent> {
        let form: DecisionForm = read_column("decision", text)?;
        Ok(form.try_into()?)
    }
}

impl PayloadReports {
    /// Reads what [`AuditEvent::payload_report_json`] wrote, spelled by a store as it likes.
    ///
    /// # Errors
    /// The text is not JSON, or a field has another type.
    pub fn from_json(text: &str) -> Result<Self, InvalidEvent> {
        read_column("payload_report", text)
    }
}

/// Keeps the name of the column alone: serde's text can quote the value.
fn read_column<'a, T: Deserialize<'a>>(
    field: &'static str,
    text: &'a str,
) -> Result<T, InvalidEvent> {
    serde_json::from_str(text).map_err(|_| {
        let expected = "the JSON form that events have";
        InvalidField::new(field, FieldProblem::Malformed { expected }).into()
    })
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

impl InvalidEvent {
    pub(in crate::event) const fn payload(field: &'static str, source: InvalidPayload) -> Self {
        Self(InvalidEventKind::Payload { field, source })
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
    payload_report: PayloadReports,
}

impl EventForm<'_> {
    fn restore(self) -> Result<AuditEvent, InvalidEvent> {
        if self.schema == 0 || self.schema > SCHEMA_VERSION {
            return Err(InvalidEvent(InvalidEventKind::Schema {
                found: self.schema,
            }));
        }
        let row = EventRow {
            id: self.id.parse()?,
            ts: Timestamp::parse("ts", &self.ts)?,
            api_key_id: self.api_key_id.as_deref(),
            role: &self.role,
            method: &self.method,
            tool_name: self.tool_name.as_deref(),
            request_json: self.request_json.map(RawValue::get),
            response_json: self.response_json.map(RawValue::get),
            status_code: StatusCode::new(self.status_code)?,
            latency_ms: Latency::from_millis(self.latency_ms)?,
            decision: self.decision.try_into()?,
            outcome: self.outcome.parse()?,
            upstream: self.upstream.as_deref(),
            upstream_latency_ms: self
                .upstream_latency_ms
                .map(|millis| Latency::parse("upstream_latency_ms", millis))
                .transpose()?,
            session_id: self.session_id.as_deref(),
            request_id: self.request_id.as_deref(),
            trace_id: self.trace_id.as_deref().map(str::parse).transpose()?,
            span_id: self.span_id.as_deref().map(str::parse).transpose()?,
            client_name: self.client.name.as_deref(),
            client_version: self.client.version.as_deref(),
            client_address: self.client.address.as_deref(),
            writer: &self.writer,
            seq: Seq::new(self.seq)?,
            payload_report: self.payload_report,
        };
        row.restore()
    }
}

/// A client as it is written, before its bounds are checked.
#[derive(Default, Deserialize)]
struct ClientForm {
    name: Option<Box<str>>,
    version: Option<Box<str>>,
    address: Option<Box<str>>,
}

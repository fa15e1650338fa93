use super::audit_event::{AuditEvent, Record};
use super::client::Client;
use super::decision::Decision;
use super::draft::check_same_moment;
use super::error::{FieldProblem, InvalidField};
use super::id::EventId;
use super::json::InvalidEvent;
use super::latency::Latency;
use super::metadata::{EventMetadata, EventSummary, PayloadReports};
use super::outcome::Outcome;
use super::sequence::Seq;
use super::status::StatusCode;
use super::text::{
    ApiKeyId, ClientAddress, ClientName, ClientVersion, Method, RequestId, Role, SessionId,
    ToolName, Upstream, WriterId,
};
use super::timestamp::Timestamp;
use super::trace::{SpanId, TraceId};
use crate::payload::{Payload, PayloadReport};

/// The columns of an event as a store hands them back. **For stores only.**
///
/// This is a trust boundary, as [`Payload::restore`] is: texts and payloads are held to their form
/// and bounds, not to the rules for credentials, which were kept when the event was made and may
/// have grown since.
#[derive(Clone)]
#[expect(
    clippy::exhaustive_structs,
    missing_docs,
    missing_debug_implementations,
    reason = "a store that forgets a column must not compile; the columns are the fields of the \
              event; payloads are not shown"
)]
pub struct EventRow<'a> {
    pub id: EventId,
    pub ts: Timestamp,
    pub api_key_id: Option<&'a str>,
    pub role: &'a str,
    pub method: &'a str,
    pub tool_name: Option<&'a str>,
    pub request_json: Option<&'a str>,
    pub response_json: Option<&'a str>,
    pub status_code: StatusCode,
    pub latency_ms: Latency,
    pub decision: Decision,
    pub outcome: Outcome,
    pub upstream: Option<&'a str>,
    pub upstream_latency_ms: Option<Latency>,
    pub session_id: Option<&'a str>,
    pub request_id: Option<&'a str>,
    pub trace_id: Option<TraceId>,
    pub span_id: Option<SpanId>,
    pub client_name: Option<&'a str>,
    pub client_version: Option<&'a str>,
    pub client_address: Option<&'a str>,
    pub writer: &'a str,
    pub seq: Seq,
    pub payload_report: PayloadReports,
}

impl EventRow<'_> {
    /// The event of the row.
    ///
    /// # Errors
    /// A column breaks its bounds, or a payload stands there without its report.
    pub fn restore(self) -> Result<AuditEvent, InvalidEvent> {
        let PayloadReports { request, response } = self.payload_report.clone();
        let request = restore_payload("request_json", self.request_json, request)?;
        let response = restore_payload("response_json", self.response_json, response)?;
        Ok(AuditEvent::from_record(Record {
            metadata: self.restore_metadata()?,
            request,
            response,
        }))
    }

    /// The event of the row as lists show it; what stands in the columns of the payloads is not
    /// looked at.
    ///
    /// # Errors
    /// A column breaks its bounds.
    pub fn restore_summary(self) -> Result<EventSummary, InvalidEvent> {
        Ok(EventSummary {
            payload_report: self.payload_report.clone(),
            metadata: self.restore_metadata()?,
        })
    }

    fn restore_metadata(self) -> Result<EventMetadata, InvalidField> {
        check_same_moment(self.id, self.ts)?;
        Ok(EventMetadata {
            id: self.id,
            ts: self.ts,
            api_key_id: self.api_key_id.map(ApiKeyId::restore).transpose()?,
            role: Role::restore(self.role)?,
            method: Method::restore(self.method)?,
            tool_name: self.tool_name.map(ToolName::restore).transpose()?,
            status_code: self.status_code,
            latency_ms: self.latency_ms,
            decision: self.decision,
            outcome: self.outcome,
            upstream: self.upstream.map(Upstream::restore).transpose()?,
            upstream_latency_ms: self.upstream_latency_ms,
            session_id: self.session_id.map(SessionId::restore).transpose()?,
            request_id: self.request_id.map(RequestId::restore).transpose()?,
            trace_id: self.trace_id,
            span_id: self.span_id,
            client: Client {
                name: self.client_name.map(ClientName::restore).transpose()?,
                version: self
                    .client_version
                    .map(ClientVersion::restore)
                    .transpose()?,
                address: self
                    .client_address
                    .map(ClientAddress::restore)
                    .transpose()?,
            },
            writer: WriterId::restore(self.writer)?,
            seq: self.seq,
        })
    }
}

/// A payload without its report was not written by this crate.
fn restore_payload(
    field: &'static str,
    json: Option<&str>,
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
        (json, Some(report)) => Payload::restore(json, report)
            .map(Some)
            .map_err(|source| InvalidEvent::payload(field, source)),
    }
}

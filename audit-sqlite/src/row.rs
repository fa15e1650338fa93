//! The columns of `audit_events`, and an event as its row.

use audit_core::event::{
    AuditEvent, Decision, EventId, EventRow, EventSummary, InvalidEvent, InvalidField, Latency,
    Outcome, PayloadReports, Seq, SpanId, StatusCode, Timestamp, TraceId,
};
use audit_core::{Error, ErrorKind};
use sqlx::Row as _;
use sqlx::sqlite::{Sqlite, SqliteRow};
use uuid::Uuid;

use crate::error::convert;

/// The columns of a summary, as a list to select.
pub(crate) const SUMMARY: &str = "id, ts, api_key_id, role, method, tool_name, status_code, \
    latency_ms, decision, outcome, upstream, upstream_latency_ms, session_id, request_id, \
    trace_id, span_id, client_name, client_version, client_address, writer, seq, payload_report";

/// The columns that an event has beyond its summary.
pub(crate) const PAYLOADS: &str = "request_json, response_json";

/// Makes the event of a row with the columns [`SUMMARY`] and [`PAYLOADS`].
pub(crate) fn event(row: &SqliteRow) -> Result<AuditEvent, Error> {
    let mut columns = columns(row)?;
    columns.request_json = get(row, "request_json")?;
    columns.response_json = get(row, "response_json")?;
    let id = columns.id;
    columns.restore().map_err(|error| corrupt(id, error))
}

/// Makes the summary of a row with the columns [`SUMMARY`].
pub(crate) fn summary(row: &SqliteRow) -> Result<EventSummary, Error> {
    let columns = columns(row)?;
    let id = columns.id;
    columns
        .restore_summary()
        .map_err(|error| corrupt(id, error))
}

fn columns(row: &SqliteRow) -> Result<EventRow<'_>, Error> {
    let id: Uuid = get(row, "id")?;
    let id = EventId::from_uuid(id).map_err(|error| corrupt(id, error))?;
    let invalid = |error: InvalidField| corrupt(id, error);
    let unreadable = |error: InvalidEvent| corrupt(id, error);
    let upstream_latency_ms: Option<f64> = get(row, "upstream_latency_ms")?;
    let trace_id: Option<&str> = get(row, "trace_id")?;
    let span_id: Option<&str> = get(row, "span_id")?;
    let payload_report: Option<&str> = get(row, "payload_report")?;
    let outcome: &str = get(row, "outcome")?;
    let seq: i64 = get(row, "seq")?;
    let status_code: i64 = get(row, "status_code")?;
    Ok(EventRow {
        id,
        ts: Timestamp::from_micros(get(row, "ts")?).map_err(invalid)?,
        api_key_id: get(row, "api_key_id")?,
        role: get(row, "role")?,
        method: get(row, "method")?,
        tool_name: get(row, "tool_name")?,
        request_json: None,
        response_json: None,
        status_code: StatusCode::new(status_code).map_err(invalid)?,
        latency_ms: Latency::from_millis(get(row, "latency_ms")?).map_err(invalid)?,
        decision: Decision::from_json(get(row, "decision")?).map_err(unreadable)?,
        outcome: outcome.parse::<Outcome>().map_err(invalid)?,
        upstream: get(row, "upstream")?,
        upstream_latency_ms: upstream_latency_ms
            .map(Latency::from_millis)
            .transpose()
            .map_err(invalid)?,
        session_id: get(row, "session_id")?,
        request_id: get(row, "request_id")?,
        trace_id: trace_id
            .map(str::parse::<TraceId>)
            .transpose()
            .map_err(invalid)?,
        span_id: span_id
            .map(str::parse::<SpanId>)
            .transpose()
            .map_err(invalid)?,
        client_name: get(row, "client_name")?,
        client_version: get(row, "client_version")?,
        client_address: get(row, "client_address")?,
        writer: get(row, "writer")?,
        // A number below 1 becomes 0, which no event has.
        seq: Seq::new(u64::try_from(seq).unwrap_or(0)).map_err(invalid)?,
        payload_report: payload_report
            .map_or_else(|| Ok(PayloadReports::default()), PayloadReports::from_json)
            .map_err(unreadable)?,
    })
}

fn get<'r, T>(row: &'r SqliteRow, column: &'static str) -> Result<T, Error>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(column)
        .map_err(|error| convert("a stored event cannot be read", &error))
}

fn corrupt(
    id: impl std::fmt::Display,
    source: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    let text = format!("the stored event {id} cannot be read");
    Error::with_source(ErrorKind::Corrupt, text, source)
}

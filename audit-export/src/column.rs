use std::borrow::Cow;
use std::fmt;

use audit_core::AuditEvent;
use audit_core::event::Check;
use audit_core::payload::Payload;

use crate::neutral::neutral;

/// A column of an event: the fields of its JSON form, side by side.
///
/// # In CSV
/// A cell is quoted where it has to be (RFC 4180). So that no spreadsheet opens a formula of it, an
/// apostrophe stands before what begins with `=`, `+`, `-`, `@`, a tab, a carriage return or `#`, also
/// behind quotes and blanks, and also within a cell behind a `;`, a tab or the end of a line, where a
/// spreadsheet with another separator begins one. That cannot be undone.
#[derive(Clone, Copy)]
pub struct Column {
    name: &'static str,
    cell: fn(&AuditEvent) -> Cell<'_>,
}

/// What stands in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cell<'a> {
    /// Nothing.
    Empty,
    /// JSON: a payload, a decision, a report.
    Json(Cow<'a, str>),
    /// A number, as JSON and people write it.
    Number(String),
    /// Text.
    Text(Cow<'a, str>),
}

/// Defines the columns in their order.
macro_rules! columns {
    ($($name:ident = |$event:ident| $cell:expr;)+) => {
        impl Column {
            /// Every column, in the order of an export.
            pub const ALL: &'static [Self] = &[$(
                Self { name: stringify!($name), cell: |$event| $cell },
            )+];
        }
    };
}

columns! {
    id = |event| Cell::said(&event.id);
    ts = |event| Cell::said(&event.ts);
    api_key_id = |event| Cell::text(event.api_key_id.as_ref());
    role = |event| Cell::text(Some(&event.role));
    method = |event| Cell::text(Some(&event.method));
    tool_name = |event| Cell::text(event.tool_name.as_ref());
    outcome = |event| Cell::Text(event.outcome.as_str().into());
    status_code = |event| Cell::Number(event.status_code.to_string());
    latency_ms = |event| Cell::Number(event.latency_ms.as_millis().to_string());
    upstream = |event| Cell::text(event.upstream.as_ref());
    upstream_latency_ms = |event| match event.upstream_latency_ms {
        Some(latency) => Cell::Number(latency.as_millis().to_string()),
        None => Cell::Empty,
    };
    auth = |event| Cell::verdict(&event.decision.auth);
    auth_reason = |event| Cell::text(event.decision.auth.reason.as_ref());
    authz = |event| Cell::verdict(&event.decision.authz);
    authz_reason = |event| Cell::text(event.decision.authz.reason.as_ref());
    rate = |event| Cell::verdict(&event.decision.rate);
    rate_reason = |event| Cell::text(event.decision.rate.reason.as_ref());
    session_id = |event| Cell::text(event.session_id.as_ref());
    request_id = |event| Cell::text(event.request_id.as_ref());
    trace_id = |event| event.trace_id.map_or(Cell::Empty, |id| Cell::said(&id));
    span_id = |event| event.span_id.map_or(Cell::Empty, |id| Cell::said(&id));
    client_name = |event| Cell::text(event.client.name.as_ref());
    client_version = |event| Cell::text(event.client.version.as_ref());
    client_address = |event| Cell::text(event.client.address.as_ref());
    writer = |event| Cell::text(Some(&event.writer));
    seq = |event| Cell::Number(event.seq.to_string());
    request_json = |event| Cell::payload(event.request());
    response_json = |event| Cell::payload(event.response());
    decision = |event| Cell::Json(event.decision.to_json().into());
    payload_report = |event| match event.payload_report_json() {
        Some(json) => Cell::Json(json.into()),
        None => Cell::Empty,
    };
}

impl Column {
    /// The column of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|column| column.name == name).copied()
    }

    /// The name, as it stands at the head of a CSV.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// What stands there of an event.
    #[must_use]
    pub fn cell(self, event: &AuditEvent) -> Cell<'_> {
        (self.cell)(event)
    }

    /// Writes the row of an event as CSV, with its end.
    pub fn write_csv(columns: &[Self], event: &AuditEvent, out: &mut Vec<u8>) {
        for (place, column) in columns.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            match column.cell(event) {
                Cell::Empty => {}
                Cell::Number(number) => out.extend_from_slice(number.as_bytes()),
                Cell::Json(text) | Cell::Text(text) => write_csv_text(&text, out),
            }
        }
        out.push(b'\n');
    }

    /// Writes the names of the columns as CSV, with the end of the line.
    pub fn write_csv_header(columns: &[Self], out: &mut Vec<u8>) {
        for (place, column) in columns.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend_from_slice(column.name.as_bytes());
        }
        out.push(b'\n');
    }
}

impl PartialEq for Column {
    /// A name names one column.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Column {}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Column({})", self.name)
    }
}

impl<'a> Cell<'a> {
    fn text(text: Option<&'a impl AsRef<str>>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.as_ref().into()))
    }

    fn said(value: &impl ToString) -> Self {
        Self::Text(value.to_string().into())
    }

    fn verdict(check: &Check) -> Self {
        Self::Text(check.verdict.as_str().into())
    }

    fn payload(payload: Option<&'a Payload>) -> Self {
        let json = payload.and_then(Payload::json);
        json.map_or(Self::Empty, |json| Self::Json(json.into()))
    }
}

/// Writes a text as a cell of CSV: quoted where it has to be, and so that no spreadsheet opens a formula
/// of it, as [`Column`] says.
pub fn write_csv_text(text: &str, out: &mut Vec<u8>) {
    quote(&neutral(text), out);
}

fn quote(text: &str, out: &mut Vec<u8>) {
    let has_to = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    if !text.as_bytes().iter().any(has_to) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for (place, part) in text.split('"').enumerate() {
        if place > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

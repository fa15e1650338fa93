use std::fmt;

use super::field::{Field, TextField};
use super::span::Span;
use crate::Glob;
use crate::event::{
    AuditEvent, CheckName, EventId, EventMetadata, Latency, Outcome, Seq, SpanId, StatusCode,
    Timestamp, TraceId, Verdict,
};

/// What one term of a filter asks of an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Condition {
    /// The text is not there.
    Absent(TextField),
    /// A text of the event contains this one; ASCII letters match in either case. Looked at are
    /// the texts of [`TextField::ALL`] and the reasons and rules of the decision, no payload.
    Contains(Box<str>),
    /// The event with this id.
    Id(EventId),
    /// The latency lies in the range.
    Latency(Span<Latency>),
    /// The outcome is this one.
    Outcome(Outcome),
    /// A payload was changed by a redaction.
    Redacted,
    /// The number lies in the range; of use with a writer.
    Seq(Span<Seq>),
    /// The call belongs to this span.
    SpanId(SpanId),
    /// The status lies in the range.
    Status(Span<StatusCode>),
    /// The text is there and matches.
    Text(TextField, Glob),
    /// The call began in the range.
    Time(Span<Timestamp>),
    /// The call belongs to this trace.
    TraceId(TraceId),
    /// The time that the upstream took is known and lies in the range.
    UpstreamLatency(Span<Latency>),
    /// The check gave this answer.
    Verdict(CheckName, Verdict),
}

impl Condition {
    /// What the condition is about.
    #[must_use]
    pub const fn field(&self) -> Field {
        match self {
            Self::Absent(field) | Self::Text(field, _) => Field::Text(*field),
            Self::Contains(_) => Field::Contains,
            Self::Id(_) => Field::Id,
            Self::Latency(_) => Field::Latency,
            Self::Outcome(_) => Field::Outcome,
            Self::Redacted => Field::Redacted,
            Self::Seq(_) => Field::Seq,
            Self::SpanId(_) => Field::SpanId,
            Self::Status(_) => Field::Status,
            Self::Time(_) => Field::Time,
            Self::TraceId(_) => Field::TraceId,
            Self::UpstreamLatency(_) => Field::UpstreamLatency,
            Self::Verdict(check, _) => Field::Verdict(*check),
        }
    }

    /// Whether the event is as the condition asks.
    #[must_use]
    pub fn matches(&self, event: &AuditEvent) -> bool {
        match self {
            Self::Absent(field) => field.of(event).is_none(),
            Self::Contains(needle) => contains(event, needle),
            Self::Id(id) => event.id == *id,
            Self::Latency(span) => span.contains(event.latency_ms),
            Self::Outcome(outcome) => event.outcome == *outcome,
            Self::Redacted => {
                let mut payloads = [event.request(), event.response()].into_iter().flatten();
                payloads.any(|payload| !payload.report().redactions.is_empty())
            }
            Self::Seq(span) => span.contains(event.seq),
            Self::SpanId(span) => event.span_id == Some(*span),
            Self::Status(span) => span.contains(event.status_code),
            Self::Text(field, glob) => field.of(event).is_some_and(|text| glob.matches(text)),
            Self::Time(span) => span.contains(event.ts),
            Self::TraceId(trace) => event.trace_id == Some(*trace),
            Self::UpstreamLatency(span) => event
                .upstream_latency_ms
                .is_some_and(|latency| span.contains(latency)),
            Self::Verdict(name, verdict) => event
                .decision
                .checks()
                .any(|(check, it)| check == *name && it.verdict == *verdict),
        }
    }
}

/// Free text: what stores can do alike is ASCII case, so nothing more is promised.
fn contains(event: &EventMetadata, needle: &str) -> bool {
    let holds = |text: &str| {
        let (text, needle) = (text.as_bytes(), needle.as_bytes());
        needle.is_empty()
            || text
                .windows(needle.len())
                .any(|at| at.eq_ignore_ascii_case(needle))
    };
    let in_decision = || {
        let texts = |(_, check): (_, &'_ crate::event::Check)| {
            check
                .reason
                .as_ref()
                .is_some_and(|reason| holds(reason.as_str()))
                || check.rule.as_ref().is_some_and(|rule| holds(rule.as_str()))
        };
        event.decision.checks().any(texts)
    };
    TextField::ALL
        .iter()
        .filter_map(|field| field.of(event))
        .any(holds)
        || in_decision()
}

impl fmt::Display for Condition {
    /// The filter grammar.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(field) => write!(f, "{}:none", field.as_str()),
            Self::Contains(text) => write!(f, "{}", Quoted(text)),
            Self::Id(id) => write!(f, "id:{id}"),
            Self::Latency(span) => write_span(f, "latency", span, |latency| {
                format!("{}ms", latency.as_millis())
            }),
            Self::Outcome(outcome) => write!(f, "outcome:{outcome}"),
            Self::Redacted => f.write_str("redacted:yes"),
            Self::Seq(span) => write_span(f, "seq", span, ToString::to_string),
            Self::SpanId(id) => write!(f, "span:{id}"),
            Self::Status(span) => write_span(f, "status", span, ToString::to_string),
            Self::Text(field, glob) => {
                write!(f, "{}:{}", field.as_str(), Quoted(&glob.to_string()))
            }
            Self::Time(span) => write_span(f, "time", span, ToString::to_string),
            Self::TraceId(id) => write!(f, "trace:{id}"),
            Self::UpstreamLatency(span) => write_span(f, "upstream_latency", span, |latency| {
                format!("{}ms", latency.as_millis())
            }),
            Self::Verdict(check, verdict) => write!(f, "{check}:{verdict}"),
        }
    }
}

fn write_span<T>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    span: &Span<T>,
    text: impl Fn(&T) -> String,
) -> fmt::Result {
    let end = |end: &Option<T>| end.as_ref().map(&text).unwrap_or_default();
    write!(f, "{name}:{}..{}", end(&span.min), end(&span.max))
}

/// A value in quotes, so that no text can pass for another term.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\"{}\"",
            self.0.replace('\\', "\\\\").replace('"', "\\\"")
        )
    }
}

use audit_core::Error;
use audit_core::event::{EventId, Timestamp};
use audit_core::reader::{Condition, Span, TextField};
use sqlx::sqlite::Sqlite;
use sqlx::{Encode, Type};

use super::sql::Sql;
use super::{columns, pattern};

/// Writes one condition. Of an event that it does not match it is false or null.
pub(super) fn push(sql: &mut Sql, condition: &Condition) -> Result<(), Error> {
    match condition {
        Condition::Absent(field) => {
            sql.text(columns::of_text(*field)?).text(" IS NULL");
        }
        Condition::Contains(needle) => push_contains(sql, needle)?,
        Condition::Id(id) => {
            sql.text("id = ").bind(*id.as_uuid());
        }
        Condition::Latency(span) => {
            push_span(sql, "latency_ms", span, |latency| latency.as_millis());
        }
        Condition::Outcome(outcome) => {
            sql.text("outcome = ").bind(outcome.as_str());
        }
        Condition::Redacted => {
            sql.text(
                "(payload_report -> '$.request.redactions') <> '{}' \
                 OR (payload_report -> '$.response.redactions') <> '{}'",
            );
        }
        // At most what a signed integer holds.
        Condition::Seq(span) => push_span(sql, "seq", span, |seq| seq.get().cast_signed()),
        Condition::SpanId(id) => {
            sql.text("span_id = ").bind(id.to_string());
        }
        Condition::Status(span) => {
            push_span(sql, "status_code", span, |status| {
                i64::from(status.as_u16())
            });
        }
        Condition::Text(field, glob) => pattern::push(sql, columns::of_text(*field)?, glob),
        Condition::Time(span) => push_time(sql, span),
        Condition::TraceId(id) => {
            sql.text("trace_id = ").bind(id.to_string());
        }
        Condition::UpstreamLatency(span) => {
            push_span(sql, "upstream_latency_ms", span, |latency| {
                latency.as_millis()
            });
        }
        Condition::Verdict(check, verdict) => {
            sql.text(columns::verdict(*check)?)
                .text(" = ")
                .bind(verdict.as_str());
        }
        _ => return Err(columns::unknown()),
    }
    Ok(())
}

/// Looks for a text in all others. Lowered by SQLite, only ASCII letters change.
fn push_contains(sql: &mut Sql, needle: &str) -> Result<(), Error> {
    let needle = needle.to_ascii_lowercase();
    let fields = TextField::ALL.iter().map(|field| columns::of_text(*field));
    let of_decision = columns::OF_DECISION.iter().map(|text| Ok(*text));
    for (index, text) in fields.chain(of_decision).enumerate() {
        sql.text(if index == 0 { "" } else { " OR " })
            .text("instr(CAST(lower(")
            .text(text?)
            .text(") AS BLOB), ")
            .bind(needle.as_bytes().to_vec())
            .text(") > 0");
    }
    Ok(())
}

/// Both ends as ids, so that their index is used, and then exactly.
fn push_time(sql: &mut Sql, span: &Span<Timestamp>) {
    let first = |ts| *EventId::first_of_millisecond(ts).as_uuid();
    let last = |ts| *EventId::last_of_millisecond(ts).as_uuid();
    let ids = Span {
        min: span.min.map(first),
        max: span.max.map(last),
    };
    push_span(sql, "id", &ids, |id| id);
    sql.text(" AND ");
    push_span(sql, "ts", span, Timestamp::as_micros);
}

fn push_span<T: Copy, B>(
    sql: &mut Sql,
    column: &'static str,
    span: &Span<T>,
    value: impl Fn(T) -> B,
) where
    B: Encode<'static, Sqlite> + Type<Sqlite>,
{
    // Also says that there is a value at all, which an open range asks for.
    sql.text(column).text(" IS NOT NULL");
    if let Some(min) = span.min {
        sql.text(" AND ").text(column).text(" >= ").bind(value(min));
    }
    if let Some(max) = span.max {
        sql.text(" AND ").text(column).text(" <= ").bind(value(max));
    }
}

use std::sync::Arc;

use audit_core::Glob;
use audit_core::event::{
    AuditEvent, CheckName, Latency, Outcome, Seq, StatusCode, Timestamp, Verdict,
};
use audit_core::reader::{Condition, Filter, GroupBy, Order, Span, TextField, TimeBucket};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::text::texts;

/// Filters of up to three terms, most of them about what some of these events hold, so that they
/// meet some and miss others.
///
/// # Panics
/// There are no events.
pub fn filters(events: &[AuditEvent]) -> impl Strategy<Value = Filter> {
    assert!(!events.is_empty(), "a filter is made from what events hold");
    let events: Arc<[AuditEvent]> = events.into();
    let term = (
        any::<Index>(),
        any::<Index>(),
        // Texts are asked for most.
        0..18_u8,
        any::<u8>(),
        any::<bool>(),
        texts(12),
    );
    let terms = vec((term, prop::bool::weighted(0.2)), 0..=3);
    // Terms about one event meet it together; terms about several are alternatives or a riddle.
    (any::<Index>(), any::<bool>(), terms).prop_map(move |(anchor, is_anchored, terms)| {
        let mut filter = Filter::all();
        for ((one, other, kind, variant, flag, text), is_negated) in terms {
            let one = if is_anchored { anchor } else { one };
            let two = (one.get(&events), other.get(&events));
            let condition = condition(two, kind, variant, flag, &text);
            filter = if is_negated {
                filter.without(condition)
            } else {
                filter.with(condition)
            };
        }
        filter
    })
}

/// Ways to group.
pub fn group_bys() -> impl Strategy<Value = GroupBy> {
    let bucket = select(vec![TimeBucket::Day, TimeBucket::Hour, TimeBucket::Minute]);
    prop_oneof![
        1 => Just(GroupBy::Nothing),
        3 => select(TextField::ALL).prop_map(GroupBy::Text),
        2 => bucket.prop_map(GroupBy::Time),
    ]
}

/// Both orders of a list.
pub fn orders() -> impl Strategy<Value = Order> {
    select(vec![Order::NewestFirst, Order::OldestFirst])
}

/// A condition about what two events hold.
fn condition(
    (event, other): (&AuditEvent, &AuditEvent),
    kind: u8,
    variant: u8,
    flag: bool,
    text: &str,
) -> Condition {
    let index = usize::from(variant);
    let field = TextField::ALL[index % TextField::ALL.len()];
    let outcome = Outcome::ALL[index % Outcome::ALL.len()];
    match kind {
        0 => Condition::Absent(field),
        1 => Condition::Contains(part_of(field.of(event), text, flag).into()),
        2 => Condition::Id(event.id),
        3 => Condition::Latency(span::<Latency>(event.latency_ms, other.latency_ms, variant)),
        4 => Condition::Outcome(if flag { event.outcome } else { outcome }),
        5 => Condition::Redacted,
        6 => Condition::Seq(span::<Seq>(event.seq, other.seq, variant)),
        7 => event
            .span_id
            .map_or(Condition::Id(event.id), Condition::SpanId),
        8 => {
            let (one, other) = (event.status_code, other.status_code);
            Condition::Status(span::<StatusCode>(one, other, variant))
        }
        9 => Condition::Time(span::<Timestamp>(event.ts, other.ts, variant)),
        10 => event
            .trace_id
            .map_or(Condition::Id(other.id), Condition::TraceId),
        11 => {
            let latencies = (event.upstream_latency_ms, other.upstream_latency_ms);
            let (one, other) = (
                latencies.0.unwrap_or_default(),
                latencies.1.unwrap_or_default(),
            );
            Condition::UpstreamLatency(span(one, other, variant))
        }
        12 => {
            let checks = [CheckName::Auth, CheckName::Authz, CheckName::Rate];
            let verdict = Verdict::ALL[index % Verdict::ALL.len()];
            Condition::Verdict(checks[index % checks.len()], verdict)
        }
        _ => Condition::Text(field, glob(field.of(event).unwrap_or(text), variant)),
    }
}

/// A range between two values, open at either end, closed, or a single value.
fn span<T: Ord + Copy>(one: T, other: T, variant: u8) -> Span<T> {
    match variant % 5 {
        0 => Span::at_least(one),
        1 => Span::at_most(one),
        2 => Span::exactly(one),
        // Also the wrong way round: such a range holds nothing.
        _ => Span::between(one, other),
    }
}

/// A pattern that a text matches, or nearly does.
fn glob(text: &str, variant: u8) -> Glob {
    let escaped = text.replace('\\', "\\\\").replace('*', "\\*");
    let n_chars = text.chars().count();
    let head: String = text.chars().take(n_chars / 2).collect();
    let tail: String = text.chars().skip(n_chars / 2).collect();
    match variant % 7 {
        0 => Glob::exact(text),
        1 => Glob::new(&escaped),
        2 => Glob::new(&format!("{head}*")),
        3 => Glob::new(&format!("*{tail}")),
        4 => Glob::new(&format!("{head}*{tail}")),
        5 => Glob::exact(&text.to_uppercase()),
        _ => Glob::new("*"),
    }
}

/// A part of a text, in either case.
fn part_of(held: Option<&str>, other: &str, is_upper: bool) -> String {
    let text = held.unwrap_or(other);
    let n_chars = text.chars().count();
    let part: String = text
        .chars()
        .skip(n_chars / 3)
        .take(n_chars / 2 + 1)
        .collect();
    if is_upper {
        part.to_ascii_uppercase()
    } else {
        part
    }
}

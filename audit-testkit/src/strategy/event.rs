use std::collections::BTreeSet;
use std::time::Duration;

use audit_core::event::{
    ApiKeyId, AuditEvent, Check, Client, ClientAddress, ClientName, ClientVersion, Decision,
    EventDraft, EventId, InvalidField, Latency, Method, Outcome, Reason, RequestId, Role, RuleName,
    Seq, SessionId, SpanId, StatusCode, Timestamp, ToolName, TraceId, Upstream, Verdict, WriterId,
};
use audit_core::payload::Payload;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::text::texts;
use crate::fixture;

/// Any event: every field there and not there, texts up to their bounds, moments and numbers up
/// to their ends, payloads of any JSON.
pub fn events() -> impl Strategy<Value = AuditEvent> {
    (timestamps(), any::<u64>(), drafts(), writers(), seqs()).prop_map(
        |(ts, random, draft, writer, seq)| {
            let draft = draft.ts(ts).id(EventId::new(ts, random));
            draft.stamp(writer, seq).expect("the id is of the moment")
        },
    )
}

/// One to `max` events, each with an id of its own.
pub fn batches(max: usize) -> impl Strategy<Value = Vec<AuditEvent>> {
    vec(events(), 1..=max).prop_map(|mut events| {
        let mut seen = BTreeSet::new();
        events.retain(|event| seen.insert(event.id));
        events
    })
}

/// Moments: those of our days, and the ends of the range.
pub fn timestamps() -> impl Strategy<Value = Timestamp> {
    let ends = select(vec![0, 1, 999, 1_000, Timestamp::MAX.as_micros()]);
    let nearby = 1_600_000_000_000_000..1_900_000_000_000_000_i64;
    let micros = prop_oneof![8 => nearby, 1 => 0..=Timestamp::MAX.as_micros(), 1 => ends];
    micros.prop_map(|micros| Timestamp::from_micros(micros).expect("it lies in the range"))
}

/// Durations of a call, from nothing to the largest.
pub fn latencies() -> impl Strategy<Value = Latency> {
    let ends = select(vec![0, 1, 999, 1_000, Latency::MAX.as_micros()]);
    let micros = prop_oneof![4 => 0..60_000_000_u64, 1 => 0..=Latency::MAX.as_micros(), 1 => ends];
    micros.prop_map(|micros| Latency::new(Duration::from_micros(micros)))
}

/// Payloads of any JSON, by the default policy.
pub fn payloads() -> impl Strategy<Value = Payload> {
    let payload = json().prop_map(|json| fixture::payload(&json));
    payload.boxed()
}

/// Any JSON text, nested up to four deep.
pub fn json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        (-1e300..1e300_f64).prop_map(|number| format!("{number:e}")),
        select(vec![
            "0",
            "-0",
            "0.1",
            "1e5",
            "1E-7",
            "123456789012345678901234567890"
        ])
        .prop_map(ToOwned::to_owned),
    ];
    let leaf = prop_oneof![
        select(vec!["null", "true", "false"]).prop_map(ToOwned::to_owned),
        number,
        texts(40).prop_map(|text| quoted(&text)),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let pair = (texts(12), inner.clone()).prop_map(|(key, value)| {
            let key = quoted(&key);
            format!("{key}:{value}")
        });
        prop_oneof![
            vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(", "))),
            vec(pair, 0..6).prop_map(|pairs| format!("{{{}}}", pairs.join(","))),
        ]
    })
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut json = String::from('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => json.extend(['\\', char]),
            '\0'..='\u{1f}' => json.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => json.push(char),
        }
    }
    json.push('"');
    json
}

/// A text of a field, where it does not happen to look like a credential.
fn field<T: std::fmt::Debug + 'static>(
    max: usize,
    new: fn(String) -> Result<T, InvalidField>,
) -> impl Strategy<Value = T> {
    let text = texts(max).prop_filter_map("it looks like a credential", move |text| new(text).ok());
    // Dozens of these make an event: unboxed they would not fit the stack of a test.
    text.boxed()
}

macro_rules! field {
    ($type:ty) => {
        field(<$type>::MAX_CHARS, |text| <$type>::new(text))
    };
}

/// An event without id and moment.
fn drafts() -> impl Strategy<Value = EventDraft> {
    let call = (
        field!(Method),
        option::of(field!(ToolName)),
        option::of(field!(RequestId)),
    );
    let actor = (
        option::of(field!(ApiKeyId)),
        field!(Role),
        option::of(field!(SessionId)),
        clients(),
    );
    let result = (
        option::of(statuses()),
        latencies(),
        decisions(),
        select(Outcome::ALL),
    );
    let upstream = (option::of(field!(Upstream)), option::of(latencies()));
    let trace = (
        option::of(any::<u128>().prop_filter_map("zero is no id", TraceId::new)),
        option::of(any::<u64>().prop_filter_map("zero is no id", SpanId::new)),
    );
    let payloads = (option::of(payloads()), option::of(payloads()));
    (call, actor, result, upstream, trace, payloads).prop_map(
        |(call, actor, result, upstream, trace, payloads)| {
            let draft = EventDraft::new(call.0)
                .role(actor.1)
                .client(actor.3)
                .latency(result.1)
                .decision(result.2)
                .outcome(result.3);
            let draft = set(draft, call.1, EventDraft::tool_name);
            let draft = set(draft, call.2, EventDraft::request_id);
            let draft = set(draft, actor.0, EventDraft::api_key_id);
            let draft = set(draft, actor.2, EventDraft::session_id);
            let draft = set(draft, result.0, EventDraft::status_code);
            let draft = set(draft, upstream.0, EventDraft::upstream);
            let draft = set(draft, upstream.1, EventDraft::upstream_latency);
            let draft = set(draft, trace.0, EventDraft::trace_id);
            let draft = set(draft, trace.1, EventDraft::span_id);
            let draft = set(draft, payloads.0, EventDraft::request);
            set(draft, payloads.1, EventDraft::response)
        },
    )
}

/// Fills in a field where there is a value.
pub(super) fn set<T>(
    draft: EventDraft,
    value: Option<T>,
    fill_in: impl FnOnce(EventDraft, T) -> EventDraft,
) -> EventDraft {
    match value {
        Some(value) => fill_in(draft, value),
        None => draft,
    }
}

fn writers() -> impl Strategy<Value = WriterId> {
    field!(WriterId)
}

fn seqs() -> impl Strategy<Value = Seq> {
    let numbers = prop_oneof![1..1_000_u64, 1..=Seq::MAX.get(), Just(Seq::MAX.get())];
    numbers.prop_map(|number| Seq::new(number).expect("it lies in the range"))
}

fn statuses() -> impl Strategy<Value = StatusCode> {
    (0..=999_i64).prop_map(|status| StatusCode::new(status).expect("it lies in the range"))
}

fn clients() -> impl Strategy<Value = Client> {
    let parts = (
        option::of(field!(ClientName)),
        option::of(field!(ClientVersion)),
        option::of(field!(ClientAddress)),
    );
    parts.prop_map(|(name, version, address)| {
        let mut client = Client::new();
        (client.name, client.version, client.address) = (name, version, address);
        client
    })
}

fn decisions() -> impl Strategy<Value = Decision> {
    [checks(), checks(), checks()]
        .prop_map(|[auth, authz, rate]| Decision::new().auth(auth).authz(authz).rate(rate))
}

fn checks() -> impl Strategy<Value = Check> {
    let parts = (
        select(Verdict::ALL),
        option::of(field!(Reason)),
        option::of(field!(RuleName)),
        option::of(any::<u32>()),
        option::of(any::<u32>()),
    );
    parts.prop_map(|(verdict, reason, rule, limit, remaining)| {
        let mut check = Check::skipped();
        (check.verdict, check.reason, check.rule) = (verdict, reason, rule);
        (check.limit, check.remaining) = (limit, remaining);
        check
    })
}

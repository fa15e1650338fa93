//! Ready events: the same in every run, and told apart by a number.

use std::time::Duration;

use audit_core::event::{
    ApiKeyId, AuditEvent, Check, Client, ClientAddress, ClientName, ClientVersion, Decision,
    EventDraft, EventId, Latency, Method, Outcome, Reason, RequestId, Role, RuleName, Seq,
    SessionId, SpanId, StatusCode, Timestamp, ToolName, TraceId, Upstream, WriterId,
};
use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};

/// The writer of every fixture.
#[must_use]
pub fn writer() -> WriterId {
    WriterId::new("fixture-1").unwrap()
}

/// The moment of the fixture of this number: a millisecond behind the one before.
#[must_use]
pub fn moment(number: u64) -> Timestamp {
    let millis = i64::try_from(number).unwrap();
    Timestamp::from_micros(1_700_000_000_000_000 + millis * 1_000).unwrap()
}

/// The id of the fixture of this number; ids rise with the number.
#[must_use]
pub fn event_id(number: u64) -> EventId {
    EventId::new(moment(number), number)
}

/// A draft with id and moment of this number, and nothing more than an event needs.
pub fn draft(number: u64) -> EventDraft {
    AuditEvent::draft(Method::tools_call())
        .ts(moment(number))
        .id(event_id(number))
        .outcome(Outcome::Ok)
}

/// A small event: the usual fields, `seq` is the number.
///
/// # Panics
/// The number is 0: `seq` begins with 1.
#[must_use]
pub fn event(number: u64) -> AuditEvent {
    let draft = draft(number)
        .api_key_id(ApiKeyId::new("k_fixture").unwrap())
        .tool_name(ToolName::new("search").unwrap())
        .decision(Decision::allowed())
        .latency(Latency::new(Duration::from_micros(1_000 + number)))
        .request(payload(&format!("{{\"query\":{number}}}")));
    stamp(draft, number)
}

/// Small events of these numbers.
#[must_use]
pub fn events(numbers: impl IntoIterator<Item = u64>) -> Vec<AuditEvent> {
    numbers.into_iter().map(event).collect()
}

/// A draft with every field that an event has.
pub fn full_draft(number: u64) -> EventDraft {
    let rate = Check::denied(Reason::new("bucket empty").unwrap())
        .rule(RuleName::new("per-key").unwrap())
        .quota(60, 0);
    let client = Client::new()
        .name(ClientName::new("inspector").unwrap())
        .version(ClientVersion::new("1.2.3").unwrap())
        .address(ClientAddress::new("192.0.2.7").unwrap());
    draft(number)
        .api_key_id(ApiKeyId::new("k_fixture").unwrap())
        .role(Role::new("operator").unwrap())
        .tool_name(ToolName::new("delete_customer").unwrap())
        .status_code(StatusCode::new(429).unwrap())
        .latency(Latency::new(Duration::from_micros(1_234_567)))
        .decision(Decision::allowed().rate(rate))
        .outcome(Outcome::RateLimited)
        .upstream(Upstream::new("crm.internal").unwrap())
        .upstream_latency(Latency::new(Duration::from_micros(1_200_001)))
        .session_id(SessionId::hashed("fixture"))
        .request_id(RequestId::new("17").unwrap())
        .trace_id(TraceId::new(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736).unwrap())
        .span_id(SpanId::new(0x00f0_67aa_0ba9_02b7).unwrap())
        .client(client)
        .request(payload(r#"{"customer":"c-17","force":false}"#))
        .response(payload(r#"{"content":[],"isError":true}"#))
}

/// An event with every field, `seq` is the number.
///
/// # Panics
/// The number is 0: `seq` begins with 1.
#[must_use]
pub fn full_event(number: u64) -> AuditEvent {
    stamp(full_draft(number), number)
}

/// [`full_event`] of this number as other loggers would have numbered it: the same fact under
/// another writer and under another `seq`.
///
/// # Panics
/// The number is 0: `seq` begins with 1.
#[must_use]
pub fn renumbered(number: u64) -> [AuditEvent; 2] {
    let other_writer = WriterId::new("fixture-2").unwrap();
    let seq = Seq::new(number).unwrap();
    [
        full_draft(number).stamp(other_writer, seq).unwrap(),
        stamp(full_draft(number), number + 1),
    ]
}

/// What else [`full_event`] of this number could say under its id: each differs in the one field
/// that is named.
///
/// # Panics
/// The number is 0: `seq` begins with 1.
#[must_use]
pub fn conflicts(number: u64) -> Vec<(&'static str, AuditEvent)> {
    let draft = || full_draft(number);
    let next_microsecond = Timestamp::from_micros(moment(number).as_micros() + 1).unwrap();
    let other_client = || Client::new().name(ClientName::new("inspector").unwrap());
    let drafts = [
        ("ts", draft().ts(next_microsecond)),
        (
            "api_key_id",
            draft().api_key_id(ApiKeyId::new("k_other").unwrap()),
        ),
        ("role", draft().role(Role::new("Operator").unwrap())),
        (
            "tool_name",
            draft().tool_name(ToolName::new("delete_customer ").unwrap()),
        ),
        (
            "status_code",
            draft().status_code(StatusCode::new(428).unwrap()),
        ),
        (
            "latency_ms",
            draft().latency(Latency::new(Duration::from_micros(1_234_568))),
        ),
        ("decision", draft().decision(Decision::allowed())),
        ("outcome", draft().outcome(Outcome::Denied)),
        (
            "upstream",
            draft().upstream(Upstream::new("crm.internal.").unwrap()),
        ),
        (
            "upstream_latency_ms",
            draft().upstream_latency(Latency::new(Duration::from_micros(1_200_000))),
        ),
        ("session_id", draft().session_id(SessionId::hashed("other"))),
        (
            "request_id",
            draft().request_id(RequestId::new("018").unwrap()),
        ),
        ("trace_id", draft().trace_id(TraceId::new(1).unwrap())),
        ("span_id", draft().span_id(SpanId::new(1).unwrap())),
        ("client", draft().client(other_client())),
        (
            "request_json",
            draft().request(payload(r#"{"customer":"c-18"}"#)),
        ),
        (
            "response_json",
            draft().response(payload(r#"{"content":[]}"#)),
        ),
    ];
    drafts
        .map(|(field, draft)| (field, stamp(draft, number)))
        .to_vec()
}

/// An event whose texts are all as long as they may be, in characters of four bytes, and whose
/// numbers and payloads are as large.
///
/// # Panics
/// The number is 0: `seq` begins with 1.
#[must_use]
pub fn largest_event(number: u64) -> AuditEvent {
    let text = |chars: usize| "\u{1f4dc}".repeat(chars);
    let check = || {
        Check::denied(Reason::new(text(Reason::MAX_CHARS)).unwrap())
            .rule(RuleName::new(text(RuleName::MAX_CHARS)).unwrap())
            .quota(u32::MAX, u32::MAX)
    };
    let decision = Decision::new().auth(check()).authz(check()).rate(check());
    let client = Client::new()
        .name(ClientName::new(text(ClientName::MAX_CHARS)).unwrap())
        .version(ClientVersion::new(text(ClientVersion::MAX_CHARS)).unwrap())
        .address(ClientAddress::new(text(ClientAddress::MAX_CHARS)).unwrap());
    let draft = AuditEvent::draft(Method::new(text(Method::MAX_CHARS)).unwrap())
        .ts(moment(number))
        .id(event_id(number))
        .api_key_id(ApiKeyId::new(text(ApiKeyId::MAX_CHARS)).unwrap())
        .role(Role::new(text(Role::MAX_CHARS)).unwrap())
        .tool_name(ToolName::new(text(ToolName::MAX_CHARS)).unwrap())
        .status_code(StatusCode::MAX)
        .latency(Latency::MAX)
        .decision(decision)
        .outcome(Outcome::UpstreamDisconnected)
        .upstream(Upstream::new(text(Upstream::MAX_CHARS)).unwrap())
        .upstream_latency(Latency::MAX)
        .session_id(SessionId::new(text(SessionId::MAX_CHARS)).unwrap())
        .request_id(RequestId::new(text(RequestId::MAX_CHARS)).unwrap())
        .trace_id(TraceId::new(u128::MAX).unwrap())
        .span_id(SpanId::new(u64::MAX).unwrap())
        .client(client)
        .request(large_payload())
        .response(large_payload());
    stamp(draft, number)
}

/// A payload of this JSON, by the default policy.
#[must_use]
pub fn payload(json: &str) -> Payload {
    Payload::from_json(json, &PayloadContext::request(&PayloadPolicy::default()))
}

/// Makes the event of a draft, by the writer of the fixtures.
///
/// # Panics
/// The number is 0, or the draft lacks id or moment.
#[must_use]
pub fn stamp(draft: EventDraft, number: u64) -> AuditEvent {
    draft.stamp(writer(), Seq::new(number).unwrap()).unwrap()
}

/// More text than is kept: what is left is as large as a payload gets.
fn large_payload() -> Payload {
    let item = format!("\"{}\"", "word ".repeat(90));
    payload(&format!("[{}]", vec![item; 30].join(",")))
}

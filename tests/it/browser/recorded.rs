//! What is on record when a browser comes.

use std::time::Duration;

use audit_core::event::{
    ApiKeyId, AuditEvent, Check, Decision, EventDraft, Latency, Method, Outcome, Reason, Role, Seq,
    SessionId, StatusCode, Timestamp, ToolName, Upstream, WriterId,
};
use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};
use audit_core::{Clock as _, IdSource as _, MonotonicIds, SystemClock};

const TOOLS: [&str; 5] = [
    "search",
    "read_file",
    "delete_customer",
    "send_mail",
    "query",
];

const OUTCOMES: [Outcome; 8] = [
    Outcome::Ok,
    Outcome::Ok,
    Outcome::Ok,
    Outcome::ToolError,
    Outcome::Denied,
    Outcome::Ok,
    Outcome::RateLimited,
    Outcome::Timeout,
];

/// So many calls, the last of them a minute ago, ten minutes between them.
pub(crate) fn calls(n: u64) -> Vec<AuditEvent> {
    let now = SystemClock::new().now().as_micros();
    let ids = MonotonicIds::new();
    let minute = 60 * 1_000_000;
    (1..=n)
        .map(|number| {
            let age = i64::try_from(n - number).unwrap() * 10 + 1;
            let ts = Timestamp::from_micros(now - age * minute).unwrap();
            let draft = call(number, TOOLS[index(number, TOOLS.len())]);
            stamp(draft.ts(ts).id(ids.event_id(ts)), number)
        })
        .collect()
}

/// Calls that begin now.
pub(crate) fn new_calls(
    numbers: std::ops::RangeInclusive<u64>,
    ids: &MonotonicIds,
) -> Vec<AuditEvent> {
    let clock = SystemClock::new();
    let one = |number| {
        let ts = clock.now();
        stamp(call(number, "search").ts(ts).id(ids.event_id(ts)), number)
    };
    numbers.map(one).collect()
}

/// A call of each tool, key, session and payload that is one of these texts.
pub(crate) fn named(texts: &[String]) -> Vec<AuditEvent> {
    let clock = SystemClock::new();
    let ids = MonotonicIds::new();
    let policy = PayloadPolicy::default();
    let one = |(number, text): (u64, &String)| {
        let ts = clock.now();
        let payload = |context| Payload::from_serialize(&serde_json::json!({text: text}), &context);
        let draft = EventDraft::new(Method::lossy(text.as_str()))
            .tool_name(ToolName::lossy(text.as_str()))
            .api_key_id(ApiKeyId::lossy(text.as_str()))
            .role(Role::lossy(text.as_str()))
            .session_id(SessionId::lossy(text.as_str()))
            .upstream(Upstream::lossy(text.as_str()))
            .decision(Decision::allowed().authz(Check::denied(Reason::lossy(text.as_str()))))
            .outcome(Outcome::Denied)
            .request(payload(PayloadContext::request(&policy)))
            .response(payload(PayloadContext::response(&policy)));
        stamp(draft.ts(ts).id(ids.event_id(ts)), number)
    };
    (1..).zip(texts).map(one).collect()
}

fn call(number: u64, tool: &str) -> EventDraft {
    let policy = PayloadPolicy::default();
    let outcome = OUTCOMES[index(number, OUTCOMES.len())];
    let status = match outcome {
        Outcome::Denied => 403,
        Outcome::RateLimited => 429,
        Outcome::Timeout => 504,
        _ => 200,
    };
    let decision = match outcome {
        Outcome::Denied => Decision::allowed().authz(Check::denied(
            Reason::new("the role may not delete").unwrap(),
        )),
        Outcome::RateLimited => {
            let reason = Reason::new("60 calls a minute are spent").unwrap();
            Decision::allowed().rate(Check::denied(reason).quota(60, 0))
        }
        _ => Decision::allowed(),
    };
    let request = format!(
        r#"{{"name":"{tool}","arguments":{{"number":{number},"password":"hunter {number}","tags":["a","b"]}}}}"#
    );
    let response = format!(
        r#"{{"content":[{{"type":"text","text":"{}"}}],"isError":false}}"#,
        "an answer that is rather long ".repeat(40)
    );
    EventDraft::new(Method::tools_call())
        .tool_name(ToolName::new(tool).unwrap())
        .api_key_id(ApiKeyId::new(format!("k_{}", number % 4)).unwrap())
        .role(
            Role::new(if number.is_multiple_of(3) {
                "admin"
            } else {
                "operator"
            })
            .unwrap(),
        )
        .session_id(SessionId::hashed(format!("session {}", number / 5)))
        .upstream(Upstream::new("crm.internal").unwrap())
        .decision(decision)
        .outcome(outcome)
        .status_code(StatusCode::new(status).unwrap())
        .latency(Latency::new(Duration::from_micros(
            900 + number * 137 % 50_000,
        )))
        .request(Payload::from_json(
            request,
            &PayloadContext::request(&policy),
        ))
        .response(Payload::from_json(
            response,
            &PayloadContext::response(&policy),
        ))
}

fn stamp(draft: EventDraft, number: u64) -> AuditEvent {
    let seq = Seq::new(number).unwrap();
    draft
        .stamp(WriterId::new("gateway-1").unwrap(), seq)
        .unwrap()
}

fn index(number: u64, n: usize) -> usize {
    usize::try_from(number).unwrap() % n
}

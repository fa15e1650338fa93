//! Every field is given back as it came.

use std::time::Duration;

use audit_core::event::{
    ApiKeyId, AuditEvent, Check, Client, ClientAddress, ClientName, ClientVersion, Decision,
    EventDraft, EventId, InvalidField, Latency, Method, Reason, RequestId, Role, RuleName, Seq,
    SessionId, SpanId, StatusCode, Timestamp, ToolName, TraceId, Upstream, WriterId,
};

use crate::expect;
use crate::fixture;
use crate::harness::Harness;
use crate::opened::Opened;
use crate::strategy;

/// Texts of one character and of as many as their bound allows, in one to four bytes.
pub(crate) async fn texts_at_their_limits_come_back_equal(harness: &dyn Harness) {
    let chars = ['x', ' ', '\\', '"', '\u{1}', 'ü', '\u{ffff}', '\u{10ffff}'];
    let draft = |number: u64, char: char, n_chars: Option<usize>| {
        let text = |max: usize| char.to_string().repeat(n_chars.unwrap_or(max));
        with_texts(number, text).expect("the texts keep their bounds")
    };
    let mut events = Vec::new();
    for (number, char) in (1..).zip(chars) {
        events.push(draft(2 * number, char, None));
        events.push(draft(2 * number + 1, char, Some(1)));
    }
    come_back_equal(
        harness,
        "a text at its limits comes back as it came",
        &events,
    )
    .await;
}

/// Numbers at both ends of their ranges, and where narrower types end.
pub(crate) async fn numbers_at_their_limits_come_back_equal(harness: &dyn Harness) {
    let seqs = [
        1,
        2,
        1 << 31,
        1 << 32,
        (1 << 53) + 1,
        Seq::MAX.get() - 1,
        Seq::MAX.get(),
    ];
    let quotas = [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX];
    let latencies = [0, 1, 999, 1 << 31, 1 << 32, Latency::MAX.as_micros() - 1];
    let mut events = Vec::new();
    for number in 1..=20_u64 {
        let at = usize::try_from(number).unwrap();
        let quota = quotas[at % quotas.len()];
        let check = Check::allowed().quota(quota, quotas[(at + 1) % quotas.len()]);
        let latency = Latency::new(Duration::from_micros(latencies[at % latencies.len()]));
        let status = [0, 1, 200, 599, 999][at % 5];
        let trace = [1, u128::from(u64::MAX), 1 << 127, u128::MAX][at % 4];
        let span = [1, 1 << 63, u64::MAX][at % 3];
        let draft = fixture::draft(number)
            .decision(Decision::allowed().rate(check))
            .latency(latency)
            .upstream_latency(Latency::MAX)
            .status_code(StatusCode::new(status).unwrap())
            .trace_id(TraceId::new(trace).unwrap())
            .span_id(SpanId::new(span).unwrap());
        let seq = Seq::new(seqs[at % seqs.len()]).unwrap();
        let writer = WriterId::new(format!("writer-{number}")).unwrap();
        events.push(draft.stamp(writer, seq).unwrap());
    }
    come_back_equal(harness, "a number at its limits comes back exact", &events).await;
}

/// Times to the microsecond: moments of our days, the ends of the range, durations with odd
/// fractions of a millisecond.
pub(crate) async fn every_microsecond_comes_back_equal(harness: &dyn Harness) {
    let day = 1_700_000_000_000_000;
    let within_millisecond = [0, 1, 4, 499, 500, 501, 995, 998, 999];
    let ends = [
        0,
        1,
        1_001,
        Timestamp::MAX.as_micros() - 1,
        Timestamp::MAX.as_micros(),
    ];
    let micros = within_millisecond
        .map(|micros| day + micros)
        .into_iter()
        .chain(ends);
    let event = |(number, micros): (u64, i64)| {
        let ts = Timestamp::from_micros(micros).unwrap();
        let latency = Latency::new(Duration::from_micros(micros.unsigned_abs() % 100_003));
        let draft = fixture::draft(number)
            .ts(ts)
            .id(EventId::new(ts, number))
            .latency(latency)
            .upstream_latency(latency);
        fixture::stamp(draft, number)
    };
    let events: Vec<AuditEvent> = (1..).zip(micros).map(event).collect();
    come_back_equal(harness, "every microsecond comes back", &events).await;
}

/// Payloads of every JSON type, on either side, and none.
pub(crate) async fn payloads_come_back_equal(harness: &dyn Harness) {
    let texts = [
        "{}",
        "[]",
        "\"\"",
        "true",
        // Not the same as no payload, nor as one of which nothing is kept.
        "null",
        "0",
        "-1.5e-7",
        "12345678901234567890",
        "[1,[2,[3,{\"a\":[]}]]]",
        r#"{"b":1,"a":{"y":null,"x":"\ud83d\ude00 \\ \" \/ \n"},"":0}"#,
        "\"plain text\"",
        "not json",
    ];
    let mut events = vec![fixture::stamp(fixture::draft(1), 1)];
    for (number, json) in (2..).step_by(3).zip(texts) {
        let draft = |number| fixture::draft(number);
        let both = draft(number)
            .request(fixture::payload(json))
            .response(fixture::payload("{}"));
        events.push(fixture::stamp(both, number));
        let request = draft(number + 1).request(fixture::payload(json));
        events.push(fixture::stamp(request, number + 1));
        let response = draft(number + 2).response(fixture::payload(json));
        events.push(fixture::stamp(response, number + 2));
    }
    come_back_equal(harness, "a payload comes back equal as JSON", &events).await;
}

/// The largest event that the types allow.
pub(crate) async fn the_largest_event_comes_back_equal(harness: &dyn Harness) {
    let events = [
        fixture::event(1),
        fixture::largest_event(2),
        fixture::event(3),
    ];
    come_back_equal(harness, "the largest event comes back whole", &events).await;
}

/// Events of the generators: whatever the types allow.
pub(crate) async fn any_event_comes_back_equal(harness: &dyn Harness) {
    let batches = strategy::sample(&strategy::batches(12), 24);
    let opened = Opened::new(harness).await;
    for batch in &batches {
        opened.keep(batch).await;
        for event in batch {
            let found = opened.reader().get(event.id).await;
            let found = expect::ok("an event can be looked up", found);
            expect::same_about(
                "any event comes back as it came",
                event,
                &Some(event),
                &found.as_ref(),
            );
        }
    }
    let mut expected: Vec<AuditEvent> = batches.into_iter().flatten().collect();
    expected.sort_by_key(|event| event.id);
    expect::same_events(
        "any event comes back as it came",
        &expected,
        &opened.list().await,
    );
}

/// Stores events, one batch for all, and compares what a reader shows of them.
async fn come_back_equal(harness: &dyn Harness, promise: &str, events: &[AuditEvent]) {
    let opened = Opened::new(harness).await;
    opened.keep(events).await;
    opened.list_is(promise, events).await;
    for event in events {
        let found = opened.reader().get(event.id).await;
        let found = expect::ok("an event can be looked up", found);
        expect::same_events(promise, std::slice::from_ref(event), found.as_slice());
    }
}

/// An event whose every text is what `text` makes for its bound.
fn with_texts(number: u64, text: impl Fn(usize) -> String) -> Result<AuditEvent, InvalidField> {
    let check = || -> Result<Check, InvalidField> {
        let reason = Reason::new(text(Reason::MAX_CHARS))?;
        Ok(Check::denied(reason).rule(RuleName::new(text(RuleName::MAX_CHARS))?))
    };
    let client = Client::new()
        .name(ClientName::new(text(ClientName::MAX_CHARS))?)
        .version(ClientVersion::new(text(ClientVersion::MAX_CHARS))?)
        .address(ClientAddress::new(text(ClientAddress::MAX_CHARS))?);
    EventDraft::new(Method::new(text(Method::MAX_CHARS))?)
        .ts(fixture::moment(number))
        .id(fixture::event_id(number))
        .api_key_id(ApiKeyId::new(text(ApiKeyId::MAX_CHARS))?)
        .role(Role::new(text(Role::MAX_CHARS))?)
        .tool_name(ToolName::new(text(ToolName::MAX_CHARS))?)
        .decision(
            Decision::new()
                .auth(check()?)
                .authz(check()?)
                .rate(check()?),
        )
        .upstream(Upstream::new(text(Upstream::MAX_CHARS))?)
        .session_id(SessionId::new(text(SessionId::MAX_CHARS))?)
        .request_id(RequestId::new(text(RequestId::MAX_CHARS))?)
        .client(client)
        .stamp(WriterId::new(text(WriterId::MAX_CHARS))?, Seq::new(number)?)
}

//! The edges of what the terms of a filter mean, each by hand.

use std::time::Duration;

use audit_core::event::{
    AuditEvent, Check, CheckName, Decision, EventDraft, Latency, Outcome, Reason, RuleName, Seq,
    SpanId, Timestamp, TraceId, Verdict,
};
use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};
use audit_core::reader::{Condition, Filter, Span, TextField};
use audit_testkit::fixture;

fn stamp(draft: EventDraft) -> AuditEvent {
    fixture::stamp(draft, 1)
}

fn contains(text: &str) -> Condition {
    Condition::Contains(text.into())
}

fn micros(micros: u64) -> Latency {
    Latency::new(Duration::from_micros(micros))
}

fn seq(number: u64) -> Seq {
    Seq::new(number).unwrap()
}

#[test]
fn both_ends_of_a_span_belong_to_it() {
    let ts = fixture::moment(5);
    let time = |micros: i64| Timestamp::from_micros(ts.as_micros() + micros).unwrap();
    let draft = fixture::draft(5)
        .latency(micros(500))
        .upstream_latency(micros(500));
    let event = fixture::stamp(draft, 5);
    let cases = [
        (-1, 0, true),
        (0, 1, true),
        (0, 0, true),
        (1, 2, false),
        (-2, -1, false),
        (1, -1, false),
    ];
    for (min, max, expected) in cases {
        let span = |at: u64| (at.wrapping_add_signed(min), at.wrapping_add_signed(max));
        let (least, most) = span(500);
        let latency = Span::between(micros(least), micros(most));
        let (first, last) = span(5);
        let conditions = [
            Condition::Time(Span::between(time(min), time(max))),
            Condition::Latency(latency),
            Condition::UpstreamLatency(latency),
            Condition::Seq(Span::between(seq(first), seq(last))),
        ];
        for condition in conditions {
            assert_eq!(condition.matches(&event), expected, "{condition}");
        }
    }
}

#[test]
fn an_open_end_reaches_as_far_as_there_is() {
    let event = fixture::event(5);
    let is_asked_for = |span| Condition::Seq(span).matches(&event);
    assert!(is_asked_for(Span::at_least(seq(5))) && !is_asked_for(Span::at_least(seq(6))));
    assert!(is_asked_for(Span::at_most(seq(5))) && !is_asked_for(Span::at_most(seq(4))));
    let (min, max) = (None, None);
    assert!(is_asked_for(Span { min, max }));
}

#[test]
fn two_spans_of_one_filter_are_alternatives_and_of_an_intersection_both_hold() {
    let event = fixture::event(5);
    let late = Condition::Time(Span::at_least(fixture::moment(6)));
    let early = Condition::Time(Span::at_most(fixture::moment(7)));
    let either = Filter::all().with(late.clone()).with(early.clone());
    assert!(either.matches(&event));
    let both = Filter::all()
        .with(late)
        .intersect(Filter::all().with(early));
    assert!(!both.matches(&event));
    assert!(both.matches(&fixture::event(6)));
}

#[test]
fn an_upstream_that_was_not_asked_took_no_time_at_all() {
    let everything = Condition::UpstreamLatency(Span::at_least(Latency::ZERO));
    assert!(!everything.matches(&fixture::event(1)));
    assert!(everything.matches(&fixture::full_event(1)));
}

#[test]
fn a_trace_and_a_span_are_found_by_their_own_ids() {
    let (trace, span) = (TraceId::new(17).unwrap(), SpanId::new(17).unwrap());
    let traced = stamp(fixture::draft(1).trace_id(trace));
    let spanned = stamp(fixture::draft(1).span_id(span));
    let of = |condition: Condition| [&traced, &spanned].map(|event| condition.matches(event));
    assert_eq!(of(Condition::TraceId(trace)), [true, false]);
    assert_eq!(of(Condition::SpanId(span)), [false, true]);
    assert_eq!(
        of(Condition::TraceId(TraceId::new(18).unwrap())),
        [false; 2]
    );
    assert_eq!(of(Condition::SpanId(SpanId::new(18).unwrap())), [false; 2]);
}

#[test]
fn an_event_is_redacted_if_one_of_its_payloads_is() {
    let policy = PayloadPolicy::default();
    let payload = |json: &str| Payload::from_json(json, &PayloadContext::request(&policy));
    let (plain, redacted) = (payload(r#"{"a":1}"#), payload(r#"{"password":"x"}"#));
    let cases = [
        (fixture::draft(1), false),
        (
            fixture::draft(1)
                .request(plain.clone())
                .response(plain.clone()),
            false,
        ),
        (
            fixture::draft(1)
                .request(redacted.clone())
                .response(plain.clone()),
            true,
        ),
        (fixture::draft(1).request(plain).response(redacted), true),
    ];
    for (draft, expected) in cases {
        let event = stamp(draft);
        assert_eq!(Condition::Redacted.matches(&event), expected, "{event:?}");
    }
}

#[test]
fn a_verdict_is_that_of_its_own_check() {
    let reason = || Reason::new("because").unwrap();
    let decision = Decision::new()
        .auth(Check::allowed())
        .authz(Check::denied(reason()))
        .rate(Check::error(reason()));
    let event = stamp(fixture::draft(1).decision(decision));
    let given = [
        (CheckName::Auth, Verdict::Allowed),
        (CheckName::Authz, Verdict::Denied),
        (CheckName::Rate, Verdict::Error),
    ];
    for (check, answer) in given {
        for verdict in Verdict::ALL {
            let condition = Condition::Verdict(check, *verdict);
            assert_eq!(condition.matches(&event), *verdict == answer, "{condition}");
        }
    }
    let denied = |check| Condition::Verdict(check, Verdict::Denied);
    let in_both = Filter::all()
        .with(denied(CheckName::Auth))
        .with(denied(CheckName::Authz));
    assert!(!in_both.matches(&event), "two checks are two fields");
}

#[test]
fn a_text_that_is_not_there_is_absent_and_no_other() {
    let (full, bare) = (fixture::full_event(1), stamp(fixture::draft(1)));
    let always = [TextField::Method, TextField::Role, TextField::Writer];
    for field in TextField::ALL {
        let absent = Condition::Absent(*field);
        assert!(!absent.matches(&full), "{absent}");
        assert_eq!(absent.matches(&bare), !always.contains(field), "{absent}");
    }
}

#[test]
fn free_text_looks_into_each_text_and_into_no_payload() {
    let event = fixture::full_event(1);
    for field in TextField::ALL {
        let text = field.of(&event).unwrap();
        let condition = contains(&text[1..].to_ascii_uppercase());
        assert!(condition.matches(&event), "{condition} in {field:?}");
    }
    let check = |text: &str| {
        let rule = RuleName::new(format!("rule of {text}")).unwrap();
        Check::denied(Reason::new(format!("reason of {text}")).unwrap()).rule(rule)
    };
    let decision = Decision::new()
        .auth(check("auth"))
        .authz(check("authz"))
        .rate(check("rate"));
    let event = stamp(fixture::full_draft(1).decision(decision));
    for name in ["auth", "authz", "rate"] {
        for kind in ["rule", "reason"] {
            let condition = contains(&format!("{kind} OF {name}"));
            assert!(condition.matches(&event), "{condition}");
        }
    }
    assert!(
        contains("").matches(&event),
        "every text holds the empty one"
    );
    for in_payload in ["customer\":", "isError"] {
        assert!(!contains(in_payload).matches(&event), "{in_payload}");
    }
}

#[test]
fn free_text_takes_only_ascii_letters_for_the_same_in_either_case() {
    let check = Check::denied(Reason::new("Ärger im Bau").unwrap());
    let event = stamp(fixture::draft(1).decision(Decision::new().rate(check)));
    for (text, expected) in [
        ("Ärger IM bau", true),
        ("ärger", false),
        ("RGER", true),
        ("im  bau", false),
        ("im Baum", false),
        ("%", false),
        ("_", false),
    ] {
        assert_eq!(contains(text).matches(&event), expected, "{text}");
    }
}

#[test]
fn what_a_term_excludes_no_other_term_brings_back() {
    let event = fixture::full_event(1);
    let limited = || Condition::Outcome(Outcome::RateLimited);
    let excluded = Filter::all().without(limited());
    assert!(!excluded.clone().with(limited()).matches(&event));
    assert!(
        !Filter::all()
            .with(limited())
            .intersect(excluded)
            .matches(&event)
    );
    let others = Filter::all()
        .without(Condition::Outcome(Outcome::Ok))
        .without(Condition::Outcome(Outcome::Denied));
    assert!(others.matches(&event));
    assert!(!others.without(limited()).matches(&event));
}

#[test]
fn quotes_and_backslashes_are_written_so_that_they_stay_one_term() {
    for (text, written) in [
        ("plain", r#""plain""#),
        (r#"a"b"#, r#""a\"b""#),
        (r"a\b", r#""a\\b""#),
        (r#"\""#, r#""\\\"""#),
        ("a b -key:none", r#""a b -key:none""#),
    ] {
        let filter = Filter::all().without(contains(text));
        assert_eq!(filter.to_string(), format!("-{written}"));
    }
    let absent = Filter::all().with(Condition::Absent(TextField::ClientVersion));
    let span = Filter::all().without(Condition::Seq(Span::at_least(seq(7))));
    assert_eq!(
        absent.intersect(span).to_string(),
        "client_version:none & -seq:7.."
    );
}

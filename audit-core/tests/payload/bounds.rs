//! P1 size, P2 validity, P3 depth, P4 determinism, P7 and P8 prefixes, P9 idempotence, P11 cost,
//! P13 numbers.

use std::cell::Cell;
use std::time::Instant;

use audit_core::payload::{Coverage, Payload, PayloadContext, PayloadLimits, PayloadPolicy};
use proptest::prelude::*;
use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde_json::{Value, json};

use crate::support::{any_json, any_limits, json, keep, keep_within, policy_of, value};

proptest! {
    #![proptest_config(crate::support::cases(200))]

    #[test]
    fn p1_no_payload_is_larger_than_its_limit(input in any_json(), limits in any_limits()) {
        let payload = keep_within(input.to_string(), limits);
        prop_assert!(json(&payload).len() <= limits.bytes, "{}", json(&payload));
        assert_within(&value(&payload), limits, 0);
    }

    #[test]
    fn p1_headers_and_text_are_no_larger_than_their_limit(
        headers in prop::collection::vec((any_text(), any_bytes()), 0..60),
        text in any_text(),
        limits in any_limits(),
    ) {
        let policy = policy_of(limits);
        let context = PayloadContext::response(&policy);
        for payload in [
            Payload::from_headers(headers.iter().map(|(name, value)| (name, value)), &context),
            Payload::from_text(&text, &context),
        ] {
            prop_assert!(json(&payload).len() <= limits.bytes, "{}", json(&payload));
            prop_assert!(payload.report().scanned_bytes <= u64::try_from(limits.scan_bytes).unwrap());
            assert_within(&value(&payload), limits, 0);
            assert_storable(&payload);
        }
    }

    #[test]
    fn p2_a_payload_is_json_that_jsonb_takes(
        input in prop::collection::vec(any::<u8>(), 0..300),
        limits in any_limits(),
    ) {
        assert_storable(&keep_within(input, limits));
    }

    #[test]
    fn p2_cut_json_is_json_that_jsonb_takes(input in any_json(), part in 0.0..1.0f64, limits in any_limits()) {
        let input = input.to_string();
        let end = input.len().min_of(part);
        assert_storable(&keep_within(&input.as_bytes()[..end], limits));
    }

    #[test]
    fn p4_serialize_and_bytes_give_the_same_bytes(input in any_json(), limits in any_limits()) {
        let policy = policy_of(limits);
        let context = PayloadContext::request(&policy);
        let from_value = Payload::from_serialize(&input, &context);
        let from_bytes = Payload::from_json(input.to_string(), &context);
        prop_assert_eq!(json(&from_value), json(&from_bytes));
        prop_assert_eq!(from_value.report().redactions.clone(), from_bytes.report().redactions.clone());
        let again = Payload::from_json(input.to_string(), &context);
        prop_assert_eq!(json(&again), json(&from_bytes));
    }

    #[test]
    fn p7_what_is_kept_of_a_string_is_a_prefix_of_it_redacted(
        words in prop::collection::vec(prop_oneof![
            4 => "[a-z]{1,9}",
            1 => "[A-Za-z0-9]{24,90}",
            1 => Just("password=hunter2hunter2".to_owned()),
            1 => Just("https://me:secretword@host/x".to_owned()),
        ], 0..200),
        chars in 32usize..700,
    ) {
        let text = words.join(" ");
        let wide = PayloadLimits::default().with_bytes(1 << 20).with_string_chars(1 << 16).with_scan_bytes(1 << 20);
        let all = value(&keep_within(json!(text).to_string(), wide));
        let kept = value(&keep_within(json!(text).to_string(), wide.with_string_chars(chars)));
        let (all, kept) = (all.as_str().unwrap(), kept.as_str().unwrap());
        let kept = kept.split("[TRUNCATED:").next().unwrap();
        prop_assert!(all.starts_with(kept), "{kept}\n{all}");
    }

    #[test]
    fn p8_a_larger_limit_reveals_nothing_that_redaction_hides(
        words in prop::collection::vec("[a-z]{1,9}", 0..120),
        at in 0usize..120,
        seed in 1u64..1000,
        chars in 32usize..900,
    ) {
        let secret = crate::support::tokens(seed).swap_remove(0).1;
        let mut words = words;
        words.insert(std::cmp::min(at, words.len()), secret.clone());
        let text = json!(words.join(" ")).to_string();
        for more in [0, 100, 1000] {
            let limits = PayloadLimits::default().with_string_chars(chars + more);
            crate::support::assert_absent(&secret, &keep_within(&text, limits), "larger limit");
        }
        // More text after the secret does not hide it either.
        let longer = json!(format!("{} {}", words.join(" "), "padding ".repeat(300))).to_string();
        crate::support::assert_absent(&secret, &keep(longer), "appended text");
    }

    #[test]
    fn p9_bounding_a_payload_again_changes_nothing(input in any_json(), limits in any_limits()) {
        let policy = policy_of(limits);
        let context = PayloadContext::request(&policy);
        let once = Payload::from_json(input.to_string(), &context);
        let again = once.narrow(&context);
        prop_assert_eq!(json(&again), json(&once));
        // Where nothing was marked, its JSON is plain data and stays the same as such too, unless
        // quotes around a number made it longer than what is looked at.
        let report = once.report();
        let is_marked = report.truncated || report.n_redactions() > 0 || json(&once).contains("[DUPLICATE:");
        if !is_marked && json(&once).len() <= limits.scan_bytes {
            let twice = Payload::from_json(json(&once), &context);
            prop_assert_eq!(json(&twice), json(&once));
        }
    }

    #[test]
    fn p13_numbers_come_through_exactly_or_as_strings(text in "-?(0|[1-9][0-9]{0,45})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,6})?") {
        let payload = keep(format!("[{text}]"));
        match &value(&payload)[0] {
            Value::String(kept) => prop_assert_eq!(kept, &text),
            Value::Number(_) => prop_assert_eq!(json(&payload), format!("[{text}]")),
            other => prop_assert!(false, "{other}"),
        }
        assert_storable(&payload);
    }

    #[test]
    fn p13_integers_and_floats_round_trip(a in any::<i64>(), b in any::<u64>(), c in any::<f64>()) {
        prop_assume!(c.is_finite());
        let payload = keep(json!([a, b]).to_string());
        prop_assert_eq!(value(&payload), json!([a, b]));
        let payload = keep(json!([c]).to_string());
        let kept: f64 = json(&payload).trim_matches(['[', ']', '"']).parse().unwrap();
        prop_assert_eq!(kept.to_bits(), c.to_bits());
    }
}

/// Texts of all lengths, most of them short.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z-]{1,24}",
        2 => any::<String>(),
        1 => "[A-Za-z0-9 +/=\\u{0}\"\\\\]{0,2000}",
        1 => "(é|壊|😀|\\PC){0,700}",
    ]
}

/// Values of headers, which need not be text.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => any_text().prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..900),
    ]
}

trait Part {
    fn min_of(self, part: f64) -> usize;
}

impl Part for usize {
    fn min_of(self, part: f64) -> usize {
        (0..=self)
            .find(|&n| (n as f64) >= part * (self as f64))
            .unwrap_or(self)
    }
}

#[track_caller]
fn assert_within(value: &Value, limits: PayloadLimits, depth: usize) {
    assert!(depth <= limits.depth + 1);
    match value {
        Value::String(text) => assert!(text.chars().count() <= limits.string_chars, "{text}"),
        Value::Array(items) => {
            assert!(items.len() <= limits.items);
            items
                .iter()
                .for_each(|item| assert_within(item, limits, depth + 1));
        }
        Value::Object(members) => {
            assert!(members.len() <= limits.items);
            for (key, member) in members {
                assert!(key.chars().count() <= limits.key_chars, "{key}");
                assert_within(member, limits, depth + 1);
            }
        }
        _ => {}
    }
}

/// What jsonb asks for beyond JSON: no U+0000 and no lone surrogate (serde_json refuses the
/// latter), no number that is very long when it is written out, no deep nesting.
#[track_caller]
pub(crate) fn assert_storable(payload: &Payload) {
    let text = json(payload);
    value(payload);
    let unescaped = text.replace("\\\\", "");
    assert!(!unescaped.contains("\\u0000"), "{text}");
    assert!(text.bytes().all(|b| b >= 0x20), "{text}");
    let mut outside = String::new();
    let mut in_string = false;
    let mut escaped = false;
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ if !in_string => outside.push(c),
            _ => {}
        }
    }
    for number in outside.split(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c))) {
        let exponent = number
            .split(['e', 'E'])
            .nth(1)
            .map_or(0, |e| e.parse::<i64>().unwrap_or(0));
        assert!(exponent.abs() <= 40 && number.len() <= 40, "{number}");
    }
}

#[test]
fn p3_a_million_brackets_cost_no_stack() {
    for input in [
        "[".repeat(1_000_000),
        "{\"a\":".repeat(200_000),
        "[{\"k\":".repeat(200_000),
    ] {
        let thread = std::thread::Builder::new().stack_size(128 << 10);
        let payload = thread.spawn(move || keep(input)).unwrap().join().unwrap();
        assert_storable(&payload);
        assert!(payload.report().truncated);
    }
}

#[test]
fn p4_keys_keep_their_order() {
    let text = r#"{"z":1,"a":{"y":2,"b":3},"m":[3,1,2]}"#;
    assert_eq!(json(&keep(text)), text);
}

#[test]
fn a_payload_that_fits_to_the_byte_is_whole() {
    let input = json!({"a": {"b": {"c": ["x".repeat(20), "y".repeat(20)]}}}).to_string();
    let limits = PayloadLimits::default().with_bytes(input.len());
    assert_eq!(json(&keep_within(&input, limits)), input);
    let limits = PayloadLimits::default().with_bytes(input.len() - 1);
    let cut = keep_within(&input, limits);
    assert!(cut.report().truncated);
    assert_ne!(json(&cut), input);
}

/// Counts how much of it is asked for.
struct Counting<'c> {
    n: usize,
    asked: &'c Cell<usize>,
}

impl Serialize for Counting<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.n))?;
        for i in 0..self.n {
            self.asked.set(self.asked.get() + 1);
            seq.serialize_element(&i)?;
        }
        seq.end()
    }
}

#[test]
fn p11_no_more_is_read_than_the_budget() {
    let records = format!(
        "[{}]",
        vec![r#"{"id":1,"text":"some words"}"#; 400_000].join(",")
    );
    let blob = format!("[\"{}\",1]", "QUJD".repeat(2_500_000));
    let skipped = format!("[{}]", vec!["[[[[[[[0]]]]]]]"; 500_000].join(","));
    for input in [records, blob, skipped] {
        let payload = keep(&input);
        let report = payload.report();
        assert!(report.scanned_bytes <= 64 << 10, "{}", report.scanned_bytes);
        assert_eq!(report.original_bytes, u64::try_from(input.len()).unwrap());
        assert_eq!(report.coverage, Coverage::Partial);
    }
    let asked = Cell::new(0);
    let policy = PayloadPolicy::default();
    let counting = Counting {
        n: usize::MAX,
        asked: &asked,
    };
    let kept = Payload::from_serialize(&counting, &PayloadContext::request(&policy));
    assert!(kept.report().truncated);
    assert!(asked.get() <= 64 << 10, "{}", asked.get());
}

#[test]
fn p11_ten_megabytes_take_no_longer_than_sixty_four_kilobytes() {
    let of = |n: usize| {
        format!(
            "[{}]",
            vec![r#"{"id":1,"text":"some words here"}"#; n].join(",")
        )
    };
    let (small, large) = (of(2_000), of(300_000));
    let fastest = |input: &str| {
        let time = || {
            let start = Instant::now();
            let kept = keep(input);
            let elapsed = start.elapsed();
            assert!(kept.report().truncated);
            elapsed
        };
        (0..200)
            .map(|_| time())
            .fold(std::time::Duration::MAX, std::cmp::min)
    };
    let (small, large) = (fastest(&small), fastest(&large));
    assert!(large <= small * 2, "{large:?} against {small:?}");
}

#[test]
fn small_fields_survive_a_big_blob() {
    let input = json!({"data": "QUJD".repeat(10_000), "mime": "image/png", "n": 3}).to_string();
    let kept = value(&keep(&input));
    assert_eq!(kept["mime"], "image/png");
    assert_eq!(kept["n"], 3);
    assert_eq!(kept["data"], "[TRUNCATED:40002]");
}

#[test]
fn p4_an_escape_at_the_end_of_what_is_looked_at_counts_to_its_end() {
    let input = json!(["some words and \\ more \" words \u{1} after"]);
    for scan in 64..120 {
        let input = json!(["x".repeat(scan - 64), input.clone()]);
        let policy = policy_of(PayloadLimits::default().with_scan_bytes(scan));
        let context = PayloadContext::request(&policy);
        let from_value = Payload::from_serialize(&input, &context);
        let from_bytes = Payload::from_json(input.to_string(), &context);
        assert_eq!(json(&from_value), json(&from_bytes));
        assert_eq!(
            from_value.report().scanned_bytes,
            from_bytes.report().scanned_bytes
        );
    }
    for scan in 64..80 {
        let input = json!(["\\".repeat(40)]);
        let policy = policy_of(PayloadLimits::default().with_scan_bytes(scan));
        let context = PayloadContext::request(&policy);
        let from_value = Payload::from_serialize(&input, &context);
        assert_eq!(
            json(&from_value),
            json(&Payload::from_json(input.to_string(), &context))
        );
    }
}

/// Found by fuzzing: behind an escape that is no UTF-8, what the rules of JSON found was taken away
/// two bytes further on.
#[test]
fn bounding_again_changes_nothing_behind_bytes_that_are_no_text() {
    let policy = PayloadPolicy::default();
    let context = PayloadContext::request(&policy);
    for broken in ["%A2", "%E5%A3", "%F0%9F%98", "%A2%A2%C3"] {
        let text = format!("[\"{broken}://:\u{1}@ and more");
        let once = Payload::from_text(&text, &context);
        let kept = format!("[\\\"{broken}://:[REDACTED:url_userinfo]@ and more");
        assert_eq!(json(&once), format!("\"{kept}\""));
        assert_eq!(json(&once.narrow(&context)), json(&once));
    }
}

//! P6: every offset of every secret around every kind of cut. P16: cuts keep characters whole.

use audit_core::payload::{Payload, PayloadContext, PayloadLimits};
use serde_json::{Value, json};

use crate::support::{
    assert_absent, filler, json as text_of, keep, keep_within, password, policy_of, private_key,
    tokens,
};

/// Caps of characters that are swept.
const CAPS: [usize; 4] = [32, 64, 160, 512];

/// Secrets of all lengths: tokens, a private key, a password in a URL, a named one.
fn planted(seed: u64) -> Vec<(String, String)> {
    let word = password(seed);
    let mut planted: Vec<(String, String)> = tokens(seed)
        .into_iter()
        .map(|(_, token)| (token.clone(), token))
        .collect();
    planted.push((word.clone(), format!("postgres://me:{word}@host/db")));
    planted.push((word.clone(), format!("password={word}")));
    planted.push((word.clone(), format!("\"password\": \"{word}\"")));
    planted.push((word.clone(), format!("Authorization: Bearer {word}")));
    planted
}

/// Every offset at which the secret touches the cut at `cap`.
fn offsets(cap: usize, length: usize) -> std::ops::RangeInclusive<usize> {
    cap.saturating_sub(length + 40)..=cap + 2
}

#[test]
fn p6_no_fragment_at_the_cut_of_a_string() {
    for cap in CAPS {
        let limits = PayloadLimits::default().with_string_chars(cap);
        for (secret, text) in planted(11) {
            for offset in offsets(cap, text.len()) {
                let (before, after) = (filler(offset), filler(900));
                // With and without more text after it, which the second time is not looked at.
                let n = if offset % 2 == 0 { 1 } else { 600 };
                for input in [
                    json!(format!("{before} {text} {}", &after[..n])),
                    json!(format!("{before} {text}")),
                ] {
                    assert_absent(
                        &secret,
                        &keep_within(input.to_string(), limits),
                        &format!("cap {cap}, offset {offset}"),
                    );
                }
            }
        }
    }
}

#[test]
fn p6_no_fragment_at_the_cut_of_a_key() {
    for cap in CAPS {
        let limits = PayloadLimits::default().with_key_chars(cap);
        for (secret, text) in planted(12) {
            for offset in offsets(cap, text.len()) {
                let key = format!("{} {text} {}", filler(offset), filler(40));
                assert_absent(
                    &secret,
                    &keep_within(json!({key: 1}).to_string(), limits),
                    &format!("cap {cap}, offset {offset}"),
                );
            }
        }
    }
}

#[test]
fn p6_no_fragment_at_the_end_of_the_output() {
    for bytes in [100, 300, 700] {
        let limits = PayloadLimits::default().with_bytes(bytes);
        for (secret, text) in planted(13) {
            for offset in offsets(bytes, text.len() + 30) {
                let (a, b) = (filler(offset / 2), filler(offset - offset / 2));
                let input = json!({"a": a, "b": format!("{b} {text}"), "c": filler(200)});
                assert_absent(
                    &secret,
                    &keep_within(input.to_string(), limits),
                    &format!("{bytes} bytes, offset {offset}"),
                );
            }
        }
    }
}

#[test]
fn p6_no_fragment_at_the_end_of_what_is_looked_at() {
    const SCAN: usize = 400;
    let limits = PayloadLimits::default().with_scan_bytes(SCAN);
    let policy = policy_of(limits);
    let context = PayloadContext::request(&policy);
    for (secret, text) in planted(14) {
        for offset in offsets(SCAN, text.len()) {
            let input = json!({"b": format!("{} {text} {}", filler(offset), filler(300))});
            let about = format!("offset {offset}");
            assert_absent(
                &secret,
                &Payload::from_json(input.to_string(), &context),
                &about,
            );
            assert_absent(&secret, &Payload::from_serialize(&input, &context), &about);
            let plain = input["b"].as_str().unwrap();
            assert_absent(&secret, &Payload::from_text(plain, &context), &about);
        }
    }
}

#[test]
fn p6_no_fragment_where_the_input_ends() {
    for (secret, text) in planted(15) {
        let input = json!({"a": 1, "b": format!("see {text} there")}).to_string();
        for end in 0..input.len() {
            assert_absent(
                &secret,
                &keep(&input.as_bytes()[..end]),
                &format!("end {end}"),
            );
        }
    }
}

#[test]
fn p6_no_fragment_under_any_limit() {
    for (secret, text) in planted(16) {
        let input =
            json!({"a": {"note": format!("see {text} there"), "more": [text, 1]}, "z": text})
                .to_string();
        for bytes in 64..input.len() + 40 {
            let limits = PayloadLimits::default().with_bytes(bytes);
            assert_absent(
                &secret,
                &keep_within(&input, limits),
                &format!("{bytes} bytes"),
            );
        }
    }
}

/// A private key block, and what must not be left of it.
fn private_lines(seed: u64) -> (String, String) {
    let key = private_key(seed);
    let lines: Vec<&str> = key.lines().collect();
    let inner = lines[1..lines.len() - 1].concat();
    (key, inner)
}

/// Fails if a piece of any line is left, or of two with their break between them.
#[track_caller]
fn assert_no_line(inner: &str, payload: &Payload, about: &str) {
    for line in inner.as_bytes().chunks(64) {
        assert_absent(std::str::from_utf8(line).unwrap(), payload, about);
    }
}

#[test]
fn p6_no_half_of_a_private_key_at_the_cut_of_a_string() {
    let (key, inner) = private_lines(17);
    for cap in CAPS {
        let limits = PayloadLimits::default().with_string_chars(cap);
        for offset in offsets(cap, key.len()) {
            let text = format!("{} {key} {}", filler(offset), filler(900));
            let payload = keep_within(json!(text).to_string(), limits);
            assert_no_line(&inner, &payload, &format!("cap {cap}, offset {offset}"));
        }
    }
}

#[test]
fn p6_no_half_of_a_private_key_at_the_cut_of_a_key() {
    let (key, inner) = private_lines(20);
    for cap in CAPS {
        let limits = PayloadLimits::default().with_key_chars(cap);
        for offset in offsets(cap, key.len()) {
            let text = format!("{} {key} {}", filler(offset), filler(90));
            let payload = keep_within(json!({text: 1}).to_string(), limits);
            assert_no_line(&inner, &payload, &format!("cap {cap}, offset {offset}"));
        }
    }
}

#[test]
fn p6_no_half_of_a_private_key_at_the_end_of_the_output() {
    let (key, inner) = private_lines(21);
    for bytes in [100, 300, 700] {
        let limits = PayloadLimits::default().with_bytes(bytes);
        for offset in offsets(bytes, key.len() + 30) {
            let (a, b) = (filler(offset / 2), filler(offset - offset / 2));
            let input = json!({"a": a, "b": format!("{b} {key}"), "c": key});
            let payload = keep_within(input.to_string(), limits);
            assert_no_line(&inner, &payload, &format!("{bytes} bytes, offset {offset}"));
        }
    }
}

#[test]
fn p6_no_half_of_a_private_key_at_the_end_of_what_is_looked_at() {
    const SCAN: usize = 400;
    let (key, inner) = private_lines(22);
    let policy = policy_of(PayloadLimits::default().with_scan_bytes(SCAN));
    let context = PayloadContext::request(&policy);
    for offset in offsets(SCAN, key.len()) {
        let text = format!("{} {key} {}", filler(offset), filler(300));
        let input = json!({"b": text});
        let about = format!("offset {offset}");
        for payload in [
            Payload::from_json(input.to_string(), &context),
            Payload::from_serialize(&input, &context),
            Payload::from_text(&text, &context),
            Payload::from_headers([("B", &text)], &context),
        ] {
            assert_no_line(&inner, &payload, &about);
        }
    }
}

#[test]
fn p6_no_half_of_a_private_key_where_the_input_ends() {
    let (key, inner) = private_lines(23);
    for input in [
        json!({"a": 1, "b": format!("see {key} there")}).to_string(),
        json!({"a": json!({"q": key}).to_string()}).to_string(),
        json!({key: 1, "b": [2]}).to_string(),
    ] {
        for end in 0..input.len() {
            assert_no_line(&inner, &keep(&input[..end]), &format!("end {end}"));
        }
    }
}

#[test]
fn p16_cuts_keep_characters_whole() {
    let texts = [
        "é".repeat(700),
        "壊れた入力".repeat(200),
        "😀".repeat(600),
        "e\u{301}\u{200d}".repeat(300),
        "a😀b壊".repeat(200),
    ];
    for text in texts {
        for chars in 32..140 {
            let limits = PayloadLimits::default()
                .with_string_chars(chars)
                .with_bytes(64 + chars * 3);
            let payload = keep_within(json!(text).to_string(), limits);
            let kept: Value = serde_json::from_str(text_of(&payload)).unwrap();
            let kept = kept.as_str().unwrap();
            assert!(kept.chars().count() <= chars);
            let kept = kept.split("[TRUNCATED").next().unwrap();
            assert!(text.starts_with(kept), "{kept}");
            assert_eq!(payload.report().replaced_characters, 0);
        }
    }
}

#[test]
fn p6_a_token_that_no_rule_knows_is_kept_whole_or_not_at_all() {
    const CAP: usize = 160;
    let limits = PayloadLimits::default().with_string_chars(CAP);
    let token = password(18);
    for offset in offsets(CAP, token.len()) {
        let text = format!("{} {token} {}", filler(offset), filler(300));
        let payload = keep_within(json!(text).to_string(), limits);
        if !text_of(&payload).contains(&token) {
            assert_absent(&token, &payload, &format!("offset {offset}"));
        }
    }
    for bytes in 64..300 {
        let text = format!("{} {token} {}", filler(100), filler(300));
        let payload = keep_within(
            json!(text).to_string(),
            PayloadLimits::default().with_bytes(bytes),
        );
        if !text_of(&payload).contains(&token) {
            assert_absent(&token, &payload, &format!("{bytes} bytes"));
        }
    }
}

#[test]
fn p6_no_fragment_of_a_secret_that_is_no_token() {
    const CAP: usize = 160;
    let limits = PayloadLimits::default().with_string_chars(CAP);
    let secret = crate::support::Random::new(19).word(b"!$*()^abcdefgh,23", 60);
    for text in [
        format!("amqp://me:{secret}@host/x"),
        format!("password='{secret}'"),
    ] {
        for offset in offsets(CAP, text.len()) {
            let text = format!("{} {text} {}", filler(offset), filler(900));
            let payload = keep_within(json!(text).to_string(), limits);
            assert_absent(&secret, &payload, &format!("offset {offset}"));
        }
    }
}

//! P15: the caller's own credential appears in no output, whatever the rules know.

use audit_core::payload::{
    CallerCredential, Payload, PayloadContext, PayloadFailure, PayloadLimits, PayloadPolicy,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{ALPHANUMERIC, Random, any_json, assert_absent, json as text_of, policy_of};

/// The spellings that the type promises.
fn spellings(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
    let percent: String = secret.bytes().map(|b| format!("%{b:02X}")).collect();
    let mixed: String = secret
        .bytes()
        .enumerate()
        .map(|(i, b)| {
            if i % 3 == 0 {
                format!("%{b:02x}")
            } else {
                char::from(b).to_string()
            }
        })
        .collect();
    let escaped = json!(secret).to_string();
    let unicode: String = secret.bytes().map(|b| format!("\\u{b:04x}")).collect();
    let mut spellings = vec![
        secret.to_owned(),
        hex.to_uppercase(),
        hex,
        percent,
        mixed,
        escaped[1..escaped.len() - 1].to_owned(),
        unicode,
    ];
    for before in ["", "x", "xy"] {
        let standard = base64(format!("{before}{secret}").as_bytes());
        spellings.push(standard.replace('+', "-").replace('/', "_"));
        spellings.push(standard);
    }
    spellings
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let at = |i: usize| group.get(i).copied().map_or(0, u32::from);
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..=group.len() {
            out.push(char::from(
                DIGITS[usize::try_from(bits >> (18 - 6 * i) & 63).unwrap()],
            ));
        }
    }
    out
}

/// Without the characters at the edges, which a spelling shares with its neighbors.
fn core(spelling: &str) -> &str {
    spelling.get(3..spelling.len() - 3).unwrap_or(spelling)
}

proptest! {
    #![proptest_config(crate::support::cases(150))]

    #[test]
    fn p15_no_spelling_of_the_credential_in_any_place(
        secret in "[!-~]{16,80}",
        carrier in any_json(),
        spelling in 0usize..13,
        at in 0usize..600,
    ) {
        let credentials = [CallerCredential::new(secret.clone())];
        let policy = PayloadPolicy::default();
        let context = PayloadContext::request(&policy).credentials(&credentials);
        let spelled = &spellings(&secret)[spelling];
        let padded = format!("{} {spelled} {}", "word ".repeat(at / 5), carrier);
        for input in [
            json!({"a": spelled, "b": carrier}),
            json!({"a": padded}),
            json!({spelled: 1}),
            json!([[padded], json!({"q": spelled}).to_string()]),
        ] {
            for payload in [
                Payload::from_json(input.to_string(), &context),
                Payload::from_serialize(&input, &context),
                Payload::from_text(&input.to_string(), &context),
            ] {
                let text = text_of(&payload);
                prop_assert!(!text.contains(core(spelled)), "{spelled}\n{text}");
                let value: Value = serde_json::from_str(text).unwrap();
                prop_assert!(!holds(&value, &secret), "{secret}\n{text}");
            }
        }
    }

    #[test]
    fn p15_a_credential_cut_anywhere_leaves_no_piece(length in 16usize..1500, cap in 32usize..300, offset in 0usize..600) {
        let secret = Random::new(u64::try_from(length * 31 + cap).unwrap()).word(b"ab cd:ef@gh&ij\"k\\lm", length);
        let credentials = [CallerCredential::new(secret.clone())];
        let policy = policy_of(PayloadLimits::default().with_string_chars(cap));
        let context = PayloadContext::request(&policy).credentials(&credentials);
        let text = format!("{}{secret}{}", "~ ".repeat(offset / 2), " ~".repeat(700));
        let payload = Payload::from_json(json!({"a": text}).to_string(), &context);
        assert_absent(&secret, &payload, "cut");
    }
}

fn holds(value: &Value, secret: &str) -> bool {
    match value {
        Value::String(text) => text.contains(secret),
        Value::Array(items) => items.iter().any(|item| holds(item, secret)),
        Value::Object(members) => members
            .iter()
            .any(|(key, member)| key.contains(secret) || holds(member, secret)),
        _ => false,
    }
}

#[test]
fn p15_every_offset_around_every_cut() {
    let secret = Random::new(5).word(ALPHANUMERIC, 40);
    let credentials = [CallerCredential::new(secret.clone())];
    for (spelling, text) in spellings(&secret).into_iter().enumerate() {
        for cap in [64, 128] {
            let policy = policy_of(
                PayloadLimits::default()
                    .with_string_chars(cap)
                    .with_scan_bytes(400),
            );
            let context = PayloadContext::request(&policy).credentials(&credentials);
            for offset in (0..cap + 3).chain(400 - text.len() - 30..410) {
                let text = format!("{}{text}{}", ". ".repeat(offset / 2), " .".repeat(400));
                let payload = Payload::from_json(json!({"a": text}).to_string(), &context);
                assert!(
                    !text_of(&payload).contains(core(&secret)),
                    "{spelling} {offset}"
                );
                assert_absent(&secret, &payload, &format!("{spelling} {offset}"));
            }
        }
    }
}

#[test]
fn a_credential_made_of_signs_of_json_withholds_the_payload() {
    let credentials = [CallerCredential::new(r#"","value":"#)];
    let policy = PayloadPolicy::default();
    let context = PayloadContext::request(&policy).credentials(&credentials);
    let payload = Payload::from_json(r#"{"a":"x","value":"y"}"#, &context);
    assert_eq!(text_of(&payload), "\"[WITHHELD]\"");
    assert_eq!(payload.report().failure, Some(PayloadFailure::Withheld));
}

#[test]
fn a_short_credential_goes_only_where_it_stands_alone() {
    let credentials = [CallerCredential::new("e")];
    let policy = PayloadPolicy::default();
    let context = PayloadContext::request(&policy).credentials(&credentials);
    let payload = Payload::from_json(r#"{"a":"e","b":"delete everything"}"#, &context);
    assert_eq!(
        text_of(&payload),
        r#"{"a":"[REDACTED:caller_credential]","b":"delete everything"}"#
    );
    assert_eq!(
        credentials[0].scrub("delete everything"),
        "delete everything"
    );
}

#[test]
fn a_credential_that_is_a_word_of_a_mark_leaves_the_marks_alone() {
    for word in [
        "REDACTED",
        "TRUNCATED",
        "caller_credential",
        "[REDACTED:password]",
    ] {
        let credentials = [CallerCredential::new(word)];
        let policy = PayloadPolicy::default();
        let context = PayloadContext::request(&policy).credentials(&credentials);
        let input = format!(r#"{{"password":"x","b":{}}}"#, json!(word));
        let payload = Payload::from_json(input, &context);
        assert_eq!(
            text_of(&payload),
            r#"{"password":"[REDACTED:password]","b":"[REDACTED:caller_credential]"}"#
        );
        assert_eq!(text_of(&payload.narrow(&context)), text_of(&payload));
    }
}

#[test]
fn the_header_value_as_a_whole_may_be_handed_over() {
    let secret = Random::new(6).word(ALPHANUMERIC, 30);
    let credentials = [CallerCredential::new(format!("Bearer {secret}"))];
    let policy = PayloadPolicy::default();
    let context = PayloadContext::request(&policy).credentials(&credentials);
    let payload = Payload::from_json(json!({"a": format!("x{secret}y")}).to_string(), &context);
    assert_absent(&secret, &payload, "without its scheme");
}

#[test]
fn a_number_that_is_the_credential_is_taken_away() {
    let credentials = [CallerCredential::new("9127364518")];
    let policy = PayloadPolicy::default();
    let context = PayloadContext::request(&policy).credentials(&credentials);
    let payload = Payload::from_json(r#"[9127364518,"0912736451812"]"#, &context);
    assert_eq!(
        text_of(&payload),
        r#"["[REDACTED:caller_credential]","0[REDACTED:caller_credential]12"]"#
    );
}

#[test]
fn debug_shows_nothing() {
    let secret = Random::new(7).word(ALPHANUMERIC, 30);
    let credentials = [CallerCredential::new(secret.clone())];
    let policy = PayloadPolicy::default();
    let context = PayloadContext::request(&policy).credentials(&credentials);
    let payload = Payload::from_json(r#"{"content":"words"}"#, &context);
    assert!(!format!("{context:?}").contains(&secret));
    assert!(!format!("{payload:?}").contains("words"));
}

//! P15: the caller's own credential appears in no output, whatever the rules know.

use audit_core::payload::{
    CallerCredential, Payload, PayloadContext, PayloadFailure, PayloadLimits, PayloadPolicy,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    ALPHANUMERIC, Random, any_json, assert_absent, base64, hex, json as text_of, policy_of,
    url_safe,
};

/// A spelling of a credential.
pub(crate) struct Spelling {
    pub(crate) name: &'static str,
    pub(crate) text: String,
    /// The characters that stand for the credential alone: in base64 those at the edges share bits
    /// with what is beside them.
    pub(crate) core: String,
    /// How many characters stand for eight bytes of it.
    pub(crate) piece: usize,
}

/// The spellings that the type promises.
pub(crate) fn spellings(secret: &str) -> Vec<Spelling> {
    let mixed: String = secret
        .bytes()
        .enumerate()
        .map(|(i, b)| match i % 3 {
            0 => format!("%{b:02x}"),
            _ => char::from(b).to_string(),
        })
        .collect();
    let escaped = json!(secret).to_string();
    let plain = [
        ("raw", secret.to_owned()),
        ("hexadecimal", hex(secret, "")),
        ("hexadecimal in capitals", hex(secret, "").to_uppercase()),
        ("percent", hex(secret, "%").to_uppercase()),
        ("partly percent", mixed),
        ("escaped", escaped[1..escaped.len() - 1].to_owned()),
        ("backslash u", hex(secret, "\\u00")),
    ];
    let mut spellings: Vec<Spelling> = plain
        .into_iter()
        .map(|(name, text)| Spelling {
            name,
            piece: (text.len() * 8).div_ceil(secret.len()),
            core: text.clone(),
            text,
        })
        .collect();
    for (name, before) in [("base64", ""), ("base64 + 1", "x"), ("base64 + 2", "xy")] {
        let padded = base64(format!("{before}{secret}"));
        let text = padded.trim_end_matches('=');
        let shift = before.len();
        let core = &text[(shift * 8).div_ceil(6)..(shift + secret.len()) * 8 / 6];
        for (name, spell) in [
            (name, str::to_owned as fn(&str) -> String),
            ("base64url", url_safe),
        ] {
            spellings.push(Spelling {
                name,
                text: spell(text),
                core: spell(core),
                piece: 11,
            });
        }
    }
    spellings
}

proptest! {
    #![proptest_config(crate::support::cases(150))]

    #[test]
    fn p15_no_spelling_of_the_credential_in_any_place(
        secret in "[!-~]{8,80}",
        carrier in any_json(),
        spelling in 0usize..13,
        at in 0usize..600,
    ) {
        let credentials = [CallerCredential::new(secret.clone())];
        let policy = PayloadPolicy::default();
        let context = PayloadContext::request(&policy).credentials(&credentials);
        let Spelling { text: spelled, core, .. } = &spellings(&secret)[spelling];
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
                prop_assert!(!text.contains(core), "{spelled}\n{text}");
                prop_assert!(payload.report().redactions.contains_key("caller_credential") || payload.report().truncated);
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

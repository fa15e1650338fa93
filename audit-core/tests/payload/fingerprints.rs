//! Keyed fingerprints, against figures that another program computed.

use audit_core::payload::{CallerCredential, Payload, PayloadContext, PayloadPolicy};
use serde_json::json;

use crate::support::{base64, json as text_of, password};

const KEY: &[u8] = b"a key of the test, nobody's real one";

fn policy(key_id: &str, key: &[u8]) -> PayloadPolicy {
    PayloadPolicy::builder()
        .pattern("own_key", "demo_key_[0-9a-z]{8,}")
        .redact_key("birthplace")
        .fingerprints(key_id, key)
        .build()
        .unwrap()
}

/// The first 16 digits of HMAC-SHA256 over `audit payload fingerprint 1`, NUL, rule, NUL, value:
/// from Python's `hmac` module.
#[test]
fn a_fingerprint_is_hmac_sha256_of_rule_and_value() {
    let policy = policy("k1", KEY);
    let value = b"a value that nobody would guess";
    for (rule, expected) in [
        ("token", "k1=fa0714e9e9016762"),
        ("github_token", "k1=f6ca2ef7b283de90"),
        ("caller_credential", "k1=38b248187d89c0bc"),
    ] {
        assert_eq!(policy.fingerprint(rule, value).as_deref(), Some(expected));
    }
}

#[test]
fn rule_key_and_value_each_change_a_fingerprint() {
    let value = b"a value that nobody would guess";
    let of = |policy: &PayloadPolicy, rule: &str, value: &[u8]| {
        let fingerprint = policy.fingerprint(rule, value).unwrap();
        fingerprint.split_once('=').unwrap().1.to_owned()
    };
    let one = policy("k1", KEY);
    let first = of(&one, "token", value);
    assert_eq!(first, of(&policy("k2", KEY), "token", value));
    assert_ne!(first, of(&one, "secret", value));
    assert_ne!(first, of(&one, "token", b"a value that nobody would guesS"));
    assert_ne!(
        first,
        of(
            &policy("k1", b"another key of the same test"),
            "token",
            value
        )
    );
    // Where the rule ends and the value begins is part of it.
    assert_ne!(
        of(&one, "toke", b"n\0a value that nobody"),
        of(&one, "token", b"\0a value that nobody")
    );
}

#[test]
fn what_can_be_guessed_has_no_fingerprint() {
    let policy = policy("k1", KEY);
    let long = b"a value that nobody would guess";
    for rule in [
        "credential",
        "cvv",
        "dsn",
        "operator_key",
        "otp",
        "oversized_key",
        "password",
        "path",
        "unpaired_value",
        "url_userinfo",
    ] {
        assert_eq!(policy.fingerprint(rule, long), None, "{rule}");
    }
    assert_eq!(policy.fingerprint("token", b"fifteen bytes.."), None);
    assert!(policy.fingerprint("token", b"sixteen bytes...").is_some());
    // A user and his password are a password.
    let pair = base64("someone:hunter2hunter2");
    for value in [
        pair.clone(),
        format!("Basic {pair}"),
        format!("basic  {pair}"),
    ] {
        assert_eq!(
            policy.fingerprint("authorization", value.as_bytes()),
            None,
            "{value}"
        );
    }
    let bearer = format!("Bearer {}", password(71));
    assert!(
        policy
            .fingerprint("authorization", bearer.as_bytes())
            .is_some()
    );
}

#[test]
fn no_mark_of_what_can_be_guessed_carries_a_fingerprint() {
    let policy = policy("k1", KEY);
    let context = PayloadContext::request(&policy);
    let word = password(72);
    let pair = base64(format!("someone:{word}"));
    for input in [
        json!({"password": word}),
        json!({"pin": "1234567890123456789"}),
        json!({"cvv": "1234567890123456789"}),
        json!({"dsn": word}),
        json!({"credentials": word}),
        json!({"birthplace": "some town in some country"}),
        json!({"a": format!("https://me:{word}@host/")}),
        json!({"a": format!("password={word}")}),
        json!({"Authorization": format!("Basic {pair}")}),
        json!({"a": format!("Basic {pair}")}),
    ] {
        let payload = Payload::from_json(input.to_string(), &context);
        assert_eq!(payload.report().n_redactions(), 1, "{input}");
        assert!(!text_of(&payload).contains("k1="), "{}", text_of(&payload));
    }
    // A credential of the caller that is short is one that can be guessed.
    let credentials = [CallerCredential::new("hunter2word")];
    let payload = Payload::from_json(r#"["hunter2word"]"#, &context.credentials(&credentials));
    assert_eq!(text_of(&payload), r#"["[REDACTED:caller_credential]"]"#);
}

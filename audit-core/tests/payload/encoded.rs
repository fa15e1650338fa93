//! P5 for secrets in other spellings: what was planted is gone as it was spelled, and not only as
//! what it spells.

use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};
use serde_json::{Value, json};

use crate::support::{assert_no_piece, base64, hex, keep, password, tokens, url_safe};

/// A text in another spelling, and how much of it is a piece of the secret.
struct Spelled {
    name: &'static str,
    text: String,
    /// What must be gone.
    secret: String,
    /// How many characters of that are a piece.
    piece: usize,
}

/// Spells byte by byte: how it is called, how it is done, how many characters are a piece.
type PerByte<'a> = (&'static str, &'a dyn Fn(&str) -> String, usize);

/// Every spelling that the rules see through, of `text` with `secret` in it.
fn spellings(text: &str, secret: &str) -> Vec<Spelled> {
    let upper = |text: &str| hex(text, "").to_uppercase();
    let per_byte: [PerByte<'_>; 6] = [
        ("percent", &|text| hex(text, "%"), 12),
        (
            "percent in capitals",
            &|text| hex(text, "%").to_uppercase(),
            12,
        ),
        ("hexadecimal", &|text| hex(text, ""), 8),
        ("hexadecimal in capitals", &upper, 8),
        ("backslash x", &|text| hex(text, "\\x"), 16),
        ("backslash u", &|text| hex(text, "\\u00"), 24),
    ];
    let mut all: Vec<Spelled> = per_byte
        .into_iter()
        .map(|(name, spell, piece)| Spelled {
            name,
            text: spell(text),
            secret: spell(secret),
            piece,
        })
        .collect();
    let twice = base64(base64(text));
    let percent = hex(&base64(text), "%");
    let runs = [
        ("base64", base64(text)),
        ("base64 behind one byte", base64(format!("~{text}"))),
        ("base64 behind two bytes", base64(format!("~~{text}"))),
        ("base64url", url_safe(&base64(format!("~?{text}~?")))),
        (
            "base64 without padding",
            base64(text).trim_end_matches('=').to_owned(),
        ),
        ("base64 of base64", twice),
        ("base64 of hexadecimal", base64(hex(text, ""))),
        ("hexadecimal of base64", hex(&base64(text), "")),
        ("percent of base64", percent),
    ];
    // Such a run goes as a whole.
    all.extend(runs.into_iter().map(|(name, text)| Spelled {
        name,
        secret: text.clone(),
        text,
        piece: if name.starts_with("percent") { 12 } else { 8 },
    }));
    all
}

/// Where a spelled text stands.
fn carriers(spelled: &str) -> Vec<(&'static str, String)> {
    vec![
        ("value", json!({"a": spelled}).to_string()),
        ("root", json!(spelled).to_string()),
        ("element", json!([[1, spelled, 2]]).to_string()),
        (
            "sentence",
            json!({"a": format!("see {spelled} there")}).to_string(),
        ),
        (
            "query",
            json!({"a": format!("https://host/p?x=1&q={spelled}&y=2")}).to_string(),
        ),
        ("key", json!({spelled: 1}).to_string()),
        (
            "nested JSON",
            json!({"a": json!({"q": spelled}).to_string()}).to_string(),
        ),
    ]
}

#[test]
fn p5_no_encoded_form_leaves_a_piece() {
    let policy = PayloadPolicy::default();
    let context = PayloadContext::request(&policy);
    let check = |what: &str, text: &str, secret: &str| {
        for spelled in spellings(text, secret) {
            for (place, input) in carriers(&spelled.text) {
                let about = format!("{what}, {} as {place}: {input}", spelled.name);
                let again: Value = serde_json::from_str(&input).unwrap();
                for payload in [keep(&input), Payload::from_serialize(&again, &context)] {
                    assert_no_piece(&spelled.secret, spelled.piece, &payload, &about);
                    assert_no_piece(secret, 8, &payload, &about);
                    assert_ne!(payload.report().n_redactions(), 0, "{about}");
                }
            }
        }
    };
    for (rule, secret) in tokens(21) {
        check(rule, &secret, &secret);
    }
    for seed in 21..24 {
        let secret = password(seed);
        let named = [
            ("JSON", json!({"password": secret}).to_string()),
            ("form", format!("user=me&password={secret}&x=1")),
            ("header", format!("Authorization: Bearer {secret}")),
            ("URL", format!("postgres://me:{secret}@host/db")),
            ("INI", format!("[db]\npassword = {secret}\nport = 1")),
        ];
        for (what, text) in named {
            check(what, &text, &secret);
        }
    }
}

#[test]
fn p5_a_user_and_his_password_in_basic_leave_no_piece() {
    for seed in 24..30 {
        let secret = password(seed);
        let spelled = base64(format!("me:{secret}"));
        for (place, input) in carriers(&format!("Basic {spelled}")) {
            let payload = keep(&input);
            assert_no_piece(&spelled, 8, &payload, place);
            assert_ne!(payload.report().n_redactions(), 0, "{place}");
        }
    }
}

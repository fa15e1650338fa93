//! P15 across a cut: every offset of every spelling of the caller's credential around every kind of
//! cut.

use audit_core::payload::{
    CallerCredential, Payload, PayloadContext, PayloadLimits, PayloadPolicy,
};
use serde_json::json;

use crate::credentials::{Spelling, spellings};
use crate::support::{ALPHANUMERIC, Random, assert_no_piece, policy_of};

/// Credentials of letters alone, and of signs that are escaped or end a word.
fn secrets() -> [String; 3] {
    let mut random = Random::new(81);
    [
        random.word(ALPHANUMERIC, 40),
        random.word(b"ab:cd@ef&gh?ij\"kl\\m!$ ", 40),
        random.word(b"!$(){}*^<>,;:'", 24),
    ]
}

/// `n` bytes of text that belongs to no spelling.
fn before(n: usize) -> String {
    "~ ".repeat(n / 2 + 1)[..n].to_owned()
}

fn after(n: usize) -> String {
    " ~".repeat(n / 2 + 1)[..n].to_owned()
}

/// Calls `sweep` for each spelling of each credential, and fails if a payload that it makes holds a
/// piece of it.
fn sweep(sweep: impl Fn(&str, &[CallerCredential], &mut dyn FnMut(Payload, String))) {
    for secret in secrets() {
        let credentials = [CallerCredential::new(secret.clone())];
        for spelling in spellings(&secret) {
            let Spelling {
                name,
                text,
                core,
                piece,
            } = spelling;
            sweep(&text, &credentials, &mut |payload, about| {
                let about = format!("{name} of {secret}, {about}");
                assert_no_piece(&core, piece, &payload, &about);
                assert_no_piece(&secret, 8, &payload, &about);
            });
        }
    }
}

#[test]
fn p15_every_offset_around_the_cut_of_a_string() {
    for cap in [64, 128] {
        let policy = policy_of(PayloadLimits::default().with_string_chars(cap));
        sweep(|text, credentials, check| {
            let context = PayloadContext::request(&policy).credentials(credentials);
            for offset in 0..cap + 3 {
                let text = format!("{}{text}{}", before(offset), after(100));
                let about = format!("cap {cap}, offset {offset}");
                check(
                    Payload::from_json(json!({"a": text}).to_string(), &context),
                    about.clone(),
                );
                check(Payload::from_text(&text, &context), about);
            }
        });
    }
}

#[test]
fn p15_every_offset_around_the_cut_of_a_key() {
    let policy = PayloadPolicy::default();
    let cap = policy.limits().key_chars;
    sweep(|text, credentials, check| {
        let context = PayloadContext::request(&policy).credentials(credentials);
        for offset in 0..cap + 3 {
            let key = format!("{}{text}{}", before(offset), after(100));
            let input = json!({key: 1}).to_string();
            check(
                Payload::from_json(input, &context),
                format!("offset {offset}"),
            );
        }
    });
}

#[test]
fn p15_every_offset_around_the_end_of_what_is_looked_at() {
    const SCAN: usize = 400;
    let policy = policy_of(PayloadLimits::default().with_scan_bytes(SCAN));
    sweep(|text, credentials, check| {
        let context = PayloadContext::request(&policy).credentials(credentials);
        for offset in SCAN.saturating_sub(text.len() + 30)..SCAN + 3 {
            let text = format!("{}{text}{}", before(offset), after(200));
            let about = |what| format!("{what}, offset {offset}");
            let input = json!({"a": text});
            check(
                Payload::from_json(input.to_string(), &context),
                about("bytes"),
            );
            check(Payload::from_serialize(&input, &context), about("value"));
            check(Payload::from_text(&text, &context), about("text"));
            check(
                Payload::from_headers([("A", &text)], &context),
                about("header"),
            );
        }
    });
}

#[test]
fn p15_every_offset_around_the_end_of_a_window() {
    // What is looked at of a string that is longer than any that is kept.
    let policy = policy_of(PayloadLimits::default().with_string_chars(64));
    let window = 64 + 512;
    sweep(|text, credentials, check| {
        let context = PayloadContext::request(&policy).credentials(credentials);
        for offset in window - text.len() - 3..window + 3 {
            // One token up to the end, so that the cut falls nowhere else.
            let text = format!("{}{text}{}", "~".repeat(offset), after(200));
            let input = json!({"a": text}).to_string();
            check(
                Payload::from_json(input, &context),
                format!("offset {offset}"),
            );
        }
    });
}

#[test]
fn p15_every_offset_around_the_end_of_the_output() {
    const BYTES: usize = 200;
    let policy = policy_of(PayloadLimits::default().with_bytes(BYTES));
    sweep(|text, credentials, check| {
        let context = PayloadContext::request(&policy).credentials(credentials);
        for offset in BYTES.saturating_sub(text.len() + 40)..BYTES + 3 {
            let (a, b) = (before(offset / 2), before(offset - offset / 2));
            let input = json!({"a": a, "b": format!("{b}{text}"), "c": after(100)});
            let payload = Payload::from_json(input.to_string(), &context);
            check(payload, format!("offset {offset}"));
        }
    });
}

#[test]
fn p15_every_end_of_the_input() {
    let policy = PayloadPolicy::default();
    sweep(|text, credentials, check| {
        let context = PayloadContext::request(&policy).credentials(credentials);
        for input in [
            json!({"a": format!("see {text} there"), "b": text}).to_string(),
            json!([{text: 1}]).to_string(),
        ] {
            for end in 0..input.len() {
                check(
                    Payload::from_json(&input[..end], &context),
                    format!("end {end}"),
                );
            }
        }
    });
}

#[test]
fn p15_every_offset_around_the_cut_of_a_header() {
    let policy = policy_of(PayloadLimits::default().with_string_chars(64));
    let cap = policy.limits().key_chars;
    sweep(|text, credentials, check| {
        let context = PayloadContext::request(&policy).credentials(credentials);
        for offset in 0..cap + 3 {
            let text = format!("{}{text}{}", before(offset), after(100));
            let about = format!("offset {offset}");
            check(
                Payload::from_headers([("A", &text)], &context),
                about.clone(),
            );
            check(Payload::from_headers([(&text, "value")], &context), about);
        }
    });
}

//! How an input is spelled decides nothing: bytes that are copied as they stand, keys that are
//! expected and texts that are read character by character give the same payload.

use audit_core::payload::{CallerCredential, Payload, PayloadContext, PayloadLimits};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{any_json, any_limits, cases, json, policy_of};

/// Limits that cut nothing: the mark of a cut tells how many bytes the spelling took.
fn widest() -> PayloadLimits {
    let max = PayloadLimits::MAX;
    PayloadLimits::default()
        .with_bytes(max.bytes)
        .with_depth(max.depth)
        .with_items(max.items)
        .with_key_chars(max.key_chars)
        .with_string_chars(max.string_chars)
        .with_scan_bytes(max.scan_bytes)
}

/// The same JSON with space between its items and most of its plain text in escapes.
fn respelled(compact: &str) -> String {
    let mut out = String::new();
    let (mut is_text, mut is_escaped) = (false, false);
    for c in compact.chars() {
        let was_escaped = is_escaped;
        is_escaped = is_text && c == '\\' && !was_escaped;
        match c {
            _ if was_escaped || is_escaped => out.push(c),
            '"' => {
                is_text = !is_text;
                out.push(c);
            }
            // Digits may belong to an escape that is there already.
            c if is_text && c.is_ascii() && !c.is_ascii_hexdigit() => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)))
            }
            ',' | ':' | '[' | '{' if !is_text => {
                out.push(c);
                out.push_str("\n ");
            }
            c => out.push(c),
        }
    }
    out
}

fn assert_same(a: &Payload, b: &Payload) {
    assert_eq!(json(a), json(b));
    assert_eq!(a.report().redactions, b.report().redactions);
    assert_eq!(
        a.report().replaced_characters,
        b.report().replaced_characters
    );
    assert_eq!(a.report().truncated, b.report().truncated);
}

/// Members with keys that come again, in this object and in others.
fn any_members() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "id",
        "title",
        "name",
        "value",
        "token",
        "user_id",
        "a\\\"b",
        "items[0]",
        "[DUPLICATE:2]",
        "[redacted:token]",
        "properties",
        "headers",
        "-p",
        "p\\u0061ss",
        "schlüssel",
        "a credential",
        "at://me:hunter2@home",
        "",
    ]);
    let value = prop_oneof![
        3 => any_json().prop_map(|value| value.to_string()),
        1 => Just("\"plain\"".to_owned()),
        1 => Just("\"a\\/b \\u0000 \\ud800\"".to_owned()),
        1 => Just("\"token\"".to_owned()),
        1 => Just("\"a credential\"".to_owned()),
        1 => Just("1e400".to_owned()),
    ];
    prop::collection::vec((key, value), 0..7).prop_map(|members| {
        let members: Vec<_> = members
            .iter()
            .map(|(key, value)| format!("\"{key}\":{value}"))
            .collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn escapes_and_space_change_nothing(
        records in prop::collection::vec(any_members(), 1..4),
        n in 1usize..9,
    ) {
        let policy = policy_of(widest());
        let credentials = [CallerCredential::new("a credential")];
        let context = PayloadContext::request(&policy).credentials(&credentials);
        let compact = format!("[{}]", vec![records.join(","); n].join(","));
        let kept = Payload::from_json(&compact, &context);
        assert_same(&kept, &Payload::from_json(respelled(&compact), &context));
    }

    #[test]
    fn records_from_bytes_and_from_values_are_the_same(
        record in any_json(),
        other in any_json(),
        n in 1usize..60,
        at in any::<prop::sample::Index>(),
        limits in any_limits(),
    ) {
        let mut records = vec![json!({"id": 1, "title": "a \"b\"\n", "of": record, "no": 0.5}); n];
        records[at.index(n)]["of"] = other;
        let input = json!({"jsonrpc": "2.0", "params": {"arguments": records}});
        let policy = policy_of(limits);
        let context = PayloadContext::request(&policy);
        let from_value = Payload::from_serialize(&input, &context);
        assert_same(&from_value, &Payload::from_json(input.to_string(), &context));
    }
}

#[test]
fn equal_keys_are_numbered_however_they_are_spelled() {
    let policy = policy_of(widest());
    let context = PayloadContext::request(&policy);
    let records = [r#"{"a":1,"b":2,"a":3,"\u0062":[{"a":4,"a":5}]}"#; 3].join(",");
    let kept = Payload::from_json(format!("[{records}]"), &context);
    let expected =
        r#"{"a":1,"b":2,"a[DUPLICATE:2]":3,"b[DUPLICATE:2]":[{"a":4,"a[DUPLICATE:2]":5}]}"#;
    assert_eq!(json(&kept), format!("[{}]", [expected; 3].join(",")));
}

#[test]
fn more_keys_than_are_remembered_change_nothing() {
    let policy = policy_of(widest());
    let context = PayloadContext::request(&policy);
    let members: Vec<_> = (0..300).map(|i| format!("\"key{i}\":{i}")).collect();
    let object = format!("{{{}}}", members.join(","));
    let twice = format!("[{object},{object}]");
    assert_eq!(json(&Payload::from_json(&twice, &context)), twice);
    let again = format!("{{{},\"key7\":1,\"key290\":2}}", members.join(","));
    let kept = Payload::from_json(again, &context);
    let value: Value = serde_json::from_str(json(&kept)).unwrap();
    assert_eq!(value["key7[DUPLICATE:2]"], 1);
    assert_eq!(value["key290[DUPLICATE:2]"], 2);
}

#[test]
fn a_key_that_comes_again_is_redacted_each_time() {
    let policy = policy_of(widest());
    let credentials = [CallerCredential::new("a credential")];
    let context = PayloadContext::request(&policy).credentials(&credentials);
    for (key, kept_key, rule) in [
        (
            "a credential, or so",
            "[REDACTED:caller_credential], or so",
            "caller_credential",
        ),
        (
            "at://me:hunter2@home",
            "at://me:[REDACTED:url_userinfo]@home",
            "url_userinfo",
        ),
    ] {
        for n in 1..9 {
            let records = |key: &str| {
                format!(
                    "[{}]",
                    vec![format!(r#"{{"id":1,"{key}":{{"id":2}}}}"#); n].join(",")
                )
            };
            let kept = Payload::from_json(records(key), &context);
            assert_eq!(json(&kept), records(kept_key));
            assert_eq!(kept.report().redactions[rule] as usize, n);
            // The same inside a string.
            let inner = Value::from(records(key)).to_string();
            let kept = Payload::from_json(inner, &context);
            assert_eq!(json(&kept), Value::from(records(kept_key)).to_string());
        }
    }
}

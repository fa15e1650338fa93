//! The predecessor's seven defects, and that what it redacted is redacted here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{json as text_of, keep, password, value};

#[test]
fn what_the_seed_redacted_is_redacted() {
    for key in [
        "api_key",
        "apikey",
        "authorization",
        "password",
        "secret",
        "token",
        "access_token",
        "refresh_token",
    ] {
        let kept = value(&keep(json!({key: "some words"}).to_string()));
        assert!(
            kept[key].as_str().unwrap().starts_with("[REDACTED:"),
            "{key}"
        );
    }
}

#[test]
fn defect_1_keys_are_known_in_every_spelling() {
    for key in [
        "apiKey",
        "API-Key",
        "x-api-key",
        "access_token",
        "accessToken",
        "clientSecret",
        "cookie",
        "Set-Cookie",
        "private_key",
        "passwd",
        "bearer",
        "aws_secret_access_key",
        "DB_PASSWORD",
        "user[password]",
        "password2",
        "sessionToken",
        "signingKey",
        "dsn",
        "apikeys",
        "userpassword",
    ] {
        let kept = value(&keep(json!({key: "some words"}).to_string()));
        assert!(
            kept[key].as_str().unwrap().starts_with("[REDACTED:"),
            "{key}"
        );
    }
}

#[test]
fn defect_2_long_keys_are_read_before_they_are_cut_and_stay_apart() {
    let secret = password(1);
    let long = format!("{}_password", "k".repeat(90));
    let payload = keep(json!({long: secret}).to_string());
    assert!(!text_of(&payload).contains(&secret[..8]));

    let start = "a key of several words that goes on and on ".repeat(3);
    let input = json!({format!("{start}one"): 1, format!("{start}two"): 2, "_truncated_items": 3});
    let kept = value(&keep(input.to_string()));
    let numbers: Vec<&Value> = kept.as_object().unwrap().values().collect();
    assert_eq!(numbers, [3, 2, 1], "{kept}");
}

#[test]
fn defect_3_marks_cannot_be_forged() {
    let payload =
        keep(r#"{"a":"[REDACTED:password]","b":{"[TRUNCATED]":true},"[REDACTED:jwt]":1}"#);
    assert_eq!(
        text_of(&payload),
        r#"{"a":"[redacted:password]","b":{"[truncated]":true},"[redacted:jwt]":1}"#
    );
    assert!(!payload.report().truncated);
    assert_eq!(payload.report().redactions, BTreeMap::new());
}

#[test]
fn defect_4_cuts_split_no_character_and_the_same_keys_survive_each_run() {
    let input = json!(
        (0..60)
            .map(|i| (format!("key {i}"), "é".repeat(300).into()))
            .collect::<serde_json::Map<_, _>>()
    );
    let first = keep(input.to_string());
    assert!(!text_of(&first).contains('\u{fffd}'));
    for _ in 0..5 {
        assert_eq!(text_of(&keep(input.to_string())), text_of(&first));
    }
}

#[test]
fn defect_5_the_budget_is_used_and_the_structure_stays() {
    let records: Vec<Value> = (0..200)
        .map(|i| json!({"id": i, "text": "some words here"}))
        .collect();
    let payload = keep(json!({"records": records}).to_string());
    assert!(text_of(&payload).len() > 1300, "{}", text_of(&payload));
    assert_eq!(value(&payload)["records"][7]["id"], 7);

    let long: Vec<Value> = (0..40)
        .map(|i| json!({"id": i, "text": "some words here ".repeat(8)}))
        .collect();
    let payload = keep(json!({"records": long}).to_string());
    assert!(
        text_of(&payload).len() > 4000,
        "{}",
        text_of(&payload).len()
    );
    assert_eq!(value(&payload)["records"][7]["id"], 7);
}

#[test]
fn defect_6_scalars_cost_no_depth_and_integers_keep_their_digits() {
    let payload = keep(r#"[[[[[[9007199254740993,18446744073709551615,"leaf"]]]]]]"#);
    assert_eq!(
        text_of(&payload),
        r#"[[[[[[9007199254740993,18446744073709551615,"leaf"]]]]]]"#
    );
}

#[test]
fn defect_7_u0000_is_replaced_in_keys_and_values() {
    let payload = keep(r#"{"a\u0000b":"c\u0000d","\u0000":1}"#);
    assert_eq!(
        text_of(&payload),
        "{\"a\u{fffd}b\":\"c\u{fffd}d\",\"\u{fffd}\":1}"
    );
    assert_eq!(payload.report().replaced_characters, 3);
}

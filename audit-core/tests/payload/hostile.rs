//! P14: characters that no store takes. And: nothing breaks it, no event is lost.

use std::collections::BTreeMap;

use audit_core::payload::{
    CallerCredential, Coverage, Payload, PayloadContext, PayloadFailure, PayloadPolicy,
    PayloadReport,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::ser::{Error, SerializeMap, SerializeSeq, Serializer};
use serde_json::json;
use serde_json::value::RawValue;

use crate::bounds::assert_storable;
use crate::support::{json as text_of, keep, value};

fn serialize<T: Serialize + ?Sized>(value: &T) -> Payload {
    let policy = PayloadPolicy::default();
    Payload::from_serialize(value, &PayloadContext::request(&policy))
}

proptest! {
    #![proptest_config(crate::support::cases(256))]

    #[test]
    fn p14_what_no_store_takes_is_replaced_and_counted(
        words in prop::collection::vec(prop::sample::select(vec![
            "plain", "\\u0000", "\\ud800", "\\udc00", "\\ud83d\\ude00", "\\udc00\\ud800", "é",
        ]), 0..40),
    ) {
        let payload = keep(format!("{{\"{0}\":\"{0}\"}}", words.join("")));
        let joined = words.concat();
        let bad = char::decode_utf16(utf16(&joined)).filter(|c| matches!(c, Err(_) | Ok('\0'))).count();
        prop_assert_eq!(payload.report().replaced_characters, u32::try_from(bad * 2).unwrap());
        prop_assert_eq!(payload.report().failure, None);
        assert_storable(&payload);
    }
}

/// The code units that escaped text spells.
fn utf16(text: &str) -> Vec<u16> {
    let mut units = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(digits) = rest.strip_prefix("\\u") {
            units.push(u16::from_str_radix(&digits[..4], 16).unwrap());
            rest = &digits[4..];
        } else {
            units.extend(c.encode_utf16(&mut [0; 2]).iter());
            rest = &rest[c.len_utf8()..];
        }
    }
    units
}

#[test]
fn p14_invalid_utf8_is_replaced_and_counted() {
    let payload = keep(b"{\"a\xff\":\"b\xed\xa0\x80c\xc3\"}");
    assert_eq!(payload.report().replaced_characters, 5);
    assert_storable(&payload);
}

#[test]
fn the_end_of_a_private_key_behind_escapes_takes_nothing_away() {
    let dashes = "-".repeat(5);
    for escape in ["%41", r"\x41"] {
        let text = format!("{dashes}END PRIVATE KEY{dashes}{escape}");
        let json = format!("[\"{}\"]", text.replace('\\', r"\\"));
        assert_eq!(text_of(&keep(&json)), json);
    }
}

#[test]
fn no_headers_are_an_empty_object() {
    let policy = PayloadPolicy::default();
    let none: [(&str, &str); 0] = [];
    let payload = Payload::from_headers(none, &PayloadContext::request(&policy));
    assert_eq!(text_of(&payload), "{}");
}

#[test]
fn what_is_not_json_leaves_its_size() {
    for input in [
        "hello",
        "",
        "{'password': 'x'}",
        "<html>",
        "{\"a\" 1}",
        "[1,]",
        "nul",
        "01",
        "[1] 2",
        "\u{0}",
    ] {
        let payload = keep(input);
        assert_eq!(
            text_of(&payload),
            format!("\"[UNPARSEABLE:{}]\"", input.len()),
            "{input}"
        );
        assert_eq!(payload.report().failure, Some(PayloadFailure::Unparseable));
        assert_eq!(payload.report().coverage, Coverage::Partial);
    }
}

#[test]
fn what_ends_in_the_middle_leaves_its_beginning() {
    let payload = keep(r#"{"a":1,"b":["some words","#);
    assert_eq!(
        text_of(&payload),
        r#"{"a":1,"b":["some words","[TRUNCATED]"],"[TRUNCATED]":true}"#
    );
    assert_eq!(payload.report().failure, Some(PayloadFailure::Incomplete));

    let policy = PayloadPolicy::default();
    let context = PayloadContext::request(&policy).original_bytes(5000);
    let payload = Payload::from_json(r#"{"a":1,"#, &context);
    assert_eq!(payload.report().failure, None);
    assert_eq!(payload.report().original_bytes, 5000);
    assert!(payload.report().truncated);
}

#[test]
fn numbers_that_no_store_takes_become_strings() {
    let payload = keep("[1e400000,1e131071,-1e-400,1e308,12345678901234567890123]");
    assert_eq!(
        text_of(&payload),
        r#"["1e400000","1e131071","-1e-400","1e308",12345678901234567890123]"#
    );
}

#[test]
fn duplicate_keys_stay_apart() {
    let payload = keep(r#"{"a":1,"a":2,"a":3,"token":"x","token":"y"}"#);
    assert_eq!(
        text_of(&payload),
        r#"{"a":1,"a[DUPLICATE:2]":2,"a[DUPLICATE:3]":3,"token":"[REDACTED:token]","token[DUPLICATE:2]":"[REDACTED:token]"}"#
    );
}

#[test]
fn nan_and_keys_of_any_type_serialize() {
    let numbers = [f64::NAN, f64::INFINITY, 1.5];
    assert_eq!(text_of(&serialize(&numbers)), "[null,null,1.5]");
    let map = BTreeMap::from([(3, "x")]);
    assert_eq!(text_of(&serialize(&map)), r#"{"3":"x"}"#);
    let map = BTreeMap::from([((1, 2), "x"), ((2, 3), "y")]);
    let payload = serialize(&map);
    assert_eq!(
        text_of(&payload),
        r#"{"unrepresentable key":"x","unrepresentable key[DUPLICATE:2]":"y"}"#
    );
    assert_eq!(
        payload.report().failure,
        Some(PayloadFailure::Unserializable)
    );
}

#[test]
fn raw_json_inside_a_value_is_read_as_json() {
    #[derive(Serialize)]
    struct Call<'a> {
        method: &'a str,
        #[serde(borrow)]
        params: &'a RawValue,
    }
    let params: &RawValue = serde_json::from_str(r#"{ "password" : "x y z", "n": 1 }"#).unwrap();
    let payload = serialize(&Call {
        method: "tools/call",
        params,
    });
    assert_eq!(
        text_of(&payload),
        r#"{"method":"tools/call","params":{"password":"[REDACTED:password]","n":1}}"#
    );
}

#[test]
fn every_form_of_serialize_is_as_serde_json_writes_it() {
    #[derive(Serialize)]
    enum Form {
        Unit,
        New(u8),
        Tuple(u8, &'static str),
        Struct { a: Option<char>, b: () },
    }
    #[derive(Serialize)]
    struct All(Vec<Form>, (i128, f32), [bool; 2]);
    let all = All(
        vec![
            Form::Unit,
            Form::New(7),
            Form::Tuple(1, "x"),
            Form::Struct {
                a: Some('é'),
                b: (),
            },
        ],
        (-170_141_183_460_469_231_731, 0.1),
        [true, false],
    );
    assert_eq!(
        text_of(&serialize(&all)),
        serde_json::to_string(&all).unwrap()
    );
}

/// Says something, then fails or panics.
struct Halfway {
    panics: bool,
}

impl Serialize for Halfway {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("password", "some words")?;
        map.serialize_entry("said", "before")?;
        if self.panics {
            std::panic::panic_any(());
        }
        Err(S::Error::custom("a message that nobody shall see"))
    }
}

#[test]
fn a_serialize_that_fails_or_panics_leaves_what_it_said() {
    for (panics, failure) in [
        (false, PayloadFailure::Unserializable),
        (true, PayloadFailure::Panicked),
    ] {
        let payload = serialize(&[Halfway { panics }]);
        assert_eq!(
            text_of(&payload),
            r#"[{"password":"[REDACTED:password]","said":"before","[TRUNCATED]":true},"[TRUNCATED]"]"#
        );
        assert_eq!(payload.report().failure, Some(failure));
    }
}

/// Breaks the rules of serde and swallows our errors.
struct Unruly;

impl Serialize for Unruly {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(9))?;
        drop(map.serialize_value("a value without a key"));
        drop(map.serialize_key("one"));
        drop(map.serialize_key("two"));
        drop(map.serialize_value(&Endless));
        map.end()
    }
}

struct Endless;

impl Serialize for Endless {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        while seq.serialize_element("again").is_ok() {}
        seq.end()
    }
}

#[test]
fn a_serialize_that_breaks_the_rules_leaves_json() {
    for payload in [
        serialize(&Unruly),
        serialize(&[Unruly]),
        serialize(&Endless),
        serialize(&[Endless]),
    ] {
        assert_storable(&payload);
    }
}

#[test]
fn a_name_that_is_never_reached_takes_its_value_along() {
    let secret = crate::support::password(4);
    let junk = "some words ".repeat(40);
    let input = format!(
        r#"{{"value":"{secret}","a":"{junk}","b":"{junk}","c":"{junk}","d":"{junk}","e":"{junk}","f":"{junk}","g":"{junk}","h":"{junk}","i":"{junk}","j":"{junk}","k":"{junk}","name":"Authorization"}}"#
    );
    crate::support::assert_absent(&secret, &keep(input), "unpaired");
}

#[test]
fn restore_takes_what_a_store_respells_and_nothing_else() {
    let payload = keep(r#"{"bb":1e16,"a":[1.10e2,-0.0],"t":"é"}"#);
    let respelled = r#"{"a": [110, 0.0], "t": "é", "bb": 10000000000000000}"#;
    let restored = Payload::restore(Some(respelled), payload.report().clone()).unwrap();
    assert_eq!(restored, payload);
    let other = Payload::restore(Some(r#"{"a":1}"#), payload.report().clone()).unwrap();
    assert_ne!(other, payload);

    let huge = format!("\"{}\"", "x".repeat(11 << 20));
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for text in [
        "",
        "{",
        r#""a\u0000b""#,
        r#"{"\u0000":1}"#,
        "1e999",
        &huge,
        &deep,
        "[1] x",
    ] {
        let refused = Payload::restore(Some(text), PayloadReport::default()).unwrap_err();
        assert!(
            refused.to_string().starts_with("no stored payload"),
            "{refused}"
        );
    }
}

#[test]
fn reports_of_other_versions_stay_readable() {
    let report: PayloadReport = serde_json::from_value(json!({
        "original_bytes": 9, "coverage": "mostly", "level": "some", "failure": "struck", "new": [1],
    }))
    .unwrap();
    assert_eq!(report.original_bytes, 9);
    assert_eq!(report.coverage, Coverage::Partial);
    assert_eq!(report.failure, Some(PayloadFailure::Unknown));
    let empty: PayloadReport = serde_json::from_str("{}").unwrap();
    assert_eq!(empty, PayloadReport::default());
    let text = serde_json::to_string(keep("[1]").report()).unwrap();
    assert_eq!(
        &serde_json::from_str::<PayloadReport>(&text).unwrap(),
        keep("[1]").report()
    );
}

#[test]
fn plain_text_is_kept_as_a_string() {
    let policy = PayloadPolicy::default();
    let context = PayloadContext::response(&policy);
    let payload = Payload::from_text("line one\npassword=hunter2secret\n", &context);
    assert_eq!(
        text_of(&payload),
        r#""line one\npassword=[REDACTED:password]\n""#
    );
    assert_eq!(payload.report().coverage, Coverage::Full);
    let long = Payload::from_text(&"words and ".repeat(100_000), &context);
    assert!(
        value(&long)
            .as_str()
            .unwrap()
            .ends_with("[TRUNCATED:1000000]")
    );
}

#[test]
fn a_text_of_which_only_the_beginning_was_handed_over_says_so() {
    let policy = PayloadPolicy::default();
    let credential = [CallerCredential::new("correct horse battery")];
    let context = PayloadContext::response(&policy)
        .credentials(&credential)
        .original_bytes(5_000);
    let payload = Payload::from_text("it ends within correct horse", &context);
    let json = text_of(&payload);
    assert!(json.ends_with("[TRUNCATED:5000]\""), "{json}");
    assert!(!json.contains("horse"), "{json}");
    let report = payload.report();
    assert_eq!((report.original_bytes, report.scanned_bytes), (5_000, 28));
    assert!(report.truncated);
    assert_eq!(report.coverage, Coverage::Partial);
}

//! P11 seen from outside: what lies behind the budget has no part in a payload, and nobody asks for
//! it.

use std::cell::Cell;
use std::fmt::{self, Display};

use audit_core::payload::{Payload, PayloadContext, PayloadLimits, PayloadPolicy};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::json;

use crate::support::{ALPHANUMERIC, Random, json as text_of, policy_of};

/// What is looked at beyond the longest text that is kept.
const LOOKAHEAD: usize = 512;

/// Inputs whose first bytes are the same up to the budget, by name.
fn beginnings(scan: usize) -> Vec<(&'static str, Vec<u8>)> {
    let record = r#"{"id":1,"text":"some words","n":[1.5,true,null]},"#;
    let fill = |open: &str, item: &str| {
        let mut text = open.to_owned();
        while text.len() < scan {
            text.push_str(item);
        }
        text.truncate(scan);
        text.into_bytes()
    };
    vec![
        ("records", fill("[", record)),
        ("a blob", fill("{\"a\":1,\"data\":\"", "QUJD")),
        ("a text", fill("[\"", "some words and \\\" more \\u00e9 ")),
        ("passed over", fill("[", "[[[[[[[0,\"]\"]]]]]]],")),
        ("brackets", fill("", "[")),
        ("a key", fill("{\"", "some key ")),
        ("a secret", fill("{\"password\":\"", "words ")),
        ("space", fill("[1,", "  \n ")),
        ("digits", fill("[", "1234567890")),
    ]
}

#[test]
fn p11_what_lies_behind_the_budget_changes_nothing() {
    const TAIL: usize = 20_000;
    let mut random = Random::new(51);
    let word: String = random.word(ALPHANUMERIC, TAIL);
    let noise: Vec<u8> = (0..TAIL)
        .map(|_| u8::try_from(random.below(256)).unwrap())
        .collect();
    let secrets = json!({"password": random.word(ALPHANUMERIC, 20)}).to_string();
    let tails: [Vec<u8>; 9] = [
        vec![b' '; TAIL],
        vec![b'"'; TAIL],
        vec![b'\\'; TAIL],
        vec![b']'; TAIL],
        vec![0xff; TAIL],
        vec![0xe5; TAIL],
        vec![0; TAIL],
        noise,
        word.into_bytes(),
    ];
    for scan in [PayloadLimits::default().scan_bytes, 700, 64] {
        let policy = policy_of(PayloadLimits::default().with_scan_bytes(scan));
        let context = PayloadContext::request(&policy);
        for (name, beginning) in beginnings(scan) {
            let with = |tail: &[u8]| {
                let mut input = beginning.clone();
                input.extend_from_slice(tail);
                Payload::from_json(input, &context)
            };
            let expected = with(&tails[0]);
            assert!(expected.report().truncated, "{name}");
            for (i, tail) in tails.iter().enumerate() {
                let payload = with(tail);
                assert_eq!(text_of(&payload), text_of(&expected), "{name} {scan} {i}");
                assert_eq!(payload.report(), expected.report(), "{name} {scan} {i}");
            }
            let mut tail = secrets.repeat(TAIL);
            tail.truncate(TAIL);
            assert_eq!(with(tail.as_bytes()).report(), expected.report(), "{name}");
        }
        // The same for plain text, whose end is looked at no further than a string's.
        let text = |tail: &str| {
            Payload::from_text(&format!("{}{tail}", "ab ".repeat(scan + 512)), &context)
        };
        let expected = text(&"x".repeat(TAIL));
        for tail in [" ", "\"", "=", "\u{0}"] {
            let payload = text(&tail.repeat(TAIL));
            assert_eq!(text_of(&payload), text_of(&expected));
            assert_eq!(payload.report(), expected.report());
        }
    }
}

/// Text without an end, which counts what is asked of it.
struct Endless<'c> {
    piece: &'static str,
    n_bytes: &'c Cell<usize>,
}

impl Display for Endless<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An engine that would take all of it fails here and not by filling the memory.
        while self.n_bytes.get() < 64 << 20 {
            self.n_bytes.set(self.n_bytes.get() + self.piece.len());
            f.write_str(self.piece)?;
        }
        Ok(())
    }
}

impl Serialize for Endless<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The same text in some place of a value.
struct Placed<'c>(&'static str, Endless<'c>);

impl Serialize for Placed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            "element" => {
                let mut seq = serializer.serialize_seq(None)?;
                seq.serialize_element("first")?;
                seq.serialize_element(&self.1)?;
                seq.end()
            }
            "key" => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry(&self.1, "value")?;
                map.end()
            }
            "secret" => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("password", &self.1)?;
                map.end()
            }
            "passed over" => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("password", &[&self.1])?;
                map.end()
            }
            "swallowed" => {
                // An error is no reason for this one to stop.
                let mut seq = serializer.serialize_seq(None)?;
                for _ in 0..10 {
                    drop(seq.serialize_element(&self.1));
                }
                seq.end()
            }
            _ => self.1.serialize(serializer),
        }
    }
}

#[test]
fn p11_a_text_without_an_end_is_asked_for_no_more_than_the_budget() {
    for scan in [64, 1000, 64 << 10] {
        let policy = policy_of(PayloadLimits::default().with_scan_bytes(scan));
        let context = PayloadContext::request(&policy);
        for piece in ["x", "some words ", "\u{1}", "é😀", "\"\\"] {
            for place in [
                "root",
                "element",
                "key",
                "secret",
                "passed over",
                "swallowed",
            ] {
                let n_bytes = Cell::new(0);
                let endless = Endless {
                    piece,
                    n_bytes: &n_bytes,
                };
                let payload = Payload::from_serialize(&Placed(place, endless), &context);
                let asked = n_bytes.get();
                assert!(asked <= scan + LOOKAHEAD, "{place}: {asked} for {scan}");
                assert!(payload.report().truncated, "{place}");
                assert!(payload.report().scanned_bytes <= u64::try_from(scan).unwrap());
                assert!(text_of(&payload).len() <= policy.limits().bytes);
            }
        }
    }
}

/// A `Display` that says something and then fails.
struct Failing;

impl Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("half of it")?;
        Err(fmt::Error)
    }
}

struct Collected<T>(T);

impl<T: Display> Serialize for Collected<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[test]
fn a_display_is_kept_as_its_string_and_one_that_fails_is_not_kept() {
    let policy = PayloadPolicy::default();
    let context = PayloadContext::request(&policy);
    let kept = Payload::from_serialize(&[Collected("a \"b\""), Collected("é\n")], &context);
    assert_eq!(text_of(&kept), r#"["a \"b\"","é\n"]"#);
    // However long it is, it is what it would be as a string.
    for n in 40..90 {
        let policy = policy_of(PayloadLimits::default().with_scan_bytes(64));
        let context = PayloadContext::request(&policy);
        let text = "é\"x\n ".repeat(40)[..n / 6 * 6].to_owned();
        let collected = Payload::from_serialize(&[Collected(&text)], &context);
        let plain = Payload::from_serialize(&[&text], &context);
        assert_eq!(text_of(&collected), text_of(&plain), "{n}");
        assert_eq!(collected.report(), plain.report(), "{n}");
    }
    let failed = Payload::from_serialize(&(1, Collected(Failing), 2), &context);
    assert!(
        !text_of(&failed).contains("half of it"),
        "{}",
        text_of(&failed)
    );
    assert!(failed.report().failure.is_some());
}

//! Inputs that others have collected: JSONTestSuite and the naughty strings.
//!
//! The folder comes from `AUDIT_CORPORA`. Without it, a small set of the same kinds that stands
//! here is used; with it, an empty folder is an error.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use audit_core::payload::{Payload, PayloadContext, PayloadLimits, PayloadPolicy};
use serde_json::{Value, json};

use crate::bounds::assert_storable;
use crate::support::{json as text_of, keep, keep_within};

fn corpora() -> Option<PathBuf> {
    // A relative folder is meant from the root of the workspace, where the tests are started.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::env::var_os("AUDIT_CORPORA").map(|folder| root.join(folder))
}

/// Documents of JSONTestSuite's kinds, for who has not got the suite.
const DOCUMENTS: &[&[u8]] = &[
    b"[]",
    b"{}",
    b"[1]",
    b"{\"a\":{}}",
    b" [ ] ",
    b"[\"\\u0000\"]",
    b"{\"\\u0000\":0}",
    b"[\"\\uDADA\"]",
    b"[\"\\uD888\\u1234\"]",
    b"[\"\xff\"]",
    b"[\"\xed\xa0\x80\"]",
    b"[1e400000]",
    b"[-0]",
    b"[123e-10000000]",
    b"[0.4e00669999999999999999999999]",
    b"\xef\xbb\xbf[]",
    b"\xff\xfe[\x00]\x00",
    b"[1,]",
    b"[1",
    b"{\"a\"",
    b"[\"a\x00b\"]",
    b"[01]",
    b"[.1]",
    b"[1.]",
    b"[NaN]",
    b"[+1]",
    b"['a']",
    b"{a:1}",
    b"[1]x",
    b"",
    b" ",
    b"[\"\\x\"]",
    b"[\"\\u12",
    b"nul",
    b"{\"a\":1,\"a\":2}",
    b"[\"\t\"]",
    b"\"\\\"",
    b"[[[[[[[[[[1]]]]]]]]]]",
    b"{\"a\":1,}",
    b"*",
];

/// Strings of the naughty kinds.
const STRINGS: &[&str] = &[
    "",
    "undefined",
    "1e100",
    "0x0",
    "1/0",
    "Ω≈ç√∫˜µ≤≥÷",
    "❤️ 💔",
    "👨‍👩‍👦",
    "１２３",
    "بٌنٌيَتْ",
    "\u{feff}",
    "\u{202e}abc",
    "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè͚̮̺̪̹̱̤",
    "<script>alert(1)</script>",
    "'; DROP TABLE users--",
    "$(touch /tmp/x)",
    "%s%n%x",
    "{{7*7}}",
    "../../../etc/passwd",
    "\u{1}\u{8}\u{1f}\u{7f}",
    "\"\\\\\"",
    "🏳0🌈️",
    "ﬃ",
    "\r\n\t",
    "http://a/%%30%30",
];

fn documents() -> Vec<(String, Vec<u8>)> {
    let Some(folder) = corpora() else {
        return DOCUMENTS
            .iter()
            .map(|text| (String::from("built in"), text.to_vec()))
            .collect();
    };
    let folder = folder.join("json-test-suite/test_parsing");
    let files = std::fs::read_dir(&folder).expect("AUDIT_CORPORA holds json-test-suite");
    let documents: Vec<_> = files
        .map(|file| file.expect("a readable folder").path())
        .map(|path| {
            (
                path.display().to_string(),
                std::fs::read(&path).expect("a readable file"),
            )
        })
        .collect();
    assert!(
        documents.len() >= 318,
        "{} has {} files",
        folder.display(),
        documents.len()
    );
    documents
}

fn strings() -> Vec<String> {
    let Some(folder) = corpora() else {
        return STRINGS.iter().map(|&text| text.to_owned()).collect();
    };
    let text = std::fs::read(folder.join("blns.json")).expect("AUDIT_CORPORA holds blns.json");
    let strings: Vec<String> = serde_json::from_slice(&text).expect("a list of strings");
    assert!(strings.len() >= 500, "{} strings", strings.len());
    strings
}

/// Says in the output which inputs a run had.
#[test]
fn corpora_are_the_given_ones_or_else_built_in() {
    let source = corpora().map_or_else(
        || "built in: AUDIT_CORPORA is not set".to_owned(),
        |folder| format!("from {}", folder.display()),
    );
    eprintln!(
        "{} documents, {} strings, {source}",
        documents().len(),
        strings().len()
    );
}

#[test]
fn p2_every_document_gives_json_that_jsonb_takes() {
    for (name, document) in documents() {
        for limits in [
            PayloadLimits::default(),
            PayloadLimits::MIN,
            PayloadLimits::MAX,
        ] {
            let payload = keep_within(&document, limits);
            assert!(text_of(&payload).len() <= limits.bytes, "{name}");
            assert_storable(&payload);
        }
    }
}

#[test]
fn p2_documents_that_are_json_keep_their_meaning() {
    for (name, document) in documents() {
        let Ok(expected) = serde_json::from_slice::<Value>(&document) else {
            continue;
        };
        let limits = PayloadLimits::default()
            .with_depth(64)
            .with_items(1000)
            .with_string_chars(5000)
            .with_bytes(1 << 20);
        let payload = keep_within(&document, limits);
        let is_respelled = payload.report().replaced_characters > 0
            || text_of(&payload).contains("[DUPLICATE")
            || text_of(&payload).contains("e-");
        assert!(
            is_respelled
                || serde_json::from_str::<Value>(text_of(&payload)).unwrap() == expected
                || name.contains("number"),
            "{name}"
        );
    }
}

#[test]
fn p12_no_document_and_no_string_holds_a_secret() {
    for (name, document) in documents() {
        assert_eq!(
            keep(&document).report().redactions,
            BTreeMap::new(),
            "{name}"
        );
    }
    for text in strings() {
        let payload = keep(json!({"a": text}).to_string());
        assert_eq!(payload.report().redactions, BTreeMap::new(), "{text}");
    }
}

#[test]
fn p16_every_cut_of_every_string_is_a_prefix_of_it() {
    for text in strings() {
        let long = format!("{text} {}", text.repeat(8));
        for chars in 32..96 {
            let limits = PayloadLimits::default().with_string_chars(chars);
            let kept: String =
                serde_json::from_str(text_of(&keep_within(json!(long).to_string(), limits)))
                    .unwrap();
            assert!(kept.chars().count() <= chars);
            let start = kept.split("[TRUNCATED").next().unwrap();
            assert!(
                long.replace('\0', "\u{fffd}").starts_with(start),
                "{kept:?} of {long:?}"
            );
        }
    }
}

#[test]
fn strings_come_through_text_and_headers() {
    let policy = PayloadPolicy::default();
    let context = PayloadContext::response(&policy);
    for text in strings()
        .into_iter()
        .filter(|text| text.chars().count() <= 512)
    {
        let kept: String =
            serde_json::from_str(text_of(&Payload::from_text(&text, &context))).unwrap();
        assert_eq!(kept, text);
        assert_storable(&Payload::from_headers([(&text, &text)], &context));
    }
}

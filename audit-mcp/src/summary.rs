//! Results without the content that is too big to be kept.
//!
//! Of a picture in a record nobody reads the Base64, and of a text of two megabytes the first
//! lines are enough, if it can be told later whether this is the one. So a long string becomes an
//! object that says its size and its SHA-256; everything around it stays as it is.
//!
//! | a string of the result | in the record |
//! |---|---|
//! | that a payload would keep whole | as it is |
//! | `data` or `blob` in Base64, longer than that | `{"bytes":…,"sha256":…}`, of the bytes that it stands for |
//! | any other, longer than that | `{"beginning":…,"bytes":…,"sha256":…}`, of the text in UTF-8 |
//!
//! Type, MIME type, URI and all other members stand beside it as they were. What this gives goes
//! through [`Payload`](audit_core::payload::Payload) like everything else: it is redacted and
//! bounded there.

use std::borrow::Cow;

use audit_core::payload::PayloadLimits;

use crate::digest::Fingerprint;
use crate::json;

/// How much of a long text stands before what a payload keeps of it, so that the rules see where a
/// secret ends that begins there.
const LOOKAHEAD: usize = 8 << 10;

/// The result (or the error, or any JSON) with its long strings summarized, for a payload of these
/// limits. JSON that breaks off is taken as far as it goes.
///
/// The cost is that of reading it once, and of the digests.
///
/// # Examples
/// ```
/// use audit_core::payload::PayloadLimits;
/// use audit_mcp::summary::summarize;
///
/// let image = "iVBORw0K".repeat(1000);
/// let result = format!(r#"{{"type":"image","mimeType":"image/png","data":"{image}"}}"#);
/// let summary = summarize(&result, &PayloadLimits::default());
/// assert!(summary.starts_with(r#"{"type":"image","mimeType":"image/png","data":{"bytes":6000,"#));
/// ```
#[must_use]
pub fn summarize<'a>(json: &'a str, limits: &PayloadLimits) -> Cow<'a, str> {
    let limits = Limits::new(limits);
    if json.len() <= limits.most_kept() {
        return Cow::Borrowed(json);
    }
    let mut summary = Summary {
        json,
        limits,
        text: String::new(),
        copied: 0,
    };
    summary.read();
    summary.finish()
}

struct Limits {
    /// Longer Base64 is replaced.
    binary: usize,
    /// Longer text is cut here and replaced.
    text: usize,
}

impl Limits {
    fn new(limits: &PayloadLimits) -> Self {
        // A character has up to four bytes.
        let kept = limits.string_chars.saturating_mul(4);
        Self {
            binary: limits.string_chars,
            text: kept.saturating_add(LOOKAHEAD),
        }
    }

    fn most_kept(&self) -> usize {
        std::cmp::min(self.binary, self.text)
    }
}

struct Summary<'a> {
    json: &'a str,
    limits: Limits,
    /// What was written so far.
    text: String,
    /// Up to where `json` is in it.
    copied: usize,
}

impl<'a> Summary<'a> {
    fn read(&mut self) {
        let bytes = self.json.as_bytes();
        let mut key = "";
        let mut at = 0;
        while let Some(begin) = position(bytes, at, |byte| byte == b'"') {
            let Some(end) = end_of_string(bytes, begin) else {
                return self.break_off(begin);
            };
            let next = position(bytes, end, |byte| !byte.is_ascii_whitespace());
            let string = &self.json[begin..end];
            if next.is_some_and(|next| bytes[next] == b':') {
                key = string;
            } else if string.len() > self.limits.most_kept() {
                self.replace(key, (begin, end));
            }
            at = end;
        }
    }

    /// Summarizes the string that stands here, if it is too long.
    fn replace(&mut self, key: &str, (begin, end): (usize, usize)) {
        let Some(text) = json::text(&self.json[begin..end]) else {
            return;
        };
        if matches!(key, r#""data""# | r#""blob""#)
            && let Some(fingerprint) = Fingerprint::of_base64(&text)
        {
            self.put((begin, end), None, &fingerprint);
        } else if text.len() > self.limits.text {
            let beginning = cut(&text, self.limits.text);
            self.put(
                (begin, end),
                Some(beginning),
                &Fingerprint::of(text.as_bytes()),
            );
        }
    }

    /// Keeps the beginning of a string whose end is not here. A payload would keep nothing of it.
    fn break_off(&mut self, begin: usize) {
        let rest = &self.json[begin..];
        if rest.len() <= self.limits.text {
            return;
        }
        // The cut may be in the middle of an escape, the longest of which is a pair of surrogates.
        let text = (0..12).find_map(|less| {
            let beginning = cut(rest, self.limits.text - less);
            let string = format!("{beginning}\"");
            let text = json::text(&string)?;
            // Half a pair is not what its sender wrote.
            (!text.ends_with('\u{fffd}')).then(|| text.into_owned())
        });
        if let Some(text) = text {
            self.text.push_str(&self.json[self.copied..begin]);
            let text = serde_json::Value::from(text);
            self.text.push_str(&format!(r#"{{"beginning":{text}}}"#));
            self.copied = self.json.len();
        }
    }

    fn put(&mut self, (begin, end): (usize, usize), beginning: Option<&str>, of: &Fingerprint) {
        self.text.push_str(&self.json[self.copied..begin]);
        self.text.push('{');
        if let Some(beginning) = beginning {
            let beginning = serde_json::Value::from(beginning);
            self.text.push_str(&format!(r#""beginning":{beginning},"#));
        }
        let Fingerprint { bytes, sha256 } = of;
        self.text
            .push_str(&format!(r#""bytes":{bytes},"sha256":"{sha256}"}}"#));
        self.copied = end;
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.copied == 0 {
            return Cow::Borrowed(self.json);
        }
        self.text.push_str(&self.json[self.copied..]);
        Cow::Owned(self.text)
    }
}

/// Where the first such byte is from here on.
fn position(bytes: &[u8], from: usize, is: impl Fn(u8) -> bool) -> Option<usize> {
    let found = bytes.get(from..)?.iter().position(|byte| is(*byte))?;
    Some(from + found)
}

/// Behind the quote that ends the string that begins here.
fn end_of_string(bytes: &[u8], begin: usize) -> Option<usize> {
    let mut at = begin + 1;
    loop {
        let found = position(bytes, at, |byte| matches!(byte, b'"' | b'\\'))?;
        if bytes[found] == b'"' {
            return Some(found + 1);
        }
        // What is escaped is no end.
        at = found + 2;
    }
}

/// The beginning of a text, of at most so many bytes.
fn cut(text: &str, bytes: usize) -> &str {
    let is_boundary = |end: &usize| text.is_char_boundary(*end);
    let end = (0..=bytes).rev().find(is_boundary);
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(value: &Value) -> Value {
        let text = value.to_string();
        let summary = summarize(&text, &PayloadLimits::default());
        serde_json::from_str(&summary).expect("a summary is JSON")
    }

    #[test]
    fn what_is_small_stays() {
        let small = json!({ "content": [
            { "type": "text", "text": "21 degrees" },
            { "type": "image", "mimeType": "image/png", "data": "iVBORw0K" },
        ], "isError": false });
        let text = small.to_string();
        assert!(matches!(
            summarize(&text, &PayloadLimits::default()),
            Cow::Borrowed(_)
        ));
        // Many small ones are no big one.
        let many = Value::Array(vec![small; 100]);
        assert_eq!(of(&many), many);
    }

    #[test]
    fn binary_content_is_known_by_its_bytes() {
        let data = "Zm9v".repeat(1000);
        let of_bytes = Fingerprint::of("foo".repeat(1000).as_bytes());
        let expected = json!({ "bytes": 3000, "sha256": of_bytes.sha256 });
        for key in ["data", "blob"] {
            let item = json!({ "type": "x", key: data, "mimeType": "m", "uri": "file:///a" });
            let summary = of(&item);
            assert_eq!(summary[key], expected);
            assert_eq!(summary["mimeType"], "m");
            assert_eq!(summary["uri"], "file:///a");
        }
        // An escaped slash is a slash.
        let slashes = format!(r#"{{"data":"{}"}}"#, r"ab\/c".repeat(500));
        let summary = summarize(&slashes, &PayloadLimits::default());
        assert!(
            summary.starts_with(r#"{"data":{"bytes":1500,"#),
            "{summary}"
        );
    }

    #[test]
    fn a_long_text_keeps_its_beginning_and_its_digest() {
        let text = "größe \"x\"\n".repeat(300_000);
        let summary = of(&json!({ "content": [{ "type": "text", "text": text }] }));
        let text_of = &summary["content"][0]["text"];
        assert_eq!(text_of["bytes"], text.len());
        assert_eq!(text_of["sha256"], Fingerprint::of(text.as_bytes()).sha256);
        let beginning = text_of["beginning"].as_str().unwrap();
        assert!(text.starts_with(beginning));
        assert!(
            (10_000..11_000).contains(&beginning.len()),
            "{}",
            beginning.len()
        );
        assert_eq!(summary["content"][0]["type"], "text");
    }

    #[test]
    fn a_text_that_is_no_base64_is_a_text_under_any_key() {
        let text = "a b".repeat(10_000);
        let summary = of(&json!({ "data": text }));
        assert!(summary["data"]["beginning"].is_string());
        // The other way round, Base64 under another key is a text.
        let summary = of(&json!({ "text": "Zm9v".repeat(10_000) }));
        assert_eq!(summary["text"]["bytes"], 40_000);
    }

    #[test]
    fn keys_and_other_values_are_not_touched() {
        let key = "k".repeat(20_000);
        let value = json!({ key: [1, 2.5, true, null, { "data": "short" }] });
        assert_eq!(of(&value), value);
        let spaced = format!(
            "{{ \"data\"\n: \"{}\" , \"b\" :\t[ ] }}",
            "Zm9v".repeat(1000)
        );
        let summary = summarize(&spaced, &PayloadLimits::default());
        assert!(
            summary.starts_with("{ \"data\"\n: {\"bytes\":3000,"),
            "{summary}"
        );
        assert!(summary.ends_with("} , \"b\" :\t[ ] }"), "{summary}");
    }

    #[test]
    fn json_that_breaks_off_is_taken_as_far_as_it_goes() {
        let broken = format!(
            r#"{{"data":"{}","text":"{}"#,
            "Zm9v".repeat(1000),
            "x".repeat(20_000)
        );
        let summary = summarize(&broken, &PayloadLimits::default());
        assert!(summary.starts_with(r#"{"data":{"bytes":3000,"#));
        assert!(summary.ends_with("xxx\"}"), "{summary}");
        // The cut is never in the middle of a character.
        for odd in ["x\\ud83d\\ude00", "xé", "\\n", "\\\\\\\""] {
            for padding in 0..12 {
                let text = format!("{}{}", "y".repeat(padding), odd.repeat(10_000));
                let broken = format!(r#"["{text}"#);
                let summary = summarize(&broken, &PayloadLimits::default());
                let whole = format!("{summary}]");
                let kept: Value = serde_json::from_str(&whole).expect("only the end is missing");
                let expected: Value =
                    serde_json::from_str(&format!(r#""{text}""#)).expect("a text");
                let beginning = kept[0]["beginning"]
                    .as_str()
                    .expect("the beginning is kept");
                assert!(expected.as_str().expect("a text").starts_with(beginning));
                assert!(beginning.len() > 2000, "{}", beginning.len());
            }
        }
        for odd in ["\"", "\"\\", "\\\"", "", "{\"a\":\"\\"] {
            let long = format!("{}{odd}", " ".repeat(20_000));
            assert_eq!(summarize(&long, &PayloadLimits::default()), long);
        }
    }
}

//! Finds messages in JSON that is too long to be held, or that is no JSON for a strict parser.
//!
//! The text comes in pieces of any size and is not kept: of each object at the top, or in an array
//! at the top, the members that make it a message are, and of what it carries the beginning. The
//! memory is bounded whatever comes; nothing is checked but quotes and brackets, so what a lenient
//! parser may take for a message is found here, too.

mod found;

use std::borrow::Cow;

pub(crate) use found::{Carried, Found};

use crate::json;

/// The longest key that is looked at.
const KEY_BYTES: usize = 128;
/// The longest id and method that are read to their end.
const WORD_BYTES: usize = 4096;
/// Members of what a message carries that say more of it than its beginning does.
const INNER: [&str; 8] = [
    "_meta",
    "clientInfo",
    "code",
    "error",
    "isError",
    "name",
    "protocolVersion",
    "requestId",
];

/// Looks through JSON piece by piece.
#[derive(Debug)]
pub(crate) struct Scanner {
    /// How much of what a message carries is kept.
    keep: usize,
    depth: usize,
    /// At which depth messages stand: 1 in an array.
    base: usize,
    is_string: bool,
    is_escaped: bool,
    /// The members of the message, and those of what it carries.
    outer: Member,
    inner: Member,
    found: Option<Found>,
}

/// The member that is being read, at one depth.
#[derive(Debug, Default)]
struct Member {
    key: Vec<u8>,
    value: Vec<u8>,
    bytes: u64,
    is_value: bool,
    most: usize,
    /// Of the outer member: what its own members tell.
    telling: String,
}

impl Member {
    fn clear(&mut self) {
        *self = Self::default();
    }

    fn take(&mut self, piece: &[u8]) {
        if self.is_value {
            // White space before a value is none of it.
            let piece = match self.bytes {
                0 => piece.trim_ascii_start(),
                _ => piece,
            };
            self.bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
            push(&mut self.value, piece, self.most);
        }
    }

    fn key(&self) -> String {
        let raw = String::from_utf8_lossy(&self.key);
        json::text(raw.trim()).map_or_else(String::new, Cow::into_owned)
    }

    fn is_whole(&self) -> bool {
        u64::try_from(self.value.len()) == Ok(self.bytes)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.value)
            .trim_ascii_end()
            .to_owned()
    }
}

fn push(into: &mut Vec<u8>, piece: &[u8], most: usize) {
    let room = most.saturating_sub(into.len());
    into.extend_from_slice(&piece[..std::cmp::min(room, piece.len())]);
}

impl Scanner {
    pub(crate) fn new(keep: usize) -> Self {
        Self {
            keep,
            depth: 0,
            base: 0,
            is_string: false,
            is_escaped: false,
            outer: Member::default(),
            inner: Member::default(),
            found: None,
        }
    }

    /// Looks at a piece, as far as the bracket that ends a message: how many bytes that were, and
    /// the message.
    pub(crate) fn feed(&mut self, piece: &[u8]) -> (usize, Option<Found>) {
        let mut at = 0;
        while at < piece.len() {
            if self.is_string {
                at += self.string(&piece[at..]);
                continue;
            }
            let byte = piece[at];
            at += 1;
            if let Some(found) = self.step(byte) {
                return (at, Some(found));
            }
        }
        (at, None)
    }

    /// Whether an answer is going by, of which nothing has to be known before it is passed on.
    pub(crate) fn is_in_answer(&self) -> bool {
        let Some(found) = &self.found else {
            return false;
        };
        let is_answer = |key: &str| matches!(key, "result" | "error");
        let is_begun = self.outer.is_value && is_answer(&self.outer.key());
        self.base == 0
            && found.method.is_none()
            && (is_begun || found.result.is_some() || found.error.is_some())
    }

    /// The part of the piece that belongs to the string, with its closing quote.
    fn string(&mut self, piece: &[u8]) -> usize {
        let mut at = 0;
        while at < piece.len() {
            if self.is_escaped {
                self.is_escaped = false;
                at += 1;
                continue;
            }
            let rest = &piece[at..];
            let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            let Some(end) = end else {
                at = piece.len();
                break;
            };
            at += end + 1;
            if rest[end] == b'"' {
                self.is_string = false;
                break;
            }
            self.is_escaped = true;
        }
        self.content(&piece[..at], self.depth);
        at
    }

    fn step(&mut self, byte: u8) -> Option<Found> {
        match byte {
            b'{' | b'[' => self.open(byte),
            b'}' | b']' => return self.close(byte),
            b':' | b',' if self.is_of_a_member() => self.punctuation(byte),
            _ => {
                self.is_string = byte == b'"';
                self.content(&[byte], self.depth);
            }
        }
        None
    }

    fn is_of_a_member(&self) -> bool {
        self.found.is_some() && matches!(self.depth - self.base, 1 | 2)
    }

    fn open(&mut self, byte: u8) {
        if self.depth == 0 && byte == b'[' {
            self.base = 1;
        } else if self.depth == self.base && byte == b'{' {
            self.found = Some(Found {
                is_in_array: self.base == 1,
                ..Found::default()
            });
            self.outer.clear();
        } else {
            self.content(&[byte], self.depth);
            if self.depth == self.base + 1 {
                self.inner.clear();
            }
        }
        self.depth += 1;
    }

    fn close(&mut self, byte: u8) -> Option<Found> {
        match self.depth.checked_sub(self.base) {
            Some(1) => self.end_outer(),
            Some(2) => self.end_inner(),
            _ => {}
        }
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 && self.base == 1 {
            self.base = 0;
            return None;
        }
        if self.depth == self.base {
            return self.found.take();
        }
        self.content(&[byte], self.depth);
        None
    }

    fn punctuation(&mut self, byte: u8) {
        let is_outer = self.depth == self.base + 1;
        if !is_outer {
            self.outer.take(&[byte]);
        }
        if byte == b',' {
            if is_outer {
                self.end_outer();
            } else {
                self.end_inner();
            }
            return;
        }
        let keep = self.keep;
        let member = if is_outer {
            &mut self.outer
        } else {
            &mut self.inner
        };
        if member.is_value {
            return;
        }
        member.is_value = true;
        let key = member.key();
        let word = if is_outer {
            key.to_ascii_lowercase()
        } else {
            key
        };
        member.most = match (is_outer, word.as_str()) {
            (true, "params" | "result" | "error") => keep,
            (true, "id" | "method") => WORD_BYTES,
            (false, key) if INNER.contains(&key) => WORD_BYTES,
            _ => 0,
        };
    }

    /// Text that belongs to whatever is being read down to this depth.
    fn content(&mut self, piece: &[u8], depth: usize) {
        if self.found.is_none() {
            return;
        }
        let depth = depth - self.base;
        if depth >= 1 {
            self.outer.take(piece);
        }
        if depth >= 2 {
            self.inner.take(piece);
        }
        let member = match depth {
            1 => &mut self.outer,
            2 => &mut self.inner,
            _ => return,
        };
        if !member.is_value {
            push(&mut member.key, piece, KEY_BYTES);
        }
    }

    fn end_outer(&mut self) {
        let Some(found) = &mut self.found else { return };
        if self.outer.is_value {
            let key = self.outer.key();
            let value = || Some(self.outer.text());
            let carried = || {
                Some(Carried {
                    beginning: self.outer.text(),
                    bytes: self.outer.bytes,
                    telling: format!("{{{}}}", self.outer.telling),
                })
            };
            match key.as_str() {
                "id" => found.id = value(),
                "method" => found.method = value(),
                "params" => found.params = carried(),
                "result" => found.result = carried(),
                "error" => found.error = carried(),
                _ => found.take_alike(&key, value, carried),
            }
        }
        self.outer.clear();
    }

    fn end_inner(&mut self) {
        let is_told = self.inner.is_value && self.inner.most > 0 && self.inner.is_whole();
        let value = self.inner.text();
        if is_told && json::is_json(&value) {
            let comma = if self.outer.telling.is_empty() {
                ""
            } else {
                ","
            };
            let member = format!("{comma}\"{}\":{value}", self.inner.key());
            // The same key again and again is not collected for ever.
            if self.outer.telling.len() + member.len() <= INNER.len() * 2 * WORD_BYTES {
                self.outer.telling.push_str(&member);
            }
        }
        self.inner.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::{Answer, MessageId};

    /// All messages of a text that comes in pieces of this size.
    fn found(text: &[u8], size: usize) -> Vec<Found> {
        let mut scanner = Scanner::new(64);
        let mut all = Vec::new();
        for piece in text.chunks(size) {
            let mut rest = piece;
            while !rest.is_empty() {
                let (n_bytes, found) = scanner.feed(rest);
                rest = &rest[n_bytes..];
                all.extend(found);
            }
        }
        all
    }

    fn only(text: &str) -> Found {
        let mut all = found(text.as_bytes(), usize::MAX);
        assert_eq!(all.len(), 1, "{text}: {all:?}");
        all.remove(0)
    }

    #[test]
    fn a_message_is_found_with_all_that_tells_of_it() {
        let found = only(
            r#"{ "params" : {"arguments":{"name":"b"}, "name" : "a" ,"_meta":{"x":[1]}} ,
               "method":"tools\/call", "id" : 7 , "jsonrpc":"2.0"}"#,
        );
        assert_eq!(found.method().as_deref(), Some("tools/call"));
        assert_eq!(found.id(), Some(MessageId::number(7)));
        let params = found.params().expect("it has some");
        assert_eq!(params.telling, r#"{"name":"a","_meta":{"x":[1]}}"#);
        assert!(params.beginning.starts_with(r#"{"arguments":{"name":"b"}"#));
        assert!(found.is_plain());
    }

    #[test]
    fn an_answer_is_found_however_long_it_is() {
        let text = format!(
            r#"{{"result":{{"content":["{}"],"isError":true}},"id":"a"}}"#,
            "}\\\"{".repeat(10_000)
        );
        let found = only(&text);
        let (answer, carried) = found.answer().expect("it is an answer");
        assert_eq!(answer, Answer::Result(r#"{"isError":true}"#));
        assert_eq!(carried.beginning.len(), 64);
        assert_eq!(
            carried.bytes,
            text.len() as u64 - r#"{"result":,"id":"a"}"#.len() as u64
        );
        let failed = only(r#"{"id":1,"error":{"code":-5,"data":"x"},"result":null}"#);
        let (answer, _) = failed.answer().expect("it is an answer");
        assert!(matches!(answer, Answer::Error { code: Some(-5), .. }));
    }

    #[test]
    fn a_key_in_another_case_hides_no_call() {
        let odd = only(r#"{"ID":1,"Method":"a","PARAMS":{"name":"b"}}"#);
        assert_eq!(
            (odd.raw_id(), odd.method().as_deref()),
            (Some("1"), Some("a"))
        );
        assert!(
            odd.params()
                .is_some_and(|it| it.telling == r#"{"name":"b"}"#)
        );
        assert!(!odd.is_plain());
        let exact = only(r#"{"Method":"x","id":1,"method":"a","METHOD":"y"}"#);
        assert_eq!(exact.method().as_deref(), Some("a"));
    }

    #[test]
    fn what_is_inside_of_a_message_is_no_message() {
        let outer = only(
            r#"{"id":1,"method":"a","params":{"x":{"id":2,"method":"b"}},"y":[{"id":3,"method":"c"}]}"#,
        );
        assert_eq!(outer.raw_id(), Some("1"));
        assert!(found(br#"[[{"id":1,"method":"a"}]]"#, 9).is_empty());
    }

    #[test]
    fn the_elements_of_an_array_are_messages() {
        let all = found(
            br#" [{"id":1,"method":"a"}, 5, {"id":2,"result":[{}]}] {"id":3,"method":"b"}"#,
            3,
        );
        let ids: Vec<_> = all.iter().map(|it| (it.raw_id(), it.is_plain())).collect();
        assert_eq!(
            ids,
            [(Some("1"), false), (Some("2"), false), (Some("3"), true)]
        );
    }

    #[test]
    fn an_answer_is_known_before_it_is_complete() {
        let is_answer = |text: &str| {
            let mut scanner = Scanner::new(0);
            assert_eq!(scanner.feed(text.as_bytes()), (text.len(), None), "{text}");
            scanner.is_in_answer()
        };
        assert!(is_answer(r#"{"jsonrpc":"2.0","id":1,"result":{"a"#));
        assert!(is_answer(r#"{"error":{},"id""#));
        for other in [
            "",
            r#"{"id":1,"result""#,
            r#"{"id":1,"method":"a","result":{"#,
            r#"{"id":1,"params":{"result":{"#,
            r#"[{"id":1,"result":{"#,
        ] {
            assert!(!is_answer(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn the_size_of_the_pieces_makes_no_difference(
            text in prop_oneof![
                "[ \\[\\]{},:\"\\\\a-c0-9]{0,80}",
                r#"(\{"(id|method|params|result|error)":("a\\?"|\{"name":1\}|[1-3])(,"(id|method|params)":("b"|\[\]|4))?\}[,\] ]?){0,4}"#,
            ],
            size in 1_usize..9,
        ) {
            let (whole, pieces) = (found(text.as_bytes(), usize::MAX), found(text.as_bytes(), size));
            prop_assert_eq!(whole, pieces);
        }
    }
}

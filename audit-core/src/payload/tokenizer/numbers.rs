//! Numbers of JSON.

use super::{Ending, Step, Tokenizer};
use crate::payload::tape::Tape;

impl Tokenizer<'_> {
    pub(super) fn number(&mut self, tape: &mut Tape<'_>) -> Step {
        let rest = &self.input[self.pos..];
        let n = rest
            .iter()
            .take_while(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        // Inside a container something follows each number.
        if n == rest.len() && (self.may_go_on || tape.depth() > self.floor) {
            self.pos = self.input.len();
            return Err(Ending::Cut);
        }
        let digits = &rest[..n];
        if !is_number(digits) {
            return Err(Ending::Malformed);
        }
        let text = tape.arena.len();
        let kept = std::cmp::min(n, tape.bounds().string_window);
        match self.utf8.text_from(self.pos).get(..kept) {
            Some(digits) => tape.arena.push_str(digits),
            None => tape
                .arena
                .extend(digits[..kept].iter().copied().map(char::from)),
        }
        let start = self.base + self.pos;
        self.pos += n;
        tape.number(text, (start, self.base + self.pos), kept == n);
        Ok(())
    }
}

/// The grammar of RFC 8259.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let rest = text.strip_prefix(b"-").unwrap_or(text);
    let n = digits(rest);
    if n == 0 || n > 1 && rest[0] == b'0' {
        return false;
    }
    let mut rest = &rest[n..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let n = digits(fraction);
        if n == 0 {
            return false;
        }
        rest = &fraction[n..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', rest @ ..] => rest,
            other => other,
        };
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

//! Strings of JSON, as the texts that they spell.

use super::{Ending, Step, Tokenizer};
use crate::payload::encodings::{plain_run, utf16_escape};
use crate::payload::tape::{Spelling, Tape};

impl Tokenizer<'_> {
    /// Puts the text of the string that begins here on the page, at most `window` characters, and
    /// goes to its end. True if all of it is on the page.
    pub(super) fn text(&mut self, tape: &mut Tape<'_>, window: usize) -> Step<bool> {
        self.pos += 1;
        self.spelling = Spelling::Other;
        let start = tape.arena.len();
        if let Some(spelling) = self.short_text(tape, window) {
            self.spelling = spelling;
            return Ok(true);
        }
        tape.arena.truncate(start);
        self.any_text(tape, window)
    }

    /// Puts a text on the page that ends within `window` and holds nothing that is replaced or
    /// spelled in hexadecimal: most of them.
    fn short_text(&mut self, tape: &mut Tape<'_>, window: usize) -> Option<Spelling> {
        let text = self.utf8.text_from(self.pos);
        // As bytes are no fewer than characters, nothing is cut.
        let reach = std::cmp::min(text.len(), window.saturating_add(1));
        let seen = &text.as_bytes()[..reach];
        let mut from = 0;
        let mut spelling = Spelling::Plain;
        loop {
            let to = from + plain_run(&seen[from..]);
            let sign = *seen.get(to)?;
            tape.arena.push_str(text.get(from..to)?);
            from = to + 1;
            match sign {
                b'"' => break,
                b'\\' => {
                    let sign = *seen.get(from)?;
                    tape.arena.push(short_escape(sign)?);
                    from += 1;
                    if sign == b'/' {
                        spelling = Spelling::Other;
                    } else if spelling == Spelling::Plain {
                        spelling = Spelling::Canonical;
                    }
                }
                _ => return None,
            }
        }
        self.pos += from;
        Some(spelling)
    }

    /// Puts any text on the page.
    #[inline(never)]
    fn any_text(&mut self, tape: &mut Tape<'_>, window: usize) -> Step<bool> {
        let mut room = window;
        loop {
            let rest = &self.input[self.pos..];
            let Some(n) = memchr::memchr2(b'"', b'\\', rest) else {
                push_bytes(tape, rest, room, true);
                self.pos = self.input.len();
                return Err(Ending::Cut);
            };
            let Some(left) = push_bytes(tape, &rest[..n], room, false) else {
                self.pos += n;
                return self.skip_text().map(|()| false);
            };
            room = left;
            self.pos += n;
            if rest[n] == b'"' {
                self.pos += 1;
                return Ok(true);
            }
            let (c, n) = match self.escape() {
                Err(Ending::Cut) => {
                    self.pos = self.input.len();
                    return Err(Ending::Cut);
                }
                escape => escape?,
            };
            if room == 0 {
                return self.skip_text().map(|()| false);
            }
            let is_spelled = self.input[self.pos..self.pos + n].eq_ignore_ascii_case(b"\\ufffd");
            tape.replaced += u32::from(c == char::REPLACEMENT_CHARACTER && !is_spelled);
            tape.arena.push(c);
            room -= 1;
            self.pos += n;
        }
    }

    /// The character of the escape here, and how long it is.
    fn escape(&self) -> Step<(char, usize)> {
        let rest = &self.input[self.pos..];
        let c = match rest.get(1) {
            None => return Err(Ending::Cut),
            Some(b'u') => {
                let digits = rest[2..]
                    .iter()
                    .take(4)
                    .take_while(|b| b.is_ascii_hexdigit())
                    .count();
                // Half of a pair at the end: what it would have been is unknown.
                let is_high = digits == 4
                    && matches!(
                        rest[2..4],
                        [b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B']
                    );
                if rest.len() < 6 && digits == rest.len() - 2
                    || is_high && rest.len() < 12 && is_escape_begun(&rest[6..])
                {
                    return Err(Ending::Cut);
                }
                return utf16_escape(rest, 0).ok_or(Ending::Malformed);
            }
            Some(&sign) => short_escape(sign).ok_or(Ending::Malformed)?,
        };
        Ok((c, 2))
    }

    /// Goes to the end of the string around here.
    pub(super) fn skip_text(&mut self) -> Step {
        loop {
            let Some(n) = memchr::memchr2(b'"', b'\\', &self.input[self.pos..]) else {
                self.pos = self.input.len();
                return Err(Ending::Cut);
            };
            self.pos += n;
            if self.input[self.pos] == b'"' {
                self.pos += 1;
                return Ok(());
            }
            self.pos = std::cmp::min(self.pos + 2, self.input.len());
        }
    }
}

/// The character that a backslash and `sign` stand for.
fn short_escape(sign: u8) -> Option<char> {
    Some(match sign {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}

/// `rest` may be the beginning of a low surrogate's escape.
fn is_escape_begun(rest: &[u8]) -> bool {
    match rest {
        [] | [b'\\'] => true,
        [b'\\', b'u', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        _ => false,
    }
}

/// Puts `bytes` on the page, replacing what no store takes; the room that is left, or none if it
/// did not suffice. At the end of the input half a character is no error but a cut.
fn push_bytes(tape: &mut Tape<'_>, bytes: &[u8], room: usize, is_end: bool) -> Option<usize> {
    if bytes.len() <= room
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return push_text(tape, text, room);
    }
    // A character has at most four bytes: further ones cannot fit.
    let reach = std::cmp::min(bytes.len(), room.saturating_mul(4).saturating_add(4));
    let mut room = room;
    let mut chunks = bytes[..reach].utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        room = push_text(tape, chunk.valid(), room)?;
        let invalid = chunk.invalid();
        if invalid.is_empty() {
            continue;
        }
        let is_last = chunks.peek().is_none();
        let may_go_on = std::str::from_utf8(invalid).is_err_and(|e| e.error_len().is_none());
        if is_last && may_go_on && (is_end || reach < bytes.len()) {
            break;
        }
        room = room.checked_sub(1)?;
        tape.arena.push(char::REPLACEMENT_CHARACTER);
        tape.replaced += 1;
    }
    (reach == bytes.len()).then_some(room)
}

/// Puts `text` on the page, U+0000 replaced; the room that is left, or none if it did not suffice.
pub(in crate::payload) fn push_text(tape: &mut Tape<'_>, text: &str, room: usize) -> Option<usize> {
    let mut kept = text;
    let mut left = room.checked_sub(text.len());
    if left.is_none() || !text.is_ascii() {
        let mut chars = text.char_indices();
        let n = chars.by_ref().take(room).count();
        let cut = chars.next();
        kept = cut.map_or(text, |(i, _)| &text[..i]);
        left = cut.is_none().then(|| room - n);
    }
    if memchr::memchr(0, kept.as_bytes()).is_none() {
        tape.arena.push_str(kept);
    } else {
        for c in kept.chars() {
            tape.replaced += u32::from(c == '\0');
            tape.arena.push(if c == '\0' {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            });
        }
    }
    left
}

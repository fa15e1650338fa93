//! JSON, read from bytes as far as the budgets go.

use super::encodings::{plain_run, utf16_escape};
use super::node::Kind;
use super::tape::{Admission, Tape};

/// Deeper than this nothing is even passed over.
pub(super) const MAX_DEPTH: usize = 128;

/// How reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The input ended in the middle, or what is looked at did.
    Cut,
    /// One whole value and nothing after it.
    Finished,
    /// This is no JSON.
    Malformed,
    /// There was room for no more.
    Stopped,
}

/// Reads one value from `input`, at most to `limit`.
#[derive(Debug)]
pub(super) struct Tokenizer<'i> {
    input: &'i [u8],
    /// The input may go on: a number at its end could be any other.
    may_go_on: bool,
    pos: usize,
    /// What is added to each position: where the input stands in a larger one.
    base: usize,
    /// Containers of the tape that others opened.
    floor: usize,
    /// The last text stood in the input as it stands on the page.
    was_plain: bool,
}

type Step<T = ()> = Result<T, Ending>;

impl<'i> Tokenizer<'i> {
    pub(super) fn new(input: &'i [u8], limit: usize) -> Self {
        Self {
            input: &input[..std::cmp::min(input.len(), limit)],
            may_go_on: input.len() >= limit,
            pos: 0,
            base: 0,
            floor: 0,
            was_plain: false,
        }
    }

    /// The input begins at `base` of what is being read.
    pub(super) fn at(mut self, base: usize) -> Self {
        self.base = base;
        self
    }

    /// How far reading went.
    pub(super) fn position(&self) -> usize {
        self.pos
    }

    /// Reads the value onto `tape`.
    pub(super) fn run(&mut self, tape: &mut Tape<'_>) -> Ending {
        if self.input.starts_with(b"\xef\xbb\xbf") {
            self.pos = 3;
        }
        if tape.admit() != Admission::Enter {
            return Ending::Stopped;
        }
        match self.read(tape) {
            Err(ending) => ending,
            Ok(()) => {
                self.skip_space();
                if self.pos == self.input.len() {
                    Ending::Finished
                } else {
                    Ending::Malformed
                }
            }
        }
    }

    /// Reads one value and all that is in it.
    pub(super) fn read(&mut self, tape: &mut Tape<'_>) -> Step {
        self.floor = tape.depth();
        self.value(tape)?;
        while tape.depth() > self.floor {
            let is_object = tape.in_object() == Some(true);
            let close = if is_object { b'}' } else { b']' };
            let is_first = self.pos_after_open();
            let mut next = self.next()?;
            if next == close {
                self.pos += 1;
                tape.close(self.base + self.pos);
                continue;
            }
            if !is_first {
                if next != b',' {
                    return Err(Ending::Malformed);
                }
                self.pos += 1;
                next = self.next()?;
                if next == close {
                    return Err(Ending::Malformed);
                }
            }
            match tape.admit() {
                Admission::Enter | Admission::Skip => {}
                Admission::Stop => return Err(Ending::Stopped),
                Admission::Over => {
                    self.skip_container()?;
                    tape.close(self.base + self.pos);
                    continue;
                }
            }
            if is_object {
                if next != b'"' {
                    return Err(Ending::Malformed);
                }
                self.key(tape)?;
            }
            self.value(tape)?;
        }
        Ok(())
    }

    /// Nothing but space stands between here and an opening bracket.
    fn pos_after_open(&self) -> bool {
        let before = self.input[..self.pos].trim_ascii_end();
        matches!(before.last(), Some(b'{' | b'['))
    }

    fn value(&mut self, tape: &mut Tape<'_>) -> Step {
        let first = self.next()?;
        let start = self.pos;
        match first {
            b'"' => self.string(tape),
            b'{' | b'[' => {
                self.pos += 1;
                match tape.open(first == b'{', self.base + start) {
                    Admission::Enter | Admission::Over => Ok(()),
                    Admission::Stop => Err(Ending::Stopped),
                    Admission::Skip => {
                        let skipped = self.skip_container();
                        tape.skipped(self.base + self.pos, skipped.is_ok());
                        skipped
                    }
                }
            }
            b't' => self.word(tape, b"true", Kind::True),
            b'f' => self.word(tape, b"false", Kind::False),
            b'n' => self.word(tape, b"null", Kind::Null),
            b'-' | b'0'..=b'9' => self.number(tape),
            _ => Err(Ending::Malformed),
        }
    }

    fn key(&mut self, tape: &mut Tape<'_>) -> Step {
        let start = self.pos;
        let text = tape.arena.len();
        let window = tape.bounds().key_window;
        let whole = match self.text(tape, window) {
            Ok(whole) => whole,
            Err(ending) => {
                // A key without its value says nothing.
                tape.arena.truncate(text);
                return Err(ending);
            }
        };
        tape.key(text, (self.base + start, self.base + self.pos), whole);
        if self.was_plain {
            tape.plain();
        }
        if self.next()? != b':' {
            return Err(Ending::Malformed);
        }
        self.pos += 1;
        Ok(())
    }

    fn string(&mut self, tape: &mut Tape<'_>) -> Step {
        let start = self.pos;
        let text = tape.arena.len();
        let window = tape.bounds().string_window;
        let whole = self.text(tape, window);
        if whole == Err(Ending::Malformed) {
            return Err(Ending::Malformed);
        }
        let raw = (self.base + start, self.base + self.pos);
        tape.string(text, raw, whole == Ok(true));
        if whole.is_err() {
            tape.unended();
        } else if self.was_plain {
            tape.plain();
        }
        whole.map(|_| ())
    }

    /// Puts the text of the string that begins here on the page, at most `window` characters, and
    /// goes to its end. True if all of it is on the page.
    fn text(&mut self, tape: &mut Tape<'_>, window: usize) -> Step<bool> {
        self.pos += 1;
        self.was_plain = false;
        let mut room = window;
        // Most strings are plain, and then there is no more to do than to copy them.
        let plain = plain_run(&self.input[self.pos..], false);
        if self.input.get(self.pos + plain) == Some(&b'"')
            && plain <= room
            && let Ok(text) = std::str::from_utf8(&self.input[self.pos..self.pos + plain])
        {
            tape.arena.push_str(text);
            self.pos += plain + 1;
            self.was_plain = true;
            return Ok(true);
        }
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
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
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
            Some(_) => return Err(Ending::Malformed),
        };
        Ok((c, 2))
    }

    /// Goes to the end of the string around here.
    fn skip_text(&mut self) -> Step {
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

    /// Goes to the end of the container around here.
    fn skip_container(&mut self) -> Step {
        let mut depth = 1;
        while let Some(&b) = self.input.get(self.pos) {
            self.pos += 1;
            match b {
                b'"' => self.skip_text()?,
                b'{' | b'[' => {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return Err(Ending::Stopped);
                    }
                }
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
        Err(Ending::Cut)
    }

    fn word(&mut self, tape: &mut Tape<'_>, word: &[u8], kind: Kind) -> Step {
        let rest = &self.input[self.pos..];
        if !rest.starts_with(word) {
            let was_cut = word.starts_with(rest);
            return Err(if was_cut {
                Ending::Cut
            } else {
                Ending::Malformed
            });
        }
        let start = self.base + self.pos;
        self.pos += word.len();
        tape.word(kind, (start, self.base + self.pos));
        Ok(())
    }

    fn number(&mut self, tape: &mut Tape<'_>) -> Step {
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
        tape.arena
            .extend(digits[..kept].iter().copied().map(char::from));
        let start = self.base + self.pos;
        self.pos += n;
        tape.number(text, (start, self.base + self.pos), kept == n);
        Ok(())
    }

    /// The next byte that is not space.
    fn next(&mut self) -> Step<u8> {
        self.skip_space();
        self.input.get(self.pos).copied().ok_or(Ending::Cut)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.input.get(self.pos) {
            self.pos += 1;
        }
    }
}

/// `rest` may be the beginning of a low surrogate's escape.
fn is_escape_begun(rest: &[u8]) -> bool {
    match rest {
        [] | [b'\\'] => true,
        [b'\\', b'u', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        _ => false,
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
pub(super) fn push_text(tape: &mut Tape<'_>, text: &str, room: usize) -> Option<usize> {
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

//! JSON, read from bytes as far as the budgets go.

mod numbers;
mod strings;
mod utf8;

use super::node::Kind;
use super::tape::{Admission, Spelling, Tape};

pub(super) use strings::push_text;
use utf8::Utf8;

/// Deeper than this nothing is even passed over: a value's own `Serialize` is as deep on the stack.
pub(super) const MAX_DEPTH: usize = 64;

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
    utf8: Utf8<'i>,
    beginning: &'i str,
    /// The input may go on: a number at its end could be any other.
    may_go_on: bool,
    pos: usize,
    /// What is added to each position: where the input stands in a larger one.
    base: usize,
    /// Containers of the tape that others opened.
    floor: usize,
    /// How the last text was spelled.
    spelling: Spelling,
}

type Step<T = ()> = Result<T, Ending>;

impl<'i> Tokenizer<'i> {
    pub(super) fn new(input: &'i [u8], limit: usize) -> Self {
        let seen = &input[..std::cmp::min(input.len(), limit)];
        Self {
            input: seen,
            utf8: Utf8::new(seen),
            beginning: "",
            may_go_on: input.len() >= limit,
            pos: 0,
            base: 0,
            floor: 0,
            spelling: Spelling::Other,
        }
    }

    /// The input begins at `base` of what is being read.
    pub(super) fn at(mut self, base: usize) -> Self {
        self.base = base;
        self
    }

    /// The beginning of the input as text.
    pub(super) fn beginning(&self) -> &'i str {
        self.beginning
    }

    /// How far reading went.
    pub(super) fn position(&self) -> usize {
        self.pos
    }

    /// Reads the value onto `tape`.
    pub(super) fn run(&mut self, tape: &mut Tape<'_>) -> Ending {
        // What goes on the tape stands here, if the input is nothing but that.
        self.beginning = self.utf8.beginning(tape.bounds().input());
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
        loop {
            let mut is_first = self.value(tape)?;
            while tape.depth() > self.floor && !self.item(tape, is_first)? {
                is_first = false;
            }
            if tape.depth() == self.floor {
                return Ok(());
            }
        }
    }

    /// Goes to the value of the next item, or to the end of the container around here if there is
    /// none: false.
    #[inline]
    fn item(&mut self, tape: &mut Tape<'_>, is_first: bool) -> Step<bool> {
        let is_object = tape.in_object() == Some(true);
        let close = if is_object { b'}' } else { b']' };
        let mut next = self.next(tape)?;
        if next == close {
            self.pos += 1;
            tape.close(self.base + self.pos);
            return Ok(false);
        }
        if !is_first {
            if next != b',' {
                return Err(Ending::Malformed);
            }
            self.pos += 1;
            next = self.next(tape)?;
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
                return Ok(false);
            }
        }
        if is_object {
            if next != b'"' {
                return Err(Ending::Malformed);
            }
            self.key(tape)?;
        }
        Ok(true)
    }

    /// Reads a scalar, or enters a container: true if its first item comes next.
    #[inline]
    fn value(&mut self, tape: &mut Tape<'_>) -> Step<bool> {
        let first = self.next(tape)?;
        let start = self.pos;
        match first {
            b'"' => self.string(tape),
            b'{' | b'[' => {
                self.pos += 1;
                return match tape.open(first == b'{', self.base + start) {
                    Admission::Enter | Admission::Over => Ok(true),
                    Admission::Stop => Err(Ending::Stopped),
                    Admission::Skip => {
                        let skipped = self.skip_container();
                        tape.skipped(self.base + self.pos, skipped.is_ok());
                        skipped.map(|()| false)
                    }
                };
            }
            b't' => self.word(tape, b"true", Kind::True),
            b'f' => self.word(tape, b"false", Kind::False),
            b'n' => self.word(tape, b"null", Kind::Null),
            b'-' | b'0'..=b'9' => self.number(tape),
            _ => Err(Ending::Malformed),
        }?;
        Ok(false)
    }

    fn key(&mut self, tape: &mut Tape<'_>) -> Step {
        let start = self.pos;
        if let Some(n) = tape.same_key(&self.input[start + 1..], self.base + start) {
            self.pos += n + 2;
            return self.colon(tape);
        }
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
        let raw = (self.base + start, self.base + self.pos);
        tape.key(text, raw, whole, self.spelling);
        self.colon(tape)
    }

    fn colon(&mut self, tape: &mut Tape<'_>) -> Step {
        if self.next(tape)? != b':' {
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
        tape.string(text, raw, whole == Ok(true), self.spelling);
        if whole.is_err() {
            tape.unended();
        }
        whole.map(|_| ())
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

    /// The next byte that is not space.
    #[inline]
    fn next(&mut self, tape: &mut Tape<'_>) -> Step<u8> {
        match self.input.get(self.pos) {
            Some(&b) if b > b' ' => Ok(b),
            _ => self.next_after_space(tape),
        }
    }

    fn next_after_space(&mut self, tape: &mut Tape<'_>) -> Step<u8> {
        tape.respelled();
        self.skip_space();
        self.input.get(self.pos).copied().ok_or(Ending::Cut)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.input.get(self.pos) {
            self.pos += 1;
        }
    }
}

//! Where a value's JSON stands while it is written: its position, its limit, what is passed over.

use std::fmt::{self, Display, Write as _};

use serde::ser::Serialize;

use super::text::{Purpose, TextWriter};
use super::{Done, Stop};
use crate::payload::cut::ceil;
use crate::payload::escaping::escaped_len;
use crate::payload::node::Kind;
use crate::payload::tape::{Admission, Spelling, Tape};
use crate::payload::tokenizer::{Ending, MAX_DEPTH, Tokenizer, push_text};

#[derive(Debug)]
pub(super) struct Writer<'t, 'p> {
    tape: &'t mut Tape<'p>,
    limit: usize,
    pos: usize,
    /// Containers inside each other that are being passed over.
    skipping: usize,
    /// What is passed over stands on the tape as a closed container.
    is_closed: bool,
    has_key: bool,
    is_unrepresentable: bool,
    stopped: Option<Stop>,
    /// Values inside each other that JSON does not show: `Some` and newtypes.
    wrapped: usize,
    scratch: Vec<u8>,
}

impl<'t, 'p> Writer<'t, 'p> {
    pub(super) fn new(tape: &'t mut Tape<'p>, limit: usize) -> Self {
        Self {
            tape,
            limit,
            pos: 0,
            skipping: 0,
            is_closed: false,
            has_key: false,
            is_unrepresentable: false,
            stopped: None,
            wrapped: 0,
            scratch: Vec::new(),
        }
    }

    /// How it ended if the value says `result`, and how many bytes of JSON that was.
    pub(super) fn finish(self, mut result: Done) -> (Done, usize) {
        // A value may swallow our error and call itself serialized.
        if let Some(stop) = self.stopped {
            result = Err(stop);
        } else if self.is_unrepresentable {
            result = result.and(Err(Stop::Failed));
        }
        if self.is_closed && self.skipping > 0 {
            self.tape.skipped(self.pos, false);
        }
        (result, self.pos)
    }

    fn stop<T>(&mut self, stop: Stop) -> Result<T, Stop> {
        Err(*self.stopped.get_or_insert(stop))
    }

    fn cut<T>(&mut self) -> Result<T, Stop> {
        self.pos = self.limit;
        self.stop(Stop::Ended(Ending::Cut))
    }

    /// Goes on by `n` bytes of JSON that are all needed.
    fn advance(&mut self, n: usize) -> Done {
        if let Some(stop) = self.stopped {
            return Err(stop);
        }
        if n > self.limit - self.pos {
            return self.cut();
        }
        self.pos += n;
        Ok(())
    }

    /// At least one more byte is looked at.
    fn look(&mut self) -> Done {
        if let Some(stop) = self.stopped {
            return Err(stop);
        }
        if self.pos >= self.limit {
            self.cut()
        } else {
            Ok(())
        }
    }

    /// Before a value: a member needs its key.
    fn begin(&mut self) -> Done {
        self.look()?;
        let at_top = self.tape.depth() == 0 && self.skipping == 0;
        if at_top && self.tape.admit() != Admission::Enter {
            return self.stop(Stop::Ended(Ending::Stopped));
        }
        if self.skipping == 0 && self.tape.in_object() == Some(true) && !self.has_key {
            return self.stop(Stop::Failed);
        }
        self.has_key = false;
        Ok(())
    }

    /// Before an item: the comma, and room for it.
    pub(super) fn item(&mut self, is_first: bool) -> Done {
        if !is_first {
            self.advance(1)?;
        }
        self.look()?;
        if self.skipping > 0 {
            return Ok(());
        }
        match self.tape.admit() {
            Admission::Enter | Admission::Skip => Ok(()),
            Admission::Stop => self.stop(Stop::Ended(Ending::Stopped)),
            Admission::Over => {
                self.skipping = 1;
                self.is_closed = false;
                Ok(())
            }
        }
    }

    pub(super) fn word(&mut self, text: &str, kind: Kind) -> Done {
        self.begin()?;
        let start = self.pos;
        self.advance(text.len())?;
        if self.skipping == 0 {
            self.tape.word(kind, (start, self.pos));
        }
        Ok(())
    }

    pub(super) fn number<T: Serialize>(&mut self, number: T) -> Done {
        self.scratch.clear();
        let mut scratch = std::mem::take(&mut self.scratch);
        let written = serde_json::to_writer(&mut scratch, &number);
        let done = match std::str::from_utf8(&scratch) {
            // What serde_json has no digits for, it calls null.
            Ok("null") => self.word("null", Kind::Null),
            Ok(text) if written.is_ok() => self.digits(text),
            _ => self.stop(Stop::Failed),
        };
        self.scratch = scratch;
        done
    }

    fn digits(&mut self, text: &str) -> Done {
        self.begin()?;
        let start = self.pos;
        // As in JSON, a number at the very end could be any other.
        if text.len() >= self.limit - self.pos && self.skipping == 0 {
            return self.cut();
        }
        self.advance(text.len())?;
        if self.skipping > 0 {
            return Ok(());
        }
        let at = self.tape.arena.len();
        let window = self.tape.bounds().string_window;
        let whole = push_text(self.tape, text, window).is_some();
        self.tape.number(at, (start, self.pos), whole);
        Ok(())
    }

    pub(super) fn string(&mut self, text: &str) -> Done {
        self.begin()?;
        let start = self.pos;
        let (visible, fits) = self.visible(text);
        if self.skipping > 0 {
            return if fits {
                self.advance(visible + 2)
            } else {
                self.cut()
            };
        }
        let (seen, end) = self.seen(text, fits, visible);
        let at = self.tape.arena.len();
        let window = self.tape.bounds().string_window;
        let whole = push_text(self.tape, seen, window).is_some() && fits;
        self.tape.string(at, (start, end), whole, Spelling::Other);
        if !fits {
            self.tape.unended();
            return self.cut();
        }
        self.pos = end;
        Ok(())
    }

    /// A value in another that JSON does not show: counted, for it may hold itself.
    pub(super) fn wrap(&mut self) -> Done {
        self.wrapped += 1;
        if self.wrapped > MAX_DEPTH {
            return self.stop(Stop::Ended(Ending::Stopped));
        }
        Ok(())
    }

    /// Such a value ended.
    pub(super) fn unwrap(&mut self) {
        self.wrapped -= 1;
    }

    /// The text of `value`, as far as it is looked at: no more of it is asked for.
    pub(super) fn collect<T: Display + ?Sized>(&mut self, value: &T) -> Result<String, Stop> {
        self.look()?;
        let mut text = Collected {
            text: String::new(),
            room: self.limit - self.pos,
        };
        match write!(text, "{value}") {
            Err(_) if !text.is_full() => self.stop(Stop::Failed),
            _ => Ok(text.text),
        }
    }

    /// How many bytes of JSON the inside of a string takes, as far as they are looked at, and
    /// whether the string with its quotes ends before the limit.
    fn visible(&self, text: &str) -> (usize, bool) {
        let room = self.limit - self.pos;
        let mut n = 0;
        for b in text.bytes() {
            n += escaped_len(b);
            if n + 2 > room {
                return (n, false);
            }
        }
        (n, n + 2 <= room)
    }

    /// The beginning of `text` that is looked at, and where its JSON ends.
    fn seen<'s>(&self, text: &'s str, fits: bool, visible: usize) -> (&'s str, usize) {
        if fits {
            return (text, self.pos + visible + 2);
        }
        let room = self.limit - self.pos - 1;
        let mut n = 0;
        let past = |(_, c): &(usize, char)| {
            n += if c.is_ascii() {
                escaped_len(*c as u8)
            } else {
                c.len_utf8()
            };
            n > room
        };
        let end = text
            .char_indices()
            .find(past)
            .map_or(text.len(), |(i, _)| i);
        (&text[..end], self.limit)
    }

    pub(super) fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        let text = TextWriter {
            writer: self,
            purpose: Purpose::Key,
        };
        match key.serialize(text) {
            // The key was written, under another name if need be.
            Err(Stop::Failed) if self.has_key => Ok(()),
            done => done,
        }
    }

    /// Writes a key that JSON cannot spell.
    pub(super) fn unrepresentable_key(&mut self) -> Done {
        self.is_unrepresentable = true;
        self.key_text("unrepresentable key")
    }

    /// Writes a key and its colon.
    pub(super) fn key_text(&mut self, text: &str) -> Done {
        let start = self.pos;
        let (visible, fits) = self.visible(text);
        if !fits {
            return self.cut();
        }
        self.advance(visible + 2)?;
        if self.skipping == 0 {
            let at = self.tape.arena.len();
            let window = self.tape.bounds().key_window;
            let whole = push_text(self.tape, text, window).is_some();
            self.tape.key(at, (start, self.pos), whole, Spelling::Other);
            self.has_key = true;
        }
        self.advance(1)
    }

    pub(super) fn open(&mut self, is_object: bool) -> Done {
        self.begin()?;
        let start = self.pos;
        self.advance(1)?;
        if self.skipping > 0 {
            self.skipping += 1;
            if self.skipping > MAX_DEPTH {
                return self.stop(Stop::Ended(Ending::Stopped));
            }
            return Ok(());
        }
        if self.tape.open(is_object, start) == Admission::Skip {
            self.skipping = 1;
            self.is_closed = true;
        }
        Ok(())
    }

    pub(super) fn close(&mut self) -> Done {
        self.advance(1)?;
        if self.skipping > 0 {
            self.skipping -= 1;
            if self.skipping > 0 {
                return Ok(());
            }
            if self.is_closed {
                self.tape.skipped(self.pos, true);
                return Ok(());
            }
        }
        self.tape.close(self.pos);
        Ok(())
    }

    /// JSON inside the value.
    pub(super) fn raw(&mut self, json: &str) -> Done {
        self.begin()?;
        if self.skipping > 0 {
            return self.advance(json.len());
        }
        let mut tokenizer = Tokenizer::new(json.as_bytes(), self.limit - self.pos).at(self.pos);
        let read = tokenizer.read(self.tape);
        self.pos += tokenizer.position();
        match read {
            Ok(()) => Ok(()),
            Err(ending) => self.stop(Stop::Ended(ending)),
        }
    }
}

/// Takes more than `room` bytes, so that it is seen that they do not fit, and then refuses.
struct Collected {
    text: String,
    room: usize,
}

impl Collected {
    fn is_full(&self) -> bool {
        self.text.len() > self.room
    }
}

impl fmt::Write for Collected {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let left = (self.room + 1).saturating_sub(self.text.len());
        self.text.push_str(&piece[..ceil(piece, left)]);
        if self.is_full() {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}

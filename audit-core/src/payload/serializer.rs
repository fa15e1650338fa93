//! Any `Serialize` written to a tape, in the same order and by the same budgets as the JSON that
//! it would become: positions are those of its compact JSON.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::ser::{self, Serialize};

use super::emit::escaped_len;
use super::node::Kind;
use super::serializer_text::{Purpose, TextWriter};
use super::tape::{Admission, Tape};
use super::tokenizer::{Ending, MAX_DEPTH, Tokenizer, push_text};

/// What serde_json calls a value that is JSON already, and a number of any length.
const RAW_VALUE: &str = "$serde_json::private::RawValue";
const NUMBER: &str = "$serde_json::private::Number";

/// Why writing ended before the value did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A budget is used up: the beginning is what is kept.
    Ended(Ending),
    /// The value's own `Serialize` failed.
    Failed,
    /// It panicked.
    Panicked,
}

impl Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no more of the value is taken")
    }
}

impl std::error::Error for Stop {}

impl ser::Error for Stop {
    fn custom<T: Display>(_: T) -> Self {
        // The message may hold anything, so it goes nowhere.
        Self::Failed
    }
}

/// Writes `value` to `tape`; how it ended, and how many bytes of JSON that was.
pub(super) fn write<T: Serialize + ?Sized>(
    value: &T,
    tape: &mut Tape<'_>,
    limit: usize,
) -> (Result<(), Stop>, usize) {
    let mut writer = Writer {
        tape,
        limit,
        pos: 0,
        skipping: 0,
        is_closed: false,
        has_key: false,
        is_unrepresentable: false,
        stopped: None,
        scratch: Vec::new(),
    };
    let result = catch_unwind(AssertUnwindSafe(|| value.serialize(&mut writer)));
    let mut result = result.unwrap_or(Err(Stop::Panicked));
    // A value may swallow our error and call itself serialized.
    if let Some(stop) = writer.stopped {
        result = Err(stop);
    } else if writer.is_unrepresentable {
        result = result.and(Err(Stop::Failed));
    }
    if writer.is_closed && writer.skipping > 0 {
        writer.tape.skipped(writer.pos, false);
    }
    (result, writer.pos)
}

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
    scratch: Vec<u8>,
}

type Done = Result<(), Stop>;

impl<'p> Writer<'_, 'p> {
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
    fn item(&mut self, is_first: bool) -> Done {
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

    fn word(&mut self, text: &str, kind: Kind) -> Done {
        self.begin()?;
        let start = self.pos;
        self.advance(text.len())?;
        if self.skipping == 0 {
            self.tape.word(kind, (start, self.pos));
        }
        Ok(())
    }

    fn number<T: Serialize>(&mut self, number: T) -> Done {
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

    fn string(&mut self, text: &str) -> Done {
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
        self.tape.string(at, (start, end), whole);
        if !fits {
            self.tape.unended();
            return self.cut();
        }
        self.pos = end;
        Ok(())
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

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
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
            self.tape.key(at, (start, self.pos), whole);
            self.has_key = true;
        }
        self.advance(1)
    }

    fn open(&mut self, is_object: bool) -> Done {
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

    fn close(&mut self) -> Done {
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

impl<'w, 't, 'p> ser::Serializer for &'w mut Writer<'t, 'p> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Items<'w, 't, 'p>;
    type SerializeTuple = Items<'w, 't, 'p>;
    type SerializeTupleStruct = Items<'w, 't, 'p>;
    type SerializeTupleVariant = Items<'w, 't, 'p>;
    type SerializeMap = Items<'w, 't, 'p>;
    type SerializeStruct = Items<'w, 't, 'p>;
    type SerializeStructVariant = Items<'w, 't, 'p>;

    fn serialize_bool(self, v: bool) -> Done {
        if v {
            self.word("true", Kind::True)
        } else {
            self.word("false", Kind::False)
        }
    }
    fn serialize_i8(self, v: i8) -> Done {
        self.number(v)
    }
    fn serialize_i16(self, v: i16) -> Done {
        self.number(v)
    }
    fn serialize_i32(self, v: i32) -> Done {
        self.number(v)
    }
    fn serialize_i64(self, v: i64) -> Done {
        self.number(v)
    }
    fn serialize_i128(self, v: i128) -> Done {
        self.number(v)
    }
    fn serialize_u8(self, v: u8) -> Done {
        self.number(v)
    }
    fn serialize_u16(self, v: u16) -> Done {
        self.number(v)
    }
    fn serialize_u32(self, v: u32) -> Done {
        self.number(v)
    }
    fn serialize_u64(self, v: u64) -> Done {
        self.number(v)
    }
    fn serialize_u128(self, v: u128) -> Done {
        self.number(v)
    }
    fn serialize_f32(self, v: f32) -> Done {
        self.number(v)
    }
    fn serialize_f64(self, v: f64) -> Done {
        self.number(v)
    }
    fn serialize_char(self, v: char) -> Done {
        self.string(v.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, v: &str) -> Done {
        self.string(v)
    }
    fn serialize_bytes(self, v: &[u8]) -> Done {
        let mut items = Items::open(self, false)?;
        for byte in v {
            items.element(byte)?;
        }
        items.close()
    }
    fn serialize_none(self) -> Done {
        self.word("null", Kind::Null)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Done {
        self.word("null", Kind::Null)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.word("null", Kind::Null)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.string(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        let mut items = Items::open(self, true)?;
        items.member(variant, value)?;
        items.close()
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'w, 't, 'p>, Stop> {
        Items::open(self, false)
    }
    fn serialize_tuple(self, _: usize) -> Result<Items<'w, 't, 'p>, Stop> {
        Items::open(self, false)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'w, 't, 'p>, Stop> {
        Items::open(self, false)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'w, 't, 'p>, Stop> {
        Items::open_variant(self, variant, false)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Items<'w, 't, 'p>, Stop> {
        Items::open(self, true)
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Items<'w, 't, 'p>, Stop> {
        if matches!(name, RAW_VALUE | NUMBER) {
            return Ok(Items {
                writer: self,
                is_first: true,
                form: Form::Raw,
            });
        }
        Items::open(self, true)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'w, 't, 'p>, Stop> {
        Items::open_variant(self, variant, true)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    /// JSON text behind a name of serde_json's.
    Raw,
    /// Inside an object that names the variant.
    Variant,
}

/// The items of an open container.
#[derive(Debug)]
pub(super) struct Items<'w, 't, 'p> {
    writer: &'w mut Writer<'t, 'p>,
    is_first: bool,
    form: Form,
}

impl<'w, 't, 'p> Items<'w, 't, 'p> {
    fn open(writer: &'w mut Writer<'t, 'p>, is_object: bool) -> Result<Self, Stop> {
        writer.open(is_object)?;
        Ok(Self {
            writer,
            is_first: true,
            form: Form::Plain,
        })
    }

    fn open_variant(
        writer: &'w mut Writer<'t, 'p>,
        variant: &str,
        is_object: bool,
    ) -> Result<Self, Stop> {
        let mut outer = Self::open(writer, true)?;
        outer.begin_member(variant)?;
        let mut inner = Self::open(outer.writer, is_object)?;
        inner.form = Form::Variant;
        Ok(inner)
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.writer.item(self.is_first)?;
        self.is_first = false;
        value.serialize(&mut *self.writer)
    }

    fn begin_member<K: Serialize + ?Sized>(&mut self, key: &K) -> Done {
        self.writer.item(self.is_first)?;
        self.is_first = false;
        self.writer.key(key)
    }

    fn member<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        if self.form == Form::Raw {
            return value.serialize(TextWriter {
                writer: self.writer,
                purpose: Purpose::Json,
            });
        }
        self.begin_member(key)?;
        value.serialize(&mut *self.writer)
    }

    fn close(self) -> Done {
        match self.form {
            Form::Raw => return Ok(()),
            Form::Plain => {}
            Form::Variant => self.writer.close()?,
        }
        self.writer.close()
    }
}

impl ser::SerializeSeq for Items<'_, '_, '_> {
    type Ok = ();
    type Error = Stop;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.element(value)
    }
    fn end(self) -> Done {
        self.close()
    }
}

impl ser::SerializeTuple for Items<'_, '_, '_> {
    type Ok = ();
    type Error = Stop;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.element(value)
    }
    fn end(self) -> Done {
        self.close()
    }
}

impl ser::SerializeTupleStruct for Items<'_, '_, '_> {
    type Ok = ();
    type Error = Stop;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.element(value)
    }
    fn end(self) -> Done {
        self.close()
    }
}

impl ser::SerializeTupleVariant for Items<'_, '_, '_> {
    type Ok = ();
    type Error = Stop;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.element(value)
    }
    fn end(self) -> Done {
        self.close()
    }
}

impl ser::SerializeMap for Items<'_, '_, '_> {
    type Ok = ();
    type Error = Stop;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        self.begin_member(key)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(&mut *self.writer)
    }
    fn end(self) -> Done {
        self.close()
    }
}

impl ser::SerializeStruct for Items<'_, '_, '_> {
    type Ok = ();
    type Error = Stop;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        self.member(key, value)
    }
    fn end(self) -> Done {
        self.close()
    }
}

impl ser::SerializeStructVariant for Items<'_, '_, '_> {
    type Ok = ();
    type Error = Stop;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        self.member(key, value)
    }
    fn end(self) -> Done {
        self.close()
    }
}

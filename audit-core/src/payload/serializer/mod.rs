//! Any `Serialize` written to a tape, in the same order and by the same budgets as the JSON that
//! it would become: positions are those of its compact JSON.

/// The methods of serde's trait that take an integer: each hands it to `self.number`. It stands above
/// the modules because `text` says them too.
macro_rules! integers {
    () => {
        integers!(
            serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
            serialize_i128(i128), serialize_u8(u8), serialize_u16(u16), serialize_u32(u32),
            serialize_u64(u64), serialize_u128(u128)
        );
    };
    ($($method:ident($integer:ty)),+) => {
        $(fn $method(self, v: $integer) -> Done {
            self.number(v)
        })+
    };
}

mod items;
mod text;
mod writer;

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use items::Items;
use serde::ser::{self, Serialize};
use writer::Writer;

use super::node::Kind;
use super::tape::Tape;
use super::tokenizer::Ending;

/// What serde_json calls a value that is JSON already, and a number of any length.
const RAW_VALUE: &str = "$serde_json::private::RawValue";
const NUMBER: &str = "$serde_json::private::Number";

/// Writes `value` to `tape`; how it ended, and how many bytes of JSON that was.
pub(super) fn write<T: Serialize + ?Sized>(
    value: &T,
    tape: &mut Tape<'_>,
    limit: usize,
) -> (Result<(), Stop>, usize) {
    let mut writer = Writer::new(tape, limit);
    let result = catch_unwind(AssertUnwindSafe(|| value.serialize(&mut writer)));
    writer.finish(result.unwrap_or(Err(Stop::Panicked)))
}

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

type Done = Result<(), Stop>;

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
    integers!();
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
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Done {
        let text = self.collect(value)?;
        self.string(&text)
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
        self.wrap()?;
        let done = value.serialize(&mut *self);
        self.unwrap();
        done
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
        self.serialize_some(value)
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
            return Ok(Items::raw(self));
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

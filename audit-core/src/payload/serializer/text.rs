//! Values that must be text: keys, and JSON that comes as a string.

use std::fmt::Display;

use serde::ser::{Impossible, Serialize, Serializer};

use super::writer::Writer;
use super::{Done, Stop};

/// What the text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Key,
    /// JSON in the place of a value.
    Json,
}

/// Hands the text of a value to a writer.
#[derive(Debug)]
pub(super) struct TextWriter<'w, 't, 'p> {
    pub(super) writer: &'w mut Writer<'t, 'p>,
    pub(super) purpose: Purpose,
}

type No = Impossible<(), Stop>;

impl TextWriter<'_, '_, '_> {
    fn text(self, text: &str) -> Done {
        match self.purpose {
            Purpose::Key => self.writer.key_text(text),
            Purpose::Json => self.writer.raw(text),
        }
    }

    /// JSON has no such key; the member is kept under a name that says so.
    fn other<T>(self) -> Result<T, Stop> {
        match self.purpose {
            Purpose::Key => self.writer.unrepresentable_key()?,
            Purpose::Json => {}
        }
        Err(Stop::Failed)
    }

    fn number(self, number: impl ToString) -> Done {
        self.text(&number.to_string())
    }
}

impl Serializer for TextWriter<'_, '_, '_> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = No;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = No;
    type SerializeStructVariant = No;

    fn serialize_bool(self, v: bool) -> Done {
        self.text(if v { "true" } else { "false" })
    }
    integers!();
    fn serialize_f32(self, v: f32) -> Done {
        self.float(&v)
    }
    fn serialize_f64(self, v: f64) -> Done {
        self.float(&v)
    }
    fn serialize_char(self, v: char) -> Done {
        self.text(v.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, v: &str) -> Done {
        self.text(v)
    }
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Done {
        let text = self.writer.collect(value)?;
        self.text(&text)
    }
    fn serialize_bytes(self, _: &[u8]) -> Done {
        self.other()
    }
    fn serialize_none(self) -> Done {
        self.other()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        let Self { writer, purpose } = self;
        writer.wrap()?;
        let done = value.serialize(TextWriter {
            writer: &mut *writer,
            purpose,
        });
        writer.unwrap();
        done
    }
    fn serialize_unit(self) -> Done {
        self.other()
    }
    fn serialize_unit_struct(self, _: &'static str) -> Done {
        self.other()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.text(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        self.serialize_some(value)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Done {
        self.other()
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<No, Stop> {
        self.other()
    }
    fn serialize_tuple(self, _: usize) -> Result<No, Stop> {
        self.other()
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<No, Stop> {
        self.other()
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<No, Stop> {
        self.other()
    }
    fn serialize_map(self, _: Option<usize>) -> Result<No, Stop> {
        self.other()
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<No, Stop> {
        self.other()
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<No, Stop> {
        self.other()
    }
}

impl TextWriter<'_, '_, '_> {
    /// In the spelling of serde_json.
    fn float<T: Serialize>(self, number: &T) -> Done {
        match serde_json::to_string(number) {
            Ok(text) if text != "null" => self.text(&text),
            _ => self.other(),
        }
    }
}

//! The items of a sequence or an object, one after the other.

use serde::ser::{self, Serialize};

use super::text::{Purpose, TextWriter};
use super::writer::Writer;
use super::{Done, Stop};

/// The items of an open container.
#[derive(Debug)]
pub(super) struct Items<'w, 't, 'p> {
    writer: &'w mut Writer<'t, 'p>,
    is_first: bool,
    form: Form,
}

impl<'w, 't, 'p> Items<'w, 't, 'p> {
    pub(super) fn open(writer: &'w mut Writer<'t, 'p>, is_object: bool) -> Result<Self, Stop> {
        writer.open(is_object)?;
        Ok(Self {
            writer,
            is_first: true,
            form: Form::Plain,
        })
    }

    /// The one item of a struct of serde_json's that stands for JSON.
    pub(super) fn raw(writer: &'w mut Writer<'t, 'p>) -> Self {
        Self {
            writer,
            is_first: true,
            form: Form::Raw,
        }
    }

    pub(super) fn open_variant(
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

    pub(super) fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.writer.item(self.is_first)?;
        self.is_first = false;
        value.serialize(&mut *self.writer)
    }

    fn begin_member<K: Serialize + ?Sized>(&mut self, key: &K) -> Done {
        self.writer.item(self.is_first)?;
        self.is_first = false;
        self.writer.key(key)
    }

    pub(super) fn member<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        if self.form == Form::Raw {
            return value.serialize(TextWriter {
                writer: self.writer,
                purpose: Purpose::Json,
            });
        }
        self.begin_member(key)?;
        value.serialize(&mut *self.writer)
    }

    pub(super) fn close(self) -> Done {
        match self.form {
            Form::Raw => return Ok(()),
            Form::Plain => {}
            Form::Variant => self.writer.close()?,
        }
        self.writer.close()
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

/// serde has a trait for each kind of container; here there are only elements and members.
macro_rules! container {
    ($container:ident: $method:ident => $item:ident($($key:ident)?)) => {
        impl ser::$container for Items<'_, '_, '_> {
            type Ok = ();
            type Error = Stop;
            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($key: &'static str,)?
                value: &T,
            ) -> Done {
                self.$item($($key,)? value)
            }
            fn end(self) -> Done {
                self.close()
            }
        }
    };
}

container!(SerializeSeq: serialize_element => element());
container!(SerializeTuple: serialize_element => element());
container!(SerializeTupleStruct: serialize_field => element());
container!(SerializeTupleVariant: serialize_field => element());
container!(SerializeStruct: serialize_field => member(key));
container!(SerializeStructVariant: serialize_field => member(key));

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

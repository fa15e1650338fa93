//! JSON Schemas of secrets: what describes one is kept, what may give one is not.

use super::meaning::{Meaning, Role};
use crate::payload::secret::{Reach, Secret};
use crate::payload::word_set::WordSet;

/// What a member of the schema of `secret` means by its key. What is neither a word of the schema
/// nor a schema itself may hold the secret: titles, defaults and examples too.
pub(super) fn member(key: &[u8], secret: Secret) -> Meaning {
    let (reach, role) = match key {
        b"type" => (Reach::SchemaType, Role::SchemaTypes),
        b"ref" => (Reach::SchemaReference, Role::Other),
        b"format" => (Reach::SchemaFormat, Role::Other),
        b"properties" => (secret.reach, Role::Properties),
        b"additionalproperties" | b"allof" | b"anyof" | b"items" | b"not" | b"oneof" => {
            (secret.reach, Role::Schema)
        }
        _ if NUMBERS.has(key) => (Reach::Text, Role::Other),
        _ => (secret.reach, Role::Other),
    };
    let secret = Some(Secret { reach, ..secret });
    Meaning { secret, role }
}

/// Whether a text that such a member gives may hold the secret.
pub(super) fn reaches(text: &str, reach: Reach) -> bool {
    match reach {
        Reach::SchemaFormat => !FORMATS.has(text.as_bytes()),
        Reach::SchemaReference => !text.starts_with("#/"),
        Reach::SchemaType => !TYPES.has(text.as_bytes()),
        Reach::Any | Reach::NotPath | Reach::Text => true,
    }
}

/// Whether a text of this kind says that what it stands in is a schema.
pub(super) fn defines(reach: Reach) -> bool {
    matches!(reach, Reach::SchemaReference | Reach::SchemaType)
}

static TYPES: WordSet = WordSet::new(&[
    "array", "boolean", "integer", "null", "number", "object", "string",
]);

static FORMATS: WordSet = WordSet::new(&[
    "binary",
    "byte",
    "date",
    "date-time",
    "double",
    "duration",
    "email",
    "float",
    "hostname",
    "int32",
    "int64",
    "ipv4",
    "ipv6",
    "json-pointer",
    "password",
    "regex",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
]);

/// Words whose values are numbers.
static NUMBERS: WordSet = WordSet::new(&[
    "exclusivemaximum",
    "exclusiveminimum",
    "maximum",
    "maxitems",
    "maxlength",
    "maxproperties",
    "minimum",
    "minitems",
    "minlength",
    "minproperties",
    "multipleof",
]);

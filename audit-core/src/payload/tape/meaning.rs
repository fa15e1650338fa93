//! What a key says about the value after it, and about the values beside that one.

use super::Tape;
use crate::payload::endings::{Ending, EndingSet};
use crate::payload::marker;
use crate::payload::node::Extent;
use crate::payload::secret::Secret;
use crate::payload::word_set::WordSet;

/// What a key says about the value after it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meaning {
    pub(super) secret: Option<Secret>,
    pub(super) role: Role,
}

impl Tape<'_> {
    /// What a key on the page means, unless a mark says that it means nothing.
    pub(super) fn meaning(&mut self, key: Extent) -> Option<Meaning> {
        let key = &self.arena[key.start()..key.end()];
        let is_about = |ending| ROLE_ENDINGS.may_have(ending) || self.rules.may_be_about(ending);
        if Ending::of(key.as_bytes()).is_some_and(|ending| !is_about(ending)) {
            return Some(Meaning::default());
        }
        if marker::is_in(key) {
            return None;
        }
        let words = self.keys.read(key);
        let role = match ROLES.position(words.joined()) {
            None => Role::Other,
            Some(0..3) => Role::Value,
            Some(3) => Role::Properties,
            Some(4..10) => Role::FieldList,
            Some(10..12) => Role::Pairs,
            Some(_) => Role::Name,
        };
        let secret = self.rules.secret(words);
        Some(Meaning { secret, role })
    }
}

/// What a key means for the value after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// `fields`, `required`: a list of names, which pairs with nothing.
    FieldList,
    /// `name`, `key`, `header`: names the value beside it.
    Name,
    #[default]
    Other,
    /// `rawHeaders`: names and values in turn.
    Pairs,
    /// The members of a JSON Schema.
    Properties,
    /// A JSON Schema, or a list of them.
    Schema,
    /// A list of types in a JSON Schema.
    SchemaTypes,
    /// `value`: named by what stands beside it.
    Value,
}

static ROLES: WordSet = WordSet::new(ROLE_LIST);

static ROLE_ENDINGS: EndingSet = EndingSet::new(ROLE_LIST);

/// Keys that say something about the value after them or beside them, by their [`Role`].
const ROLE_LIST: &[&str] = &[
    // A value.
    "value",
    "val",
    "headervalue",
    // The members of a schema.
    "properties",
    // A list of names.
    "required",
    "enum",
    "fields",
    "columns",
    "select",
    "names",
    // Names and values in turn.
    "rawheaders",
    "headers",
    // A name.
    "name",
    "key",
    "header",
    "headername",
    "field",
    "fieldname",
    "parameter",
    "param",
    "variable",
];

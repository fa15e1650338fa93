//! What a key says about the value after it, and about the values beside that one.

use super::Tape;
use crate::payload::key_rules::Secret;
use crate::payload::marker;
use crate::payload::node::Extent;
use crate::payload::word_set::WordSet;

/// What a key says about the value after it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meaning<'p> {
    pub(super) secret: Option<Secret<'p>>,
    pub(super) role: Role,
}

/// How many keys are remembered at the most.
const N_KNOWN: u8 = 64;

/// Records repeat their keys, and their order: the last few keys are remembered, and which one
/// came next.
#[derive(Debug)]
pub(super) struct KnownKeys<'p> {
    known: Vec<Known<'p>>,
    /// Which of them were found last, by length and letters.
    by_slot: [u8; N_SLOTS],
    /// The key that was read last.
    last: u8,
}

/// A key that was read.
#[derive(Clone, Copy, Debug)]
struct Known<'p> {
    /// Its text on the page.
    text: Extent,
    /// Its text stands for itself in JSON.
    is_plain: bool,
    meaning: Meaning<'p>,
    /// The key that came after it the last time.
    next: u8,
}

impl<'p> Tape<'p> {
    /// What the key at `start..end` of the page means.
    pub(super) fn meaning(&mut self, start: usize, end: usize) -> Meaning<'p> {
        let key = &self.arena[start..end];
        let slot = slot(key.as_bytes());
        if let Some(i) = self.known.at(slot, key, &self.arena) {
            return self.known.came(i);
        }
        if marker::is_in(key) {
            return Meaning::default();
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
        let meaning = Meaning {
            secret: self.rules.secret(words),
            role,
        };
        self.known.add(slot, Extent::new((start, end)), meaning);
        meaning
    }

    /// The newest key was copied from the inside of a JSON string as it stands there.
    pub(in crate::payload) fn plain_key(&mut self) {
        self.plain();
        let (Some(node), Some(known)) = (self.nodes.last(), self.known.last()) else {
            return;
        };
        known.is_plain |= known.text == node.text;
    }

    /// Reads the key that came next the last time, if `json` begins with it and a quote; how long
    /// it is.
    pub(in crate::payload) fn same_key(&mut self, json: &[u8], at: usize) -> Option<usize> {
        let next = self.known.last()?.next;
        let known = *self.known.known.get(usize::from(next))?;
        let (start, end) = (known.text.start(), known.text.end());
        let n = end - start;
        let is_same = known.is_plain
            && json.get(n) == Some(&b'"')
            && json[..n] == self.arena.as_bytes()[start..end];
        if !is_same {
            return None;
        }
        let text = self.arena.len();
        self.arena.extend_from_within(start..end);
        let text = (text, self.end_text());
        let meaning = self.known.came(next);
        self.member(text, (at, at + n + 2), true, meaning);
        self.plain();
        Some(n)
    }
}

impl<'p> KnownKeys<'p> {
    /// The key in `slot`, if it is `key`.
    fn at(&self, slot: usize, key: &str, page: &str) -> Option<u8> {
        let i = self.by_slot[slot];
        let text = self.known.get(usize::from(i))?.text;
        let is_same = page.as_bytes()[text.start()..text.end()] == *key.as_bytes();
        is_same.then_some(i)
    }

    /// The key that was read last.
    fn last(&mut self) -> Option<&mut Known<'p>> {
        self.known.get_mut(usize::from(self.last))
    }

    /// A key was read that is known.
    fn came(&mut self, i: u8) -> Meaning<'p> {
        if let Some(last) = self.last() {
            last.next = i;
        }
        self.last = i;
        self.known[usize::from(i)].meaning
    }

    /// A key was read that is not known.
    fn add(&mut self, slot: usize, text: Extent, meaning: Meaning<'p>) {
        if self.known.len() == usize::from(N_KNOWN) {
            *self = Self::default();
        }
        let i = u8::try_from(self.known.len()).unwrap_or(NONE);
        self.known.push(Known {
            text,
            is_plain: false,
            meaning,
            next: NONE,
        });
        self.by_slot[slot] = i;
        self.came(i);
    }
}

impl Default for KnownKeys<'_> {
    fn default() -> Self {
        Self {
            known: Vec::with_capacity(16),
            by_slot: [NONE; N_SLOTS],
            last: NONE,
        }
    }
}

const N_SLOTS: usize = 128;

/// No key.
const NONE: u8 = u8::MAX;

/// Where a key is looked up.
fn slot(key: &[u8]) -> usize {
    let first = key.first().copied().unwrap_or(0);
    let last = key.last().copied().unwrap_or(0);
    (key.len() + 5 * usize::from(first) + 11 * usize::from(last)) % N_SLOTS
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
    /// `value`: named by what stands beside it.
    Value,
}

/// Keys that say something about the value after them or beside them, by their [`Role`].
static ROLES: WordSet = WordSet::new(&[
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
]);

/// The words of JSON Schema that describe a value without giving one.
pub(super) fn is_schema_word(key: &[u8]) -> bool {
    matches!(
        key,
        b"title"
            | b"description"
            | b"format"
            | b"minlength"
            | b"maxlength"
            | b"pattern"
            | b"nullable"
            | b"writeonly"
            | b"readonly"
            | b"deprecated"
            | b"minimum"
            | b"maximum"
            | b"required"
            | b"properties"
            | b"items"
            | b"additionalproperties"
    )
}

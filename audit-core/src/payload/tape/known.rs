//! Keys that were read before: records repeat them, and their order.

use super::meaning::Meaning;
use super::{Spelling, Tape};
use crate::payload::node::Extent;
use crate::payload::spans::{Span, within};

/// The first keys of a tape, each once, and which one came after it the last time.
#[derive(Debug)]
pub(super) struct KnownKeys {
    known: Vec<Known>,
    /// Where each is looked up: in the first free slot from its own on.
    slots: [u8; N_SLOTS],
    /// The key that was read last.
    last: u8,
}

/// How many are remembered: each has a bit of its own.
const N_KNOWN: u8 = 64;

const N_SLOTS: usize = 2 * N_KNOWN as usize;

/// No key.
const NONE: u8 = u8::MAX;

#[derive(Clone, Copy, Debug)]
struct Known {
    text: Extent,
    /// Its text stands for itself in JSON.
    is_plain: bool,
    meaning: Meaning,
    /// The key that came after it the last time.
    next: u8,
}

/// A key as a member is read by it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Key {
    pub(super) meaning: Meaning,
    /// Its own, if it is remembered.
    pub(super) bit: u64,
}

impl Tape<'_> {
    /// The key at `text` of the page.
    pub(super) fn known_key(&mut self, text: Extent, spelling: Spelling) -> Key {
        let is_plain = spelling == Spelling::Plain;
        match self.known.find(text, self.arena.as_bytes()) {
            Ok(i) => self.known.came(i),
            Err(slot) => match self.meaning(text) {
                None => Key::default(),
                Some(meaning) => self.known.add(slot, text, is_plain, meaning),
            },
        }
    }

    /// Whether one of `spans` stands in a key that may stand for several: what is around the others
    /// does not show it.
    pub(in crate::payload) fn is_in_known_key(&self, spans: &[Span<'_>]) -> bool {
        let is_in = |known: &Known| !within(spans, known.text).is_empty();
        !spans.is_empty() && self.known.known.iter().any(is_in)
    }

    /// Reads the key that came next the last time, if `json` begins with it and a quote; how long
    /// it is.
    pub(in crate::payload) fn same_key(&mut self, json: &[u8], at: usize) -> Option<usize> {
        let next = self.known.last()?.next;
        let known = self.known.known.get(usize::from(next))?;
        let (start, end) = (known.text.start(), known.text.end());
        let n = end - start;
        let is_same = known.is_plain
            && json.get(n) == Some(&b'"')
            && json[..n] == self.arena.as_bytes()[start..end];
        if !is_same {
            return None;
        }
        let mut text = known.text;
        if !self.bounds.shares_keys {
            let copy = self.arena.len();
            self.arena.extend_from_within(start..end);
            text = Extent::new((copy, self.end_text()));
        }
        let key = self.known.came(next);
        self.member(text, (at, at + n + 2), true, Spelling::Plain, key);
        Some(n)
    }
}

impl KnownKeys {
    /// The key that stands at `text` of the page, or else its slot.
    fn find(&self, text: Extent, page: &[u8]) -> Result<u8, usize> {
        let key = &page[text.start()..text.end()];
        let mut slot = look(key) % N_SLOTS;
        // Most slots are empty.
        while let Some(known) = self.known.get(usize::from(self.slots[slot])) {
            if page[known.text.start()..known.text.end()] == *key {
                return Ok(self.slots[slot]);
            }
            slot = (slot + 1) % N_SLOTS;
        }
        Err(slot)
    }

    /// The key that was read last.
    fn last(&mut self) -> Option<&mut Known> {
        self.known.get_mut(usize::from(self.last))
    }

    /// A key was read that is remembered.
    fn came(&mut self, i: u8) -> Key {
        if let Some(last) = self.last() {
            last.next = i;
        }
        self.last = i;
        Key {
            meaning: self.known[usize::from(i)].meaning,
            bit: 1 << i,
        }
    }

    /// A key was read for the first time.
    fn add(&mut self, slot: usize, text: Extent, is_plain: bool, meaning: Meaning) -> Key {
        let i = u8::try_from(self.known.len()).unwrap_or(NONE);
        if i >= N_KNOWN {
            return Key { meaning, bit: 0 };
        }
        self.known.push(Known {
            text,
            is_plain,
            meaning,
            next: NONE,
        });
        self.slots[slot] = i;
        self.came(i)
    }
}

impl Default for KnownKeys {
    fn default() -> Self {
        Self {
            known: Vec::with_capacity(20),
            slots: [NONE; N_SLOTS],
            last: NONE,
        }
    }
}

/// A number that is the same for equal keys.
fn look(key: &[u8]) -> usize {
    let first = key.first().copied().unwrap_or(0);
    let last = key.last().copied().unwrap_or(0);
    key.len() + 5 * usize::from(first) + 11 * usize::from(last)
}

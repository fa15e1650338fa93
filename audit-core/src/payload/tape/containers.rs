//! Containers, from their first bracket to their last, and the items in them.

use super::Tape;
use super::meaning::{Meaning, Role};
use super::pairs::by_path;
use super::schema;
use crate::payload::node::{Extent, Kind, narrow};
use crate::payload::secret::{KeyRule, Secret};
use crate::payload::selector::{PathVerdict, Place};

impl Tape<'_> {
    /// Asks for room for one more item: a member before its key, an element before its value.
    #[inline]
    pub(in crate::payload) fn admit(&mut self) -> Admission {
        if self.estimate >= self.bounds.bytes {
            self.is_partial = true;
            return Admission::Stop;
        }
        let Some(frame) = self.frames.last_mut() else {
            return Admission::Enter;
        };
        if frame.items == self.bounds.items {
            self.nodes[frame.node].over = true;
            self.n_respelled += 1;
            self.is_partial = true;
            return Admission::Over;
        }
        frame.items += 1;
        if !frame.is_object {
            self.expect_element();
        }
        Admission::Enter
    }

    /// What is expected of the element that comes next.
    fn expect_element(&mut self) {
        let Some(frame) = self.frames.last() else {
            return;
        };
        if frame.heir.is_some() {
            self.expected.secret = frame.heir;
            self.expected.role = Role::Schema;
        }
        self.expected_paths.clear();
        if !frame.paths.is_empty() {
            let (paths, verdict) = self
                .rules
                .selectors()
                .step_index(&frame.paths, frame.items - 1);
            self.expected_paths = paths;
            if verdict == Some(PathVerdict::Redact) {
                self.expected.secret = Some(by_path());
            }
        }
        self.estimate += 1;
    }

    /// A container begins at `at`.
    pub(in crate::payload) fn open(&mut self, is_object: bool, at: usize) -> Admission {
        self.estimate += 2;
        let expected = std::mem::take(&mut self.expected);
        let (schema, heir) = self.schemas(&expected, is_object);
        let is_secret = expected.secret.is_some() && schema.is_none() && heir.is_none();
        if is_secret || self.frames.len() >= self.bounds.depth {
            self.n_respelled += 1;
            self.push(Kind::Closed, Extent::new((0, 0)), (at, at), false, false);
            self.expected = expected;
            self.settle();
            return Admission::Skip;
        }
        let node = self.nodes.len();
        let kind = if is_object { Kind::Object } else { Kind::Array };
        let text = self.arena.len();
        self.push(kind, Extent::new((text, text)), (at, at), false, false);
        let n_respelled = self.n_respelled;
        self.pair(node, expected.role);
        self.frames.push(Frame {
            node,
            n_respelled,
            paths: std::mem::take(&mut self.expected_paths),
            values: self.values.len(),
            ..Frame::default()
        });
        // Small fields are set where they stay: to copy them together right away would wait for
        // each of them to be written.
        if let Some(frame) = self.frames.last_mut() {
            frame.is_object = is_object;
            frame.role = expected.role;
            frame.schema = schema;
            frame.heir = heir;
        }
        Admission::Enter
    }

    /// The secret of which the container that begins is a schema, and the one of which its items
    /// are.
    fn schemas(&mut self, expected: &Meaning, is_object: bool) -> (Option<Secret>, Option<Secret>) {
        let none = (None, None);
        let secret = expected
            .secret
            .filter(|secret| secret.rule != KeyRule::Path);
        let (Some(secret), Some(around)) = (secret, self.frames.last_mut()) else {
            return none;
        };
        if around.role == Role::Properties && is_object {
            return (Some(secret), None);
        }
        if around.schema.is_none() && around.heir.is_none() {
            return none;
        }
        let found = match (expected.role, is_object) {
            (Role::Schema, true) if !schema::defines(secret.reach) => (Some(secret), None),
            (Role::Properties, true) | (Role::Schema | Role::SchemaTypes, false) => {
                (None, Some(secret))
            }
            _ => return none,
        };
        around.is_schema = true;
        found
    }

    /// The container that was passed over ended before `at`, or was not seen to its end.
    pub(in crate::payload) fn skipped(&mut self, at: usize, whole: bool) {
        if let Some(node) = self.nodes.last_mut() {
            node.raw.set_end(at);
            node.whole = whole;
            node.ended = whole;
            // What a rule takes away needs no looking at.
            self.is_partial |= node.rule.is_none() || !whole;
        }
    }

    /// The innermost container ended before `at`.
    pub(in crate::payload) fn close(&mut self, at: usize) {
        let end = self.nodes.len();
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let node = &mut self.nodes[frame.node];
        node.whole = true;
        node.raw.set_end(at);
        node.end = narrow(end);
        node.text.set_end(self.arena.len());
        let is_over = node.over;
        self.leave(&frame, is_over);
        self.nodes[frame.node].verbatim = self.n_respelled == frame.n_respelled;
        self.expected = Meaning::default();
    }

    /// Ends the tape, wherever it stands.
    pub(in crate::payload) fn finish(&mut self) {
        let end = self.nodes.len();
        self.is_partial |= !self.frames.is_empty();
        while let Some(frame) = self.frames.pop() {
            let node = &mut self.nodes[frame.node];
            node.end = narrow(end);
            node.ended = false;
            self.leave(&frame, true);
        }
    }
}

/// What is to be done with the value that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::payload) enum Admission {
    /// Write it down.
    Enter,
    /// Pass over the rest of the container: it has enough items.
    Over,
    /// Pass over this container.
    Skip,
    /// The budget is used up.
    Stop,
}

/// A container that is open.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) node: usize,
    pub(super) is_object: bool,
    pub(super) items: usize,
    pub(super) role: Role,
    /// A name was seen, whatever it said.
    pub(super) named: bool,
    /// What the name said about the value beside it.
    pub(super) pair: Option<Secret>,
    /// A schema of a secret: only words of JSON Schema are kept.
    pub(super) schema: Option<Secret>,
    /// Its items are schemas of a secret.
    pub(super) heir: Option<Secret>,
    pub(super) is_schema: bool,
    /// Its keys, a bit for each that is known.
    pub(super) keys: u64,
    /// How many things were respelled before it.
    pub(super) n_respelled: usize,
    pub(super) paths: Vec<Place>,
    /// Where the frame's values begin in the list of all.
    pub(super) values: usize,
}

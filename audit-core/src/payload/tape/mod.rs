//! The beginning of a payload as a list of nodes, with all its texts on one page.
//!
//! Both ways in, JSON and `Serialize`, write to it; key rules, pairs and path selectors are applied
//! while it is written. It is flat: no depth of input can overflow anything.

mod containers;
mod known;
mod meaning;
mod pairs;
mod schema;

pub(super) use containers::Admission;
use containers::Frame;
use known::{Key, KnownKeys};
use meaning::{Meaning, Role};
use pairs::by_path;

use super::bounds::{Bounds, LOOKAHEAD};
use super::keys::KeyWords;
use super::node::{Extent, Kind, Node, narrow};
use super::numbers::is_storable;
use super::policy::Rules;
use super::secret::{KeyRule, Reach, Secret};
use super::selector::{PathVerdict, Place};

/// See the module.
#[derive(Debug)]
pub(super) struct Tape<'p> {
    pub(super) nodes: Vec<Node>,
    pub(super) arena: String,
    /// U+0000 and the like, each replaced.
    pub(super) replaced: u32,
    /// Something was passed over unseen.
    pub(super) is_partial: bool,
    rules: &'p Rules,
    bounds: Bounds,
    frames: Vec<Frame>,
    values: Vec<usize>,
    pub(super) keys: KeyWords,
    known: KnownKeys,
    /// What is known of the value that comes next.
    expected: Meaning,
    /// Where the path selectors stand at the value that comes next.
    expected_paths: Vec<Place>,
    estimate: usize,
    /// How many things are written otherwise than they stand in the input.
    n_respelled: usize,
    marks_are_ours: bool,
}

impl<'p> Tape<'p> {
    pub(super) fn new(rules: &'p Rules, bounds: Bounds, marks_are_ours: bool) -> Self {
        Self {
            nodes: Vec::new(),
            arena: String::new(),
            replaced: 0,
            is_partial: false,
            rules,
            bounds,
            frames: Vec::new(),
            values: Vec::new(),
            keys: KeyWords::default(),
            known: KnownKeys::default(),
            expected: Meaning::default(),
            expected_paths: rules.selectors().start(),
            estimate: 0,
            n_respelled: 0,
            marks_are_ours,
        }
    }

    /// Room for an input of `bytes`, or for as much of it as is kept.
    pub(super) fn with_room(mut self, bytes: usize) -> Self {
        let bytes = std::cmp::min(bytes, self.bounds.input());
        self.arena.reserve(bytes);
        self.nodes.reserve(bytes / 12 + 8);
        self.frames.reserve(8);
        self
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    pub(super) fn depth(&self) -> usize {
        self.frames.len()
    }

    pub(super) fn in_object(&self) -> Option<bool> {
        self.frames.last().map(|frame| frame.is_object)
    }

    /// A key whose text was put on the page from `start` on.
    pub(super) fn key(
        &mut self,
        start: usize,
        raw: (usize, usize),
        whole: bool,
        spelling: Spelling,
    ) {
        let end = self.end_text();
        let text = Extent::new((start, end));
        let key = self.known_key(text, spelling);
        self.member(text, raw, whole, spelling, key);
    }

    /// A member, by its key.
    // There are many of them, and to hand over what is known of one takes as long as to use it.
    #[inline(always)]
    fn member(
        &mut self,
        text: Extent,
        raw: (usize, usize),
        whole: bool,
        spelling: Spelling,
        key: Key,
    ) {
        let n = text.end() - text.start();
        self.estimate += std::cmp::min(n, self.bounds.string_window) + 4;
        self.spelled(spelling, n <= self.bounds.key_chars);
        self.push(Kind::Key, text, raw, whole, spelling == Spelling::Plain);
        self.expected = key.meaning;
        self.expected_paths.clear();
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let Key { meaning, bit } = key;
        // Of two equal keys the second one is numbered.
        let is_new = bit & !frame.keys != 0;
        self.n_respelled += usize::from(!is_new);
        frame.keys |= bit;
        frame.named |= meaning.role == Role::Name;
        let in_schema = frame.schema.is_some() || frame.heir.is_some();
        if in_schema || !frame.paths.is_empty() || !whole {
            self.expected.secret =
                self.overruled((text.start(), text.end()), whole, meaning.secret);
        }
    }

    /// What is to be thought of a member by the place where it stands.
    fn overruled(
        &mut self,
        (start, end): (usize, usize),
        whole: bool,
        mut secret: Option<Secret>,
    ) -> Option<Secret> {
        let frame = self.frames.last_mut()?;
        let key = &self.arena[start..end];
        if let Some(schema) = frame.schema {
            let joined = self.keys.read(key).joined();
            self.expected = schema::member(joined, schema);
            secret = self.expected.secret;
        }
        secret = frame.heir.or(secret);
        // Nobody can read a key that was not seen to its end.
        if !whole {
            secret = secret.or(Some(Secret {
                rule: KeyRule::OversizedKey,
                reach: Reach::Any,
            }));
        }
        if !frame.paths.is_empty() {
            let (next, verdict) = self.rules.selectors().step_key(&frame.paths, key);
            self.expected_paths = next;
            match verdict {
                Some(PathVerdict::Redact) => secret = Some(by_path()),
                Some(PathVerdict::Keep) => secret = None,
                None => {}
            }
        }
        secret
    }

    /// A string whose text was put on the page from `start` on.
    pub(super) fn string(
        &mut self,
        start: usize,
        raw: (usize, usize),
        whole: bool,
        spelling: Spelling,
    ) {
        let end = self.end_text();
        let n = end - start;
        self.estimate += std::cmp::min(n, self.bounds.string_window.saturating_sub(LOOKAHEAD)) + 3;
        self.is_partial |= !whole;
        self.spelled(spelling, n <= self.bounds.string_chars);
        let text = Extent::new((start, end));
        self.push(Kind::String, text, raw, whole, spelling == Spelling::Plain);
        self.settle();
    }

    /// A number whose text was put on the page from `start` on.
    pub(super) fn number(&mut self, start: usize, raw: (usize, usize), whole: bool) {
        let end = self.end_text();
        self.estimate += std::cmp::min(end - start, 40) + 1;
        self.is_partial |= !whole;
        let plain = whole && is_storable(&self.arena[start..end]);
        self.n_respelled += usize::from(!plain);
        let text = Extent::new((start, end));
        self.push(Kind::Number, text, raw, whole, plain);
        self.settle();
    }

    /// `true`, `false` or `null`.
    pub(super) fn word(&mut self, kind: Kind, raw: (usize, usize)) {
        self.estimate += 5;
        self.push(kind, Extent::new((0, 0)), raw, true, false);
        self.settle();
    }

    /// The newest text goes on beyond what is looked at.
    pub(super) fn unended(&mut self) {
        if let Some(node) = self.nodes.last_mut() {
            node.ended = false;
        }
    }

    /// Something was read that is written in another way.
    pub(super) fn respelled(&mut self) {
        self.n_respelled += 1;
    }

    /// How a text stands in the input. As many bytes as characters are kept of any text.
    #[inline]
    fn spelled(&mut self, spelling: Spelling, is_kept: bool) {
        self.n_respelled += usize::from(spelling == Spelling::Other || !is_kept);
    }

    // As for members.
    #[inline(always)]
    fn push(&mut self, kind: Kind, text: Extent, raw: (usize, usize), whole: bool, plain: bool) {
        self.nodes.push(Node {
            kind,
            whole,
            ended: true,
            plain,
            verbatim: false,
            over: false,
            rule: None,
            text,
            raw: Extent::new(raw),
            end: narrow(self.nodes.len() + 1),
        });
    }

    fn end_text(&mut self) -> usize {
        let end = self.arena.len();
        self.arena.push('\0');
        end
    }
}

/// How a text stands in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// With escapes, all of them as they are written here.
    Canonical,
    Other,
    /// As the text itself.
    Plain,
}

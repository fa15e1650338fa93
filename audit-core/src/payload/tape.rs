//! The beginning of a payload as a list of nodes, with all its texts on one page.
//!
//! Both ways in, JSON and `Serialize`, write to it; key rules, pairs and path selectors are applied
//! while it is written. It is flat: no depth of input can overflow anything.

use super::assignment::is_path;
use super::key_rules::{Reach, Secret};
use super::keys::KeyWords;
use super::limits::PayloadLimits;
use super::marker;
use super::policy::Rules;
use super::selector::{PathVerdict, Place};
use super::word_set::WordSet;

/// What is looked at beyond the longest text that is kept: a secret that begins before the cut
/// shows its whole shape.
pub(super) const LOOKAHEAD: usize = 512;

/// Longer names than this are not taken apart in pairs.
const MAX_PAIR_NAME: usize = 128;

/// The rule's name for a value whose name was never seen.
const UNPAIRED: &str = "unpaired_value";

/// The rule's name for what a path selector takes away.
const BY_PATH: &str = "path";

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Array,
    /// A container that was not entered.
    Closed,
    False,
    Key,
    Null,
    Number,
    Object,
    String,
    True,
}

/// One value or key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'p> {
    pub(super) kind: Kind,
    /// All of it is on the tape: the text to its end, the container to its bracket.
    pub(super) whole: bool,
    /// Its end was seen in the input.
    pub(super) ended: bool,
    /// Its text stands for itself in JSON.
    pub(super) plain: bool,
    /// A container with more items than are kept.
    pub(super) over: bool,
    /// The rule that takes the whole value away.
    pub(super) rule: Option<&'p str>,
    /// Its text on the page.
    pub(super) text: Extent,
    /// Where it stands in the input.
    pub(super) raw: Extent,
    end: u32,
}

impl Node<'_> {
    /// The node after it and all that is in it.
    pub(super) fn end(&self) -> usize {
        self.end as usize
    }

    pub(super) fn has_text(&self) -> bool {
        matches!(self.kind, Kind::Key | Kind::Number | Kind::String)
    }
}

/// From where to where, small because there are many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    start: u32,
    end: u32,
}

impl Extent {
    fn new((start, end): (usize, usize)) -> Self {
        Self {
            start: narrow(start),
            end: narrow(end),
        }
    }

    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    pub(super) fn end(self) -> usize {
        self.end as usize
    }

    fn set_end(&mut self, end: usize) {
        self.end = narrow(end);
    }
}

/// No budget reaches as far as the limit of this.
fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// How much of an input goes on the tape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    bytes: usize,
    depth: usize,
    items: usize,
    pub(super) key_window: usize,
    pub(super) string_window: usize,
}

impl Bounds {
    pub(super) fn new(limits: &PayloadLimits) -> Self {
        Self {
            bytes: limits.bytes,
            depth: limits.depth,
            items: limits.items,
            key_window: PayloadLimits::MAX.key_chars + LOOKAHEAD,
            string_window: limits.string_chars + LOOKAHEAD,
        }
    }

    /// For JSON inside a text that was bounded already.
    pub(super) fn nested(bytes: usize) -> Self {
        Self {
            bytes: usize::MAX,
            depth: PayloadLimits::MAX.depth,
            items: usize::MAX,
            key_window: bytes,
            string_window: bytes,
        }
    }
}

/// What is to be done with the value that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Write it down.
    Enter,
    /// Pass over the rest of the container: it has enough items.
    Over,
    /// Pass over this container.
    Skip,
    /// The budget is used up.
    Stop,
}

/// What a key means for the value after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Role {
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

/// What is known of the value that comes next.
#[derive(Clone, Copy, Debug, Default)]
struct Expected<'p> {
    secret: Option<Secret<'p>>,
    role: Role,
}

/// What a key on the page was found to mean.
#[derive(Clone, Copy, Debug, Default)]
struct Meaning<'p> {
    start: usize,
    end: usize,
    secret: Option<Secret<'p>>,
    role: Role,
}

/// How many meanings are remembered.
const N_MEANINGS: usize = 32;

/// Where the meaning of a key is remembered.
fn slot(key: &[u8]) -> usize {
    let first = key.first().copied().unwrap_or(0);
    let last = key.last().copied().unwrap_or(0);
    (key.len() + 5 * usize::from(first) + 11 * usize::from(last)) % N_MEANINGS
}

#[derive(Debug)]
struct Frame<'p> {
    node: usize,
    is_object: bool,
    items: usize,
    role: Role,
    /// A name was seen, whatever it said.
    named: bool,
    /// What the name said about the value beside it.
    pair: Option<Secret<'p>>,
    /// A schema of a secret: only words of JSON Schema are kept.
    schema: Option<Secret<'p>>,
    is_schema: bool,
    paths: Vec<Place>,
    /// Where the frame's values begin in the list of all.
    values: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Tape<'p> {
    pub(super) nodes: Vec<Node<'p>>,
    pub(super) arena: String,
    /// U+0000 and the like, each replaced.
    pub(super) replaced: u32,
    /// Something was passed over unseen.
    pub(super) is_partial: bool,
    rules: &'p Rules,
    bounds: Bounds,
    frames: Vec<Frame<'p>>,
    values: Vec<usize>,
    pub(super) keys: KeyWords,
    meanings: [Meaning<'p>; N_MEANINGS],
    expected: Expected<'p>,
    /// Where the path selectors stand at the value that comes next.
    expected_paths: Vec<Place>,
    estimate: usize,
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
            meanings: [Meaning::default(); N_MEANINGS],
            expected: Expected::default(),
            expected_paths: rules.selectors().start(),
            estimate: 0,
            marks_are_ours,
        }
    }

    /// Room for an input of `bytes`, or for as much of it as is kept.
    pub(super) fn with_room(mut self, bytes: usize) -> Self {
        let bytes = std::cmp::min(bytes, self.bounds.bytes.saturating_add(LOOKAHEAD));
        self.arena.reserve(bytes);
        self.nodes.reserve(bytes / 16 + 8);
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

    /// Asks for room for one more item: a member before its key, an element before its value.
    pub(super) fn admit(&mut self) -> Admission {
        if self.estimate >= self.bounds.bytes {
            self.is_partial = true;
            return Admission::Stop;
        }
        let Some(frame) = self.frames.last_mut() else {
            return Admission::Enter;
        };
        if frame.items == self.bounds.items {
            self.nodes[frame.node].over = true;
            self.is_partial = true;
            return Admission::Over;
        }
        frame.items += 1;
        if !frame.is_object {
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
        Admission::Enter
    }

    /// A key whose text was put on the page from `start` on.
    pub(super) fn key(&mut self, start: usize, raw: (usize, usize), whole: bool) {
        let end = self.end_text();
        self.estimate += std::cmp::min(end - start, self.bounds.string_window) + 4;
        self.push(Kind::Key, (start, end), raw, whole);
        let Meaning {
            mut secret, role, ..
        } = self.meaning(start, end);
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        frame.named |= role == Role::Name;
        if let Some(schema) = frame.schema {
            let joined = self.keys.read(&self.arena[start..end]).joined();
            let is_definition = matches!(joined, b"type" | b"ref" | b"anyof" | b"oneof" | b"allof");
            frame.is_schema |= is_definition;
            let is_schema_word = is_definition || is_schema_word(joined);
            secret = if is_schema_word { None } else { Some(schema) };
        }
        // Nobody can read a key that was not seen to its end.
        if !whole {
            secret = secret.or(Some(Secret {
                rule: "oversized_key",
                reach: Reach::Any,
            }));
        }
        self.expected_paths.clear();
        if !frame.paths.is_empty() {
            let (next, verdict) = self
                .rules
                .selectors()
                .step_key(&frame.paths, &self.arena[start..end]);
            self.expected_paths = next;
            match verdict {
                Some(PathVerdict::Redact) => secret = Some(by_path()),
                Some(PathVerdict::Keep) => secret = None,
                None => {}
            }
        }
        self.expected = Expected { secret, role };
    }

    /// What the key at `start..end` of the page means. Records repeat their keys, so the last few
    /// are remembered.
    fn meaning(&mut self, start: usize, end: usize) -> Meaning<'p> {
        let key = &self.arena[start..end];
        let slot = slot(key.as_bytes());
        let known = self.meanings[slot];
        if known.end > 0 && self.arena[known.start..known.end] == *key {
            return known;
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
            start,
            end,
            secret: self.rules.secret(words),
            role,
        };
        self.meanings[slot] = meaning;
        meaning
    }

    /// A string whose text was put on the page from `start` on.
    pub(super) fn string(&mut self, start: usize, raw: (usize, usize), whole: bool) {
        let end = self.end_text();
        self.estimate += std::cmp::min(
            end - start,
            self.bounds.string_window.saturating_sub(LOOKAHEAD),
        ) + 3;
        self.is_partial |= !whole;
        self.push(Kind::String, (start, end), raw, whole);
        self.settle();
    }

    /// A number whose text was put on the page from `start` on.
    pub(super) fn number(&mut self, start: usize, raw: (usize, usize), whole: bool) {
        let end = self.end_text();
        self.estimate += std::cmp::min(end - start, 40) + 1;
        self.is_partial |= !whole;
        self.push(Kind::Number, (start, end), raw, whole);
        self.settle();
    }

    /// `true`, `false` or `null`.
    pub(super) fn word(&mut self, kind: Kind, raw: (usize, usize)) {
        self.estimate += 5;
        self.push(kind, (0, 0), raw, true);
        self.settle();
    }

    /// A container begins at `at`.
    pub(super) fn open(&mut self, is_object: bool, at: usize) -> Admission {
        self.estimate += 2;
        let expected = std::mem::take(&mut self.expected);
        let in_properties = self
            .frames
            .last()
            .is_some_and(|frame| frame.role == Role::Properties);
        let schema = expected.secret.filter(|_| in_properties && is_object);
        let is_secret = expected.secret.is_some() && schema.is_none();
        if is_secret || self.frames.len() >= self.bounds.depth {
            self.push(Kind::Closed, (0, 0), (at, at), false);
            self.expected = expected;
            self.settle();
            return Admission::Skip;
        }
        let node = self.nodes.len();
        let kind = if is_object { Kind::Object } else { Kind::Array };
        self.push(kind, (0, 0), (at, at), false);
        self.pair(node, expected.role);
        self.frames.push(Frame {
            node,
            is_object,
            items: 0,
            role: expected.role,
            named: false,
            pair: None,
            schema,
            is_schema: false,
            paths: std::mem::take(&mut self.expected_paths),
            values: self.values.len(),
        });
        Admission::Enter
    }

    /// The container that was passed over ended before `at`, or was not seen to its end.
    pub(super) fn skipped(&mut self, at: usize, whole: bool) {
        if let Some(node) = self.nodes.last_mut() {
            node.raw.set_end(at);
            node.whole = whole;
            node.ended = whole;
            // What a rule takes away needs no looking at.
            self.is_partial |= node.rule.is_none() || !whole;
        }
    }

    /// The newest text goes on beyond what is looked at.
    pub(super) fn unended(&mut self) {
        if let Some(node) = self.nodes.last_mut() {
            node.ended = false;
        }
    }

    /// The newest text was copied from the inside of a JSON string as it stands there.
    pub(super) fn plain(&mut self) {
        if let Some(node) = self.nodes.last_mut() {
            node.plain = true;
        }
    }

    /// The innermost container ended before `at`.
    pub(super) fn close(&mut self, at: usize) {
        let end = self.nodes.len();
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let node = &mut self.nodes[frame.node];
        node.whole = true;
        node.raw.set_end(at);
        node.end = narrow(end);
        let is_over = node.over;
        self.leave(&frame, is_over);
        self.expected = Expected::default();
    }

    /// Ends the tape, wherever it stands.
    pub(super) fn finish(&mut self) {
        let end = self.nodes.len();
        self.is_partial |= !self.frames.is_empty();
        while let Some(frame) = self.frames.pop() {
            let node = &mut self.nodes[frame.node];
            node.end = narrow(end);
            node.ended = false;
            self.leave(&frame, true);
        }
    }

    fn push(&mut self, kind: Kind, text: (usize, usize), raw: (usize, usize), whole: bool) {
        self.nodes.push(Node {
            kind,
            whole,
            ended: true,
            plain: false,
            over: false,
            rule: None,
            text: Extent::new(text),
            raw: Extent::new(raw),
            end: narrow(self.nodes.len() + 1),
        });
    }

    fn end_text(&mut self) -> usize {
        let end = self.arena.len();
        self.arena.push('\0');
        end
    }

    /// Applies to the newest node what was expected of it.
    fn settle(&mut self) {
        let node = self.nodes.len() - 1;
        let expected = std::mem::take(&mut self.expected);
        if let Some(secret) = expected.secret {
            self.redact(node, secret);
        }
        self.pair(node, expected.role);
    }

    /// Ties a name to the value beside it.
    fn pair(&mut self, node: usize, role: Role) {
        let Some(frame) = self.frames.last() else {
            return;
        };
        let (is_object, items) = (frame.is_object, frame.items);
        let in_pairs = frame.role == Role::Pairs;
        if is_object {
            match role {
                Role::Name => self.named(node),
                Role::Value => {
                    self.values.push(node);
                    if let Some(secret) = frame.pair {
                        self.redact(node, secret);
                    }
                }
                Role::FieldList | Role::Other | Role::Pairs | Role::Properties => {}
            }
        } else if frame.role != Role::FieldList {
            if items == 1 {
                self.named(node);
            } else if items == 2 {
                self.values.push(node);
            }
            // `["--password", "…"]`: a flag names the argument after it.
            let text = self.nodes[node].text;
            let is_flag = self.nodes[node].kind == Kind::String
                && self.arena[text.start()..text.end()].starts_with('-');
            let is_header = in_pairs && items % 2 == 1;
            if is_flag || is_header {
                self.expected.secret = self.secret_named(node);
            }
        }
    }

    fn secret_named(&mut self, node: usize) -> Option<Secret<'p>> {
        let Node { kind, text, .. } = self.nodes[node];
        if kind != Kind::String || text.end() - text.start() > MAX_PAIR_NAME {
            return None;
        }
        let name = &self.arena[text.start()..text.end()];
        if marker::is_in(name) {
            return None;
        }
        let words = self.keys.read(name);
        self.rules.secret(words)
    }

    fn named(&mut self, node: usize) {
        let Some(secret) = self.secret_named(node) else {
            return;
        };
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        frame.pair = Some(secret);
        if frame.is_object {
            for i in frame.values..self.values.len() {
                self.redact(self.values[i], secret);
            }
        }
    }

    /// Settles what can only be known at the end of a container.
    fn leave(&mut self, frame: &Frame<'p>, is_cut: bool) {
        let values = self.values.split_off(frame.values);
        if !frame.is_object {
            if frame.items == 2
                && let (Some(secret), Some(&value)) = (frame.pair, values.first())
            {
                self.redact(value, secret);
            }
        } else if is_cut && !frame.named {
            // The name may stand in what was not read.
            for value in values {
                self.redact(
                    value,
                    Secret {
                        rule: UNPAIRED,
                        reach: Reach::Text,
                    },
                );
            }
        }
        if let Some(schema) = frame.schema
            && !frame.is_schema
        {
            self.nodes[frame.node].rule = Some(schema.rule);
        }
    }

    /// Takes a value away, if it is of the kind that the rule is about.
    fn redact(&mut self, node: usize, secret: Secret<'p>) {
        let Node {
            kind, text, rule, ..
        } = self.nodes[node];
        let text = &self.arena[text.start()..text.end()];
        let applies = match kind {
            Kind::Array | Kind::Closed | Kind::Object => true,
            Kind::False | Kind::Key | Kind::Null | Kind::True => secret.rule == BY_PATH,
            Kind::Number => secret.reach == Reach::Any,
            Kind::String => reaches(text, secret),
        };
        let is_mark = self.marks_are_ours
            && kind == Kind::String
            && marker::leading(text) == Some(text.len());
        if applies && rule.is_none() && !is_mark {
            self.nodes[node].rule = Some(secret.rule);
        }
    }
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

fn by_path() -> Secret<'static> {
    Secret {
        rule: BY_PATH,
        reach: Reach::Any,
    }
}

/// The words of JSON Schema that describe a value without giving one.
fn is_schema_word(key: &[u8]) -> bool {
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

fn reaches(text: &str, secret: Secret<'_>) -> bool {
    let is_none = matches!(text, "" | "true" | "false" | "null" | "none" | "None");
    let is_fetch_mode =
        secret.rule == "credential" && matches!(text, "include" | "omit" | "same-origin");
    match secret.reach {
        _ if secret.rule == BY_PATH => true,
        Reach::Any => !text.is_empty() && !is_fetch_mode,
        Reach::NotPath => !is_none && !is_path(text.as_bytes()),
        Reach::Text => !is_none && !is_fetch_mode,
    }
}

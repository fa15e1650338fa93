//! The tape as canonical JSON that keeps to the budget of bytes.
//!
//! At each item it is known whether all open containers could still be closed with their marks.
//! Where that fails first, a whole payload may yet fit to the byte without marks, so writing goes on
//! and comes back to that place if it does not.

use super::escaping::{escape, escaped_room};
use super::leaf::{Leaf, fingerprint};
use super::limits::PayloadLimits;
use super::marker::{self, DUPLICATE, Size};
use super::node::{Kind, Node};
use super::policy::Rules;
use super::spans::Span;
use super::tape::Tape;
use super::{CallerCredential, Redaction};

/// The mark of a container that goes on where the budget ended.
const MORE: &str = "\"[TRUNCATED]\"";

/// What was written.
#[derive(Debug)]
pub(super) struct Emitted<'p> {
    pub(super) json: String,
    /// Rules, once for each redaction.
    pub(super) applied: Vec<&'p str>,
    pub(super) truncated: bool,
    /// Where marks stand.
    pub(super) marks: Vec<(usize, usize)>,
    /// Rule and place of each redaction, if asked for.
    pub(super) notes: Vec<Redaction>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    node: usize,
    end: usize,
    is_object: bool,
    n_items: usize,
    /// Where its keys begin in the list of all.
    keys: usize,
}

/// A state to come back to.
#[derive(Debug)]
struct State {
    item: usize,
    json: usize,
    applied: usize,
    marks: usize,
    stack: Vec<Open>,
    keys: Vec<(usize, usize)>,
}

/// Writes one tape.
#[derive(Debug)]
pub(super) struct Emitter<'t, 'p> {
    tape: &'t Tape<'p>,
    spans: &'t [Span<'p>],
    rules: &'p Rules,
    credentials: &'p [CallerCredential],
    limits: PayloadLimits,
    is_finished: bool,
    explains: bool,
    out: Emitted<'p>,
    stack: Vec<Open>,
    /// What closing the stack with its marks takes.
    reserved: usize,
    /// Where in the output the keys of open objects stand.
    keys: Vec<(usize, usize)>,
    leaf: Leaf,
}

impl<'t, 'p> Emitter<'t, 'p> {
    pub(super) fn new(
        tape: &'t Tape<'p>,
        spans: &'t [Span<'p>],
        rules: &'p Rules,
        credentials: &'p [CallerCredential],
        limits: PayloadLimits,
    ) -> Self {
        let room = std::cmp::min(limits.bytes, tape.arena.len() + tape.nodes.len() * 4 + 64);
        Self {
            tape,
            spans,
            rules,
            credentials,
            limits,
            is_finished: false,
            explains: false,
            out: Emitted {
                json: String::with_capacity(room),
                applied: Vec::new(),
                truncated: false,
                marks: Vec::new(),
                notes: Vec::new(),
            },
            stack: Vec::with_capacity(8),
            reserved: 0,
            keys: Vec::with_capacity(16),
            leaf: Leaf::default(),
        }
    }

    /// The tape holds all of the input.
    pub(super) fn finished(mut self, is_finished: bool) -> Self {
        self.is_finished = is_finished;
        self
    }

    /// Note the place of each redaction.
    pub(super) fn explaining(mut self, explains: bool) -> Self {
        self.explains = explains;
        self
    }

    pub(super) fn run(mut self) -> Emitted<'p> {
        let mut return_to: Option<State> = None;
        let mut i = 0;
        loop {
            while let Some(top) = self.stack.last().copied()
                && top.end == i
            {
                self.close(top, !self.tape.nodes[top.node].whole);
            }
            if i >= self.tape.nodes.len() {
                break;
            }
            let before = self.mark(i);
            let next = self.item(i);
            if self.out.json.len() + self.reserve() > self.limits.bytes {
                if return_to.is_none() && self.is_finished {
                    return_to = Some(self.state(before));
                }
                if !self.is_finished || self.out.json.len() + self.stack.len() > self.limits.bytes {
                    let state = return_to.unwrap_or_else(|| self.state(before));
                    self.finish_at(state);
                    break;
                }
            }
            i = next;
        }
        self.out
    }

    fn node(&self, i: usize) -> &'t Node<'p> {
        // Borrowed from the tape and not from here: nodes are large to copy.
        let tape: &'t Tape<'p> = self.tape;
        &tape.nodes[i]
    }

    /// Bytes that closing all containers with their marks takes.
    fn reserve(&self) -> usize {
        self.reserved
    }

    /// Writes the item at `i` with its key; where the next one is.
    fn item(&mut self, i: usize) -> usize {
        let Some(top) = self.stack.last().copied() else {
            return self.value(i);
        };
        let container = self.node(top.node);
        let is_last = top.n_items + 1 == self.limits.items;
        if is_last && !container.whole {
            // The mark that closes it is an item too.
            return top.end;
        }
        if is_last && container.over {
            self.comma();
            self.size_mark(container);
            if top.is_object {
                self.out.json.push_str(":true");
            }
            return top.end;
        }
        if !top.is_object {
            self.comma();
            return self.value(i);
        }
        if i + 1 >= top.end {
            // A key whose value was cut away.
            return top.end;
        }
        self.comma();
        self.key(i);
        self.value(i + 1)
    }

    fn comma(&mut self) {
        if let Some(top) = self.stack.last_mut() {
            if top.n_items > 0 {
                self.out.json.push(',');
            }
            top.n_items += 1;
        }
    }

    fn value(&mut self, i: usize) -> usize {
        let node = self.node(i);
        if let Some(rule) = node.rule {
            self.redacted(node, rule);
            return node.end();
        }
        match node.kind {
            Kind::Array | Kind::Object => {
                let is_object = node.kind == Kind::Object;
                self.out.json.push(if is_object { '{' } else { '[' });
                self.stack.push(Open {
                    node: i,
                    end: node.end(),
                    is_object,
                    n_items: 0,
                    keys: self.keys.len(),
                });
                self.reserved += closing(is_object);
                return i + 1;
            }
            Kind::Closed => self.size_mark(node),
            Kind::False => self.out.json.push_str("false"),
            Kind::Null => self.out.json.push_str("null"),
            Kind::True => self.out.json.push_str("true"),
            Kind::Key | Kind::String => self.string(node, self.limits.string_chars),
            Kind::Number => {
                let text = &self.tape.arena[node.text.start()..node.text.end()];
                if node.whole && self.spans_of(node).is_empty() && is_storable(text) {
                    self.out.json.push_str(text);
                } else {
                    self.string(node, self.limits.string_chars);
                }
            }
        }
        node.end()
    }

    fn redacted(&mut self, node: &'t Node<'p>, rule: &'p str) {
        let text = &self.tape.arena[node.text.start()..node.text.end()];
        let fingerprint = if node.whole && node.has_text() {
            fingerprint(self.rules, self.credentials, rule, text.as_bytes())
        } else {
            None
        };
        self.out.json.push('"');
        let start = self.out.json.len();
        marker::redacted(&mut self.out.json, rule, fingerprint.as_deref());
        self.out.marks.push((start, self.out.json.len()));
        self.out.json.push('"');
        self.applied(rule, node, 0);
    }

    /// The mark of a value that is left out or cut, as a string.
    fn size_mark(&mut self, node: &'t Node<'p>) {
        self.out.json.push('"');
        let start = self.out.json.len();
        marker::truncated(&mut self.out.json, size(node));
        self.out.marks.push((start, self.out.json.len()));
        self.out.json.push('"');
        self.out.truncated = true;
    }

    fn string(&mut self, node: &'t Node<'p>, chars: usize) {
        let text = &self.tape.arena[node.text.start()..node.text.end()];
        if node.whole && text.len() <= chars && self.spans_of(node).is_empty() {
            self.out.json.push('"');
            if node.plain {
                self.out.json.push_str(text);
            } else {
                escape(&mut self.out.json, text);
            }
            self.out.json.push('"');
            return;
        }
        self.read_leaf(node);
        let cut = self.leaf.cut(chars, size(node), !node.whole);
        self.out.truncated |= cut;
        self.write_leaf();
    }

    /// Puts the redacted text of `node` together.
    fn read_leaf(&mut self, node: &'t Node<'p>) {
        let spans = self.spans_of(node);
        let text = &self.tape.arena[node.text.start()..node.text.end()];
        self.leaf
            .redact(self.rules, self.credentials, text, node.text.start(), spans);
        for span in spans.iter().filter(|span| !span.is_mark) {
            self.applied(
                span.rule,
                node,
                span.start.saturating_sub(node.text.start()),
            );
        }
    }

    fn write_leaf(&mut self) {
        let Leaf { text, marks } = &self.leaf;
        self.out.json.push('"');
        let mut from = 0;
        for &(start, end) in marks {
            escape(&mut self.out.json, &text[from..start]);
            let at = self.out.json.len();
            self.out.json.push_str(&text[start..end]);
            self.out.marks.push((at, self.out.json.len()));
            from = end;
        }
        escape(&mut self.out.json, &text[from..]);
        self.out.json.push('"');
    }

    fn key(&mut self, i: usize) {
        let node = self.node(i);
        let start = self.out.json.len();
        self.string(node, self.limits.key_chars);
        let first = self.stack.last().map_or(0, |top| top.keys);
        let is_taken = |keys: &[(usize, usize)], json: &str, key: &str| {
            keys.iter()
                .any(|&(start, end)| end - start == key.len() && json[start..end] == *key)
        };
        let mut n = 1;
        while is_taken(&self.keys[first..], &self.out.json, &self.out.json[start..]) {
            // jsonb keeps the last of equal keys and forgets the others: tell them apart.
            n += 1;
            let suffix = format!("{DUPLICATE}{n}]");
            self.out.json.truncate(start);
            self.out.marks.retain(|&(_, end)| end <= start);
            let spans = self.spans_of(node);
            let text = &self.tape.arena[node.text.start()..node.text.end()];
            self.leaf
                .redact(self.rules, self.credentials, text, node.text.start(), spans);
            self.leaf.cut(
                self.limits.key_chars - suffix.len(),
                size(node),
                !node.whole,
            );
            let at = self.leaf.text.len();
            self.leaf.text.push_str(&suffix);
            self.leaf.marks.push((at, self.leaf.text.len()));
            self.write_leaf();
        }
        self.keys.push((start, self.out.json.len()));
        self.out.json.push(':');
    }

    fn spans_of(&self, node: &'t Node<'p>) -> &'t [Span<'p>] {
        let spans = self.spans;
        if spans.is_empty() {
            return spans;
        }
        let first = spans.partition_point(|span| span.end <= node.text.start());
        let n = spans[first..].partition_point(|span| span.start < node.text.end());
        &spans[first..first + n]
    }

    fn close(&mut self, top: Open, is_cut: bool) {
        if is_cut {
            self.out.truncated = true;
            if top.n_items > 0 {
                self.out.json.push(',');
            }
            let start = self.out.json.len() + 1;
            self.out.json.push_str(MORE);
            self.out.marks.push((start, self.out.json.len() - 1));
            if top.is_object {
                self.out.json.push_str(":true");
            }
        }
        self.out.json.push(if top.is_object { '}' } else { ']' });
        self.stack.pop();
        self.reserved -= closing(top.is_object);
        self.keys.truncate(top.keys);
    }

    fn applied(&mut self, rule: &'p str, node: &'t Node<'p>, offset: usize) {
        self.out.applied.push(rule);
        if self.explains {
            let place = self.place(node, offset);
            self.out.notes.push(Redaction::new(rule, place));
        }
    }

    /// Where in the output the value that is being written stands.
    fn place(&self, node: &'t Node<'p>, offset: usize) -> String {
        let mut place = String::from("$");
        for (i, open) in self.stack.iter().enumerate() {
            if open.is_object {
                let next = self
                    .stack
                    .get(i + 1)
                    .map_or(self.keys.len(), |next| next.keys);
                let key = self.keys[open.keys..next].last();
                // The key itself is being written.
                let key = key.filter(|_| node.kind != Kind::Key || i + 1 < self.stack.len());
                let name = key.map_or("(key)", |&(start, end)| &self.out.json[start + 1..end - 1]);
                place.push('.');
                place.push_str(name);
            } else {
                place.push_str(&format!("[{}]", open.n_items.saturating_sub(1)));
            }
        }
        if offset > 0 {
            place.push_str(&format!(" at byte {offset}"));
        }
        place
    }

    /// Where writing stands before item `i`.
    fn mark(&self, item: usize) -> (usize, usize, usize, usize, usize, Option<Open>) {
        let out = &self.out;
        let top = self.stack.last().copied();
        (
            item,
            out.json.len(),
            out.applied.len(),
            out.marks.len(),
            self.keys.len(),
            top,
        )
    }

    /// The state before an item that was just written: it opened at most one container.
    fn state(&self, before: (usize, usize, usize, usize, usize, Option<Open>)) -> State {
        let (item, json, applied, marks, n_keys, top) = before;
        let depth = self
            .stack
            .iter()
            .position(|open| Some(open.node) == top.map(|top| top.node));
        let mut stack = self.stack[..depth.unwrap_or(0)].to_vec();
        stack.extend(top);
        State {
            item,
            json,
            applied,
            marks,
            stack,
            keys: self.keys[..n_keys].to_vec(),
        }
    }

    /// Comes back to `state`, keeps what fits of its item and closes everything.
    fn finish_at(&mut self, state: State) {
        let item = state.item;
        self.restore(&state);
        let (value, is_member) = match self.stack.last() {
            Some(top) if top.is_object => (item + 1, true),
            _ => (item, false),
        };
        let fits = self.part_of(item, value, is_member);
        if !fits {
            self.restore(&state);
        }
        let mut reached = if fits { value + 1 } else { item };
        while let Some(top) = self.stack.last().copied() {
            let is_cut = reached < top.end || !self.tape.nodes[top.node].whole;
            self.close(top, is_cut);
            reached = top.end;
        }
        self.out.truncated = true;
    }

    fn restore(&mut self, state: &State) {
        self.out.json.truncate(state.json);
        self.out.applied.truncate(state.applied);
        if self.explains {
            self.out.notes.truncate(state.applied);
        }
        self.out.marks.truncate(state.marks);
        self.stack.clone_from(&state.stack);
        self.reserved = self.stack.iter().map(|open| closing(open.is_object)).sum();
        self.keys.clone_from(&state.keys);
    }

    /// Writes as much of a string as there is room for. False if it is none, or there is none.
    fn part_of(&mut self, item: usize, value: usize, is_member: bool) -> bool {
        let Some(node) = self.tape.nodes.get(value) else {
            return false;
        };
        if node.kind != Kind::String || node.rule.is_some() {
            return false;
        }
        self.comma();
        if is_member {
            self.key(item);
        }
        let mut mark = String::new();
        marker::truncated(&mut mark, size(node));
        let taken = self.out.json.len() + self.reserve() + mark.len() + 2;
        let Some(room) = self.limits.bytes.checked_sub(taken) else {
            return false;
        };
        self.read_leaf(node);
        let chars = self.limits.string_chars.saturating_sub(mark.len());
        let room = std::cmp::min(
            escaped_room(&self.leaf.text, room),
            super::cut::bytes_of_chars(&self.leaf.text, chars),
        );
        self.leaf.cut_at(room, !node.whole);
        let at = self.leaf.text.len();
        self.leaf.text.push_str(&mark);
        self.leaf.marks.push((at, self.leaf.text.len()));
        self.write_leaf();
        true
    }
}

/// Bytes that closing a container with its mark takes.
fn closing(is_object: bool) -> usize {
    let member = if is_object { ":true".len() } else { 0 };
    MORE.len() + member + ",}".len()
}

fn size(node: &Node<'_>) -> Size {
    Size {
        bytes: node.raw.end() - node.raw.start(),
        at_least: !node.ended,
    }
}

/// Numbers that every store takes and gives back in few characters: `1e131071` is eight bytes
/// here and 131,072 when Postgres prints it.
fn is_storable(text: &str) -> bool {
    const MAX_CHARS: usize = 40;
    if text.len() > MAX_CHARS {
        return false;
    }
    if text.len() < 18 && text.bytes().all(|b| b.is_ascii_digit()) {
        return true;
    }
    let (digits, exponent) = match text.find(['e', 'E']) {
        None => return text.parse().is_ok_and(f64::is_finite),
        Some(i) => (&text[..i], &text[i + 1..]),
    };
    let is_zero = !digits.bytes().any(|b| matches!(b, b'1'..=b'9'));
    let is_small = exponent
        .parse::<i32>()
        .is_ok_and(|e| e.unsigned_abs() <= 40);
    is_small && (is_zero || text.parse().is_ok_and(|n: f64| n.is_finite() && n != 0.0))
}

//! The tape as canonical JSON that keeps to the budget of bytes.
//!
//! At each item it is known whether all open containers could still be closed with their marks.
//! Where that fails first, a whole payload may yet fit to the byte without marks, so writing goes on
//! and comes back to that place if it does not.
//!
//! A container that would come out as it stands in the input is copied from there.

mod overflow;
mod strings;

use overflow::State;

use super::leaf::Leaf;
use super::limits::PayloadLimits;
use super::node::{Kind, Node};
use super::policy::Rules;
use super::spans::Span;
use super::tape::Tape;
use super::{CallerCredential, Redaction};

/// The mark of a container that goes on where the budget ended.
const MORE: &str = "\"[TRUNCATED]\"";

/// Writes one tape.
#[derive(Debug)]
pub(super) struct Emitter<'t, 'p> {
    tape: &'t Tape<'p>,
    spans: &'t [Span<'p>],
    rules: &'p Rules,
    credentials: &'p [CallerCredential],
    limits: PayloadLimits,
    input: Option<&'t str>,
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
        Self {
            tape,
            spans,
            rules,
            credentials,
            limits,
            input: None,
            is_finished: false,
            explains: false,
            out: Emitted::default(),
            stack: Vec::new(),
            reserved: 0,
            keys: Vec::new(),
            leaf: Leaf::default(),
        }
    }

    /// The beginning of what the tape was read from, whose spelling may be kept.
    pub(super) fn spelled_by(mut self, input: Option<&'t str>) -> Self {
        self.input = input;
        self
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

    /// The input, if all of it is written as it stands.
    pub(super) fn as_it_stands(&self) -> Option<&'t str> {
        let whole = self.tape.nodes.first()?;
        self.verbatim(whole).filter(|_| whole.rule.is_none())
    }

    pub(super) fn run(mut self) -> Emitted<'p> {
        let Tape { arena, nodes, .. } = self.tape;
        let room = std::cmp::min(self.limits.bytes, arena.len() + nodes.len() * 4 + 64);
        self.out.json.reserve(room);
        if nodes.len() > 1 {
            self.stack.reserve(8);
            self.keys.reserve(32);
        }
        let mut return_to: Option<State> = None;
        let mut i = 0;
        loop {
            while let Some(top) = self.stack.last()
                && top.end == i
            {
                let top = *top;
                self.close(top, !self.tape.nodes[top.node].whole);
            }
            if i >= self.tape.nodes.len() {
                break;
            }
            let before = self.mark(i);
            let next = self.item(i);
            if self.out.json.len() + self.reserve() > self.limits.bytes {
                if return_to.is_none() && self.is_finished {
                    return_to = Some(self.state(&before));
                }
                if !self.is_finished || self.out.json.len() + self.stack.len() > self.limits.bytes {
                    let state = return_to.unwrap_or_else(|| self.state(&before));
                    self.finish_at(state);
                    break;
                }
            }
            i = next;
        }
        self.out
    }

    fn node(&self, i: usize) -> &'t Node {
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
        let Some(top) = self.stack.last() else {
            return self.value(i);
        };
        let (end, is_object) = (top.end, top.is_object);
        if top.n_items + 1 == self.limits.items {
            let container = self.node(top.node);
            if !container.whole {
                // The mark that closes it is an item too.
                return end;
            }
            if container.over {
                self.comma();
                self.size_mark(container);
                if is_object {
                    self.out.json.push_str(":true");
                }
                return end;
            }
        }
        if !is_object {
            self.comma();
            return self.value(i);
        }
        if i + 1 >= end {
            // A key whose value was cut away.
            return end;
        }
        self.comma();
        self.key(i);
        self.value(i + 1)
    }

    #[inline]
    fn comma(&mut self) {
        if let Some(top) = self.stack.last_mut() {
            if top.n_items > 0 {
                self.out.json.push(',');
            }
            top.n_items += 1;
        }
    }

    #[inline]
    fn value(&mut self, i: usize) -> usize {
        let node = self.node(i);
        if let Some(rule) = node.rule {
            self.redacted(node, rule.name());
            return node.end();
        }
        match node.kind {
            Kind::Array | Kind::Object => {
                if let Some(json) = self.verbatim(node) {
                    self.out.json.push_str(json);
                    return node.end();
                }
                let is_object = node.kind == Kind::Object;
                self.out.json.push(if is_object { '{' } else { '[' });
                self.stack.push(Open {
                    node: i,
                    end: node.end(),
                    is_object,
                    n_items: 0,
                    keys: self.keys.len(),
                    seen: 0,
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
                if node.plain && self.spans_of(node).is_empty() {
                    self.out.json.push_str(text);
                } else {
                    self.string(node, self.limits.string_chars);
                }
            }
        }
        node.end()
    }

    /// The container as it stands in the input, if that is how it is to be written and the budget
    /// cannot end inside it.
    fn verbatim(&self, node: &'t Node) -> Option<&'t str> {
        if !node.verbatim || !self.spans_of(node).is_empty() {
            return None;
        }
        let json = self.input?.get(node.raw.start()..node.raw.end())?;
        let inner = self.limits.depth * closing(true);
        if self.out.json.len() + json.len() + self.reserve() + inner > self.limits.bytes {
            return None;
        }
        Some(json)
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

    fn applied(&mut self, rule: &'p str, node: &'t Node, offset: usize) {
        self.out.applied.push(rule);
        if self.explains {
            let place = self.place(node, offset);
            self.out.notes.push(Redaction::new(rule, place));
        }
    }

    /// Where in the output the value that is being written stands.
    fn place(&self, node: &'t Node, offset: usize) -> String {
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
}

/// What was written.
#[derive(Debug, Default)]
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
    /// What its keys look like, a bit for each look: a key of another look was not there before.
    seen: u64,
}

/// Bytes that closing a container with its mark takes.
fn closing(is_object: bool) -> usize {
    let member = if is_object { ":true".len() } else { 0 };
    MORE.len() + member + ",}".len()
}

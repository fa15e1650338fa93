//! Where the budget of bytes ends: back to the last item that leaves room for the marks, and what
//! still fits of the next.

use super::strings::size;
use super::{Emitter, Open, closing};
use crate::payload::cut::bytes_of_chars;
use crate::payload::escaping::escaped_room;
use crate::payload::marker;
use crate::payload::node::Kind;

/// A state to come back to.
#[derive(Debug)]
pub(super) struct State {
    item: usize,
    json: usize,
    applied: usize,
    marks: usize,
    stack: Vec<Open>,
    keys: Vec<(usize, usize)>,
}

/// Where writing stood before an item.
#[derive(Debug)]
pub(super) struct Mark {
    item: usize,
    json: usize,
    applied: usize,
    marks: usize,
    keys: usize,
    depth: usize,
    /// Items of the innermost container.
    n_items: usize,
}

impl Emitter<'_, '_> {
    /// Where writing stands before item `i`.
    #[inline]
    pub(super) fn mark(&self, item: usize) -> Mark {
        let out = &self.out;
        Mark {
            item,
            json: out.json.len(),
            applied: out.applied.len(),
            marks: out.marks.len(),
            keys: self.keys.len(),
            depth: self.stack.len(),
            n_items: self.stack.last().map_or(0, |top| top.n_items),
        }
    }

    /// The state before an item that was just written: it opened at most one container.
    pub(super) fn state(&self, before: &Mark) -> State {
        let mut stack = self.stack[..before.depth].to_vec();
        if let Some(top) = stack.last_mut() {
            top.n_items = before.n_items;
        }
        State {
            item: before.item,
            json: before.json,
            applied: before.applied,
            marks: before.marks,
            stack,
            keys: self.keys[..before.keys].to_vec(),
        }
    }

    /// Comes back to `state`, keeps what fits of its item and closes everything.
    pub(super) fn finish_at(&mut self, state: State) {
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
            bytes_of_chars(&self.leaf.text, chars),
        );
        self.leaf.cut_at(room, !node.whole);
        let at = self.leaf.text.len();
        self.leaf.text.push_str(&mark);
        self.leaf.marks.push((at, self.leaf.text.len()));
        self.write_leaf();
        true
    }
}

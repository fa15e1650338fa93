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

impl Emitter<'_, '_> {
    /// Where writing stands before item `i`.
    pub(super) fn mark(&self, item: usize) -> (usize, usize, usize, usize, usize, Option<Open>) {
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
    pub(super) fn state(&self, before: (usize, usize, usize, usize, usize, Option<Open>)) -> State {
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

//! Strings and keys in the output, and the marks that stand in their place.

use super::Emitter;
use crate::payload::escaping::escape;
use crate::payload::leaf::{Leaf, fingerprint};
use crate::payload::marker::{self, DUPLICATE, Size};
use crate::payload::node::Node;
use crate::payload::spans::{Span, within};

impl<'t, 'p> Emitter<'t, 'p> {
    pub(super) fn redacted(&mut self, node: &'t Node, rule: &'p str) {
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
    pub(super) fn size_mark(&mut self, node: &'t Node) {
        self.out.json.push('"');
        let start = self.out.json.len();
        marker::truncated(&mut self.out.json, size(node));
        self.out.marks.push((start, self.out.json.len()));
        self.out.json.push('"');
        self.out.truncated = true;
    }

    #[inline]
    pub(super) fn string(&mut self, node: &'t Node, chars: usize) {
        let (start, end) = (node.text.start(), node.text.end());
        let is_kept = node.whole && end - start <= chars;
        if !is_kept || !self.spans_of(node).is_empty() {
            return self.cut_string(node, chars);
        }
        let text = &self.tape.arena[start..end];
        self.out.json.push('"');
        if node.plain {
            self.out.json.push_str(text);
        } else {
            escape(&mut self.out.json, text);
        }
        self.out.json.push('"');
    }

    /// Writes what the rules and the limits leave of a string.
    fn cut_string(&mut self, node: &'t Node, chars: usize) {
        self.read_leaf(node);
        let cut = self.leaf.cut(chars, size(node), !node.whole);
        self.out.truncated |= cut;
        self.write_leaf();
    }

    pub(super) fn key(&mut self, i: usize) {
        let node = self.node(i);
        let start = self.out.json.len();
        self.string(node, self.limits.key_chars);
        let (first, seen) = self.stack.last().map_or((0, 0), |top| (top.keys, top.seen));
        let mut look = look(&self.out.json.as_bytes()[start..]);
        if seen & look != 0 && self.is_taken(first, start) {
            self.number_key(node, first, start);
            look = self::look(&self.out.json.as_bytes()[start..]);
        }
        if let Some(top) = self.stack.last_mut() {
            top.seen |= look;
        }
        self.keys.push((start, self.out.json.len()));
        self.out.json.push(':');
    }

    /// The key that was written at `start` stands among those from `first` on.
    fn is_taken(&self, first: usize, start: usize) -> bool {
        let json = self.out.json.as_bytes();
        let key = &json[start..];
        self.keys[first..]
            .iter()
            .any(|&(start, end)| json[start..end] == *key)
    }

    /// jsonb keeps the last of equal keys and forgets the others: tells them apart by a number.
    fn number_key(&mut self, node: &'t Node, first: usize, start: usize) {
        let mut n = 1;
        while self.is_taken(first, start) {
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
    }

    /// Puts the redacted text of `node` together.
    pub(super) fn read_leaf(&mut self, node: &'t Node) {
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

    pub(super) fn write_leaf(&mut self) {
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

    #[inline]
    pub(super) fn spans_of(&self, node: &'t Node) -> &'t [Span<'p>] {
        within(self.spans, node.text)
    }
}

/// One bit of 64, the same for equal keys.
fn look(key: &[u8]) -> u64 {
    let middle = key[key.len() / 2];
    let last = key[key.len().saturating_sub(2)];
    let mixed = key.len() + 7 * usize::from(middle) + 13 * usize::from(last);
    1 << (mixed % 64)
}

pub(super) fn size(node: &Node) -> Size {
    Size {
        bytes: node.raw.end() - node.raw.start(),
        at_least: !node.ended,
    }
}

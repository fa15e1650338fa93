//! What was found in a text, and by which rule.

use super::node::Extent;

/// A stretch of text that a rule takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span<'p> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rule: &'p str,
    /// A mark of an earlier pass: it stays as it is.
    pub(super) is_mark: bool,
}

impl<'p> Span<'p> {
    pub(super) fn new(start: usize, end: usize, rule: &'p str) -> Self {
        Self {
            start,
            end,
            rule,
            is_mark: false,
        }
    }

    pub(super) fn mark(start: usize, end: usize) -> Self {
        Self {
            is_mark: true,
            ..Self::new(start, end, "")
        }
    }
}

/// Those of `spans`, which are in order, that reach into `text`.
#[inline]
pub(super) fn within<'s, 'p>(spans: &'s [Span<'p>], text: Extent) -> &'s [Span<'p>] {
    if spans.is_empty() {
        return spans;
    }
    let first = spans.partition_point(|span| span.end <= text.start());
    let n = spans[first..].partition_point(|span| span.start < text.end());
    &spans[first..first + n]
}

/// What of `spans` lies outside of `marks`, which are in order.
pub(super) fn outside<'p>(spans: &[Span<'p>], marks: &[Span<'p>]) -> Vec<Span<'p>> {
    let mut pieces = Vec::with_capacity(spans.len() + marks.len());
    for span in spans {
        let mut from = span.start;
        let first = marks.partition_point(|mark| mark.end <= span.start);
        for mark in marks[first..]
            .iter()
            .take_while(|mark| mark.start < span.end)
        {
            pieces.push(Span::new(from, mark.start, span.rule));
            from = mark.end;
        }
        pieces.push(Span::new(from, span.end, span.rule));
    }
    pieces
}

/// Sorts `spans` and joins those that overlap; the first one, or else the longest, names the rule.
pub(super) fn merge(spans: &mut Vec<Span<'_>>) {
    spans.retain(|span| span.start < span.end);
    if spans.len() < 2 {
        return;
    }
    spans.sort_by(|a, b| {
        let order = |span: &Span<'_>| (span.start, std::cmp::Reverse(span.end));
        order(a).cmp(&order(b)).then_with(|| a.rule.cmp(b.rule))
    });
    let mut kept = 0;
    for i in 1..spans.len() {
        let next = spans[i];
        let last = &mut spans[kept];
        if next.start < last.end {
            last.end = std::cmp::max(last.end, next.end);
        } else {
            kept += 1;
            spans[kept] = next;
        }
    }
    spans.truncate(kept + 1);
}

//! What was found in a text, and by which rule.

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
}

/// Sorts `spans` and joins those that overlap; the first one, or else the longest, names the rule.
pub(super) fn merge(spans: &mut Vec<Span<'_>>) {
    spans.retain(|span| span.start < span.end);
    if spans.len() < 2 {
        return;
    }
    // A mark sorts before a finding of the same extent and so keeps its own wording.
    spans.sort_by(|a, b| {
        (a.start, std::cmp::Reverse(a.end), !a.is_mark, a.rule).cmp(&(
            b.start,
            std::cmp::Reverse(b.end),
            !b.is_mark,
            b.rule,
        ))
    });
    let mut kept = 0;
    for i in 1..spans.len() {
        let next = spans[i];
        let last = &mut spans[kept];
        if next.start < last.end {
            if next.end > last.end {
                last.end = next.end;
                last.is_mark = false;
            }
        } else {
            kept += 1;
            spans[kept] = next;
        }
    }
    spans.truncate(kept + 1);
}

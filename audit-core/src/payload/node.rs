//! The nodes of a tape: one for each value and each key.

use super::secret::KeyRule;

/// One value or key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// All of it is on the tape: the text to its end, the container to its bracket.
    pub(super) whole: bool,
    /// Its end was seen in the input.
    pub(super) ended: bool,
    /// Its text stands for itself in JSON.
    pub(super) plain: bool,
    /// A container that is written as it stands in the input, if nothing is found in its texts.
    pub(super) verbatim: bool,
    /// A container with more items than are kept.
    pub(super) over: bool,
    /// The rule that takes the whole value away.
    pub(super) rule: Option<KeyRule>,
    /// Its text on the page; of a container, all texts in it.
    pub(super) text: Extent,
    /// Where it stands in the input.
    pub(super) raw: Extent,
    pub(super) end: u32,
}

impl Node {
    /// The node after it and all that is in it.
    pub(super) fn end(&self) -> usize {
        self.end as usize
    }

    pub(super) fn has_text(&self) -> bool {
        matches!(self.kind, Kind::Key | Kind::Number | Kind::String)
    }
}

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

/// From where to where, small because there are many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    start: u32,
    end: u32,
}

impl Extent {
    pub(super) fn new((start, end): (usize, usize)) -> Self {
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

    pub(super) fn set_end(&mut self, end: usize) {
        self.end = narrow(end);
    }
}

/// No budget reaches as far as the limit of this.
pub(super) fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

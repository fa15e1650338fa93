//! How far an input is written down, so that no input costs more than the limits say.

use super::limits::PayloadLimits;

/// What is looked at beyond the longest text that is kept: a secret that begins before the cut
/// shows its whole shape.
pub(super) const LOOKAHEAD: usize = 512;

/// How much of an input goes on the tape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) bytes: usize,
    pub(super) depth: usize,
    pub(super) items: usize,
    pub(super) key_chars: usize,
    pub(super) key_window: usize,
    pub(super) string_chars: usize,
    pub(super) string_window: usize,
    /// A key that comes again stands on the page once: not where what is found there is looked for
    /// in the input, text by text.
    pub(super) shares_keys: bool,
}

impl Bounds {
    pub(super) fn new(limits: &PayloadLimits) -> Self {
        Self {
            bytes: limits.bytes,
            depth: limits.depth,
            items: limits.items,
            key_chars: limits.key_chars,
            key_window: PayloadLimits::MAX.key_chars + LOOKAHEAD,
            string_chars: limits.string_chars,
            string_window: limits.string_chars + LOOKAHEAD,
            shares_keys: true,
        }
    }

    /// How much of an input that has nothing long in it goes on the tape.
    pub(super) fn input(&self) -> usize {
        self.bytes.saturating_add(LOOKAHEAD)
    }

    /// For JSON inside a text that was bounded already.
    pub(super) fn nested(bytes: usize) -> Self {
        Self {
            bytes: usize::MAX,
            depth: PayloadLimits::MAX.depth,
            items: usize::MAX,
            key_chars: bytes,
            key_window: bytes,
            string_chars: bytes,
            string_window: bytes,
            shares_keys: false,
        }
    }
}

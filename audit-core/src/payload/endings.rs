//! How the words of the rules end. Most names end otherwise, so no rule is about them, and they
//! need not be taken apart to know it.

/// The last letters of a name without its case, its signs and its digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    /// A byte for each of the last four.
    tail: u32,
    /// `key` or `secret` stands somewhere: those words are also looked for before the last one.
    has_inner: bool,
}

impl Ending {
    /// The ending of `name`; none where letters may be other than they seem, or brackets begin a
    /// mark.
    pub(super) fn of(name: &str) -> Option<Self> {
        const KEY: u32 = tail(b"key");
        const SECRET: u32 = tail(b"secret");
        let mut tail = 0u32;
        let (mut has_inner, mut is_other) = (false, false);
        for b in name.bytes() {
            is_other |= (b >= 0x80) | (b == b'[');
            tail = tail << 8 | u32::from(b | 0x20);
            has_inner |= (tail & 0xff_ffff == KEY) | (tail == SECRET);
        }
        if is_other {
            return None;
        }
        if !tail.to_be_bytes().iter().all(u8::is_ascii_lowercase) {
            let letters = name.bytes().filter(u8::is_ascii_alphabetic);
            tail = letters.fold(0, |tail, b| tail << 8 | u32::from(b | 0x20));
        }
        Some(Self { tail, has_inner })
    }
}

/// The endings of a list of words.
#[derive(Debug)]
pub(super) struct EndingSet {
    bits: [u64; 32],
}

impl EndingSet {
    pub(super) const fn new(words: &[&str]) -> Self {
        Self { bits: [0; 32] }.and(words)
    }

    /// These endings and those of `words`.
    pub(super) const fn and(mut self, words: &[&str]) -> Self {
        let mut i = 0;
        while i < words.len() {
            let (at, bit) = place(tail(words[i].as_bytes()));
            self.bits[at] |= bit;
            i += 1;
        }
        self
    }

    /// Whether a name with this ending may end in one of the words: certain only if not.
    pub(super) fn may_have(&self, ending: Ending) -> bool {
        let has = |tail| {
            let (at, bit) = place(tail);
            self.bits[at] & bit != 0
        };
        ending.has_inner || has(ending.tail) || has(ending.tail & 0xff_ffff)
    }
}

/// The last letters of a word of at least three.
const fn tail(word: &[u8]) -> u32 {
    let mut tail = 0;
    let mut i = word.len().saturating_sub(4);
    assert!(word.len() > 2, "a shorter word has no ending of its own");
    while i < word.len() {
        assert!(
            word[i].is_ascii_lowercase(),
            "names are compared in letters"
        );
        tail = tail << 8 | word[i] as u32;
        i += 1;
    }
    tail
}

const fn place(tail: u32) -> (usize, u64) {
    let mixed = tail.wrapping_mul(0x9e37_79b1) >> 21;
    ((mixed / 64) as usize, 1 << (mixed % 64))
}

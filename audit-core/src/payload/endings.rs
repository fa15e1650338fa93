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
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        let marks = Marks::of(name);
        if marks.has_bracket || !marks.is_ascii && !name.iter().all(|&b| is_as_it_seems(b)) {
            return None;
        }
        let has_inner =
            marks.has_y && has_inner(name, b"key") || marks.has_c && has_inner(name, b"secret");
        let last = name
            .last_chunk()
            .map(|last: &[u8; 4]| last.map(|b| b | 0x20));
        let tail = match last {
            Some(last) if last.iter().all(u8::is_ascii_lowercase) => u32::from_be_bytes(last),
            _ => {
                let letters = name.iter().filter(|b| b.is_ascii_alphabetic());
                letters.fold(0, |tail, b| tail << 8 | u32::from(b | 0x20))
            }
        };
        Some(Self { tail, has_inner })
    }
}

/// Whether no character of this byte has a plain form: ASCII is plain, Chinese, Japanese and Korean
/// letters have none. These begin with the bytes up to 0xee and go on with those from 0x80.
fn is_as_it_seems(b: u8) -> bool {
    matches!(b, 0..0xc0 | 0xe3..=0xee)
}

fn has_inner(name: &[u8], word: &[u8]) -> bool {
    let mut places = name.windows(word.len());
    places.any(|place| place.eq_ignore_ascii_case(word))
}

/// What stands somewhere in a name.
#[derive(Clone, Copy, Debug)]
struct Marks {
    has_c: bool,
    has_y: bool,
    has_bracket: bool,
    is_ascii: bool,
}

impl Marks {
    fn of(name: &[u8]) -> Self {
        let (mut c, mut y, mut bracket, mut high) = (0, 0, 0, 0);
        let mut add = |word: u64| {
            let lower = word | (ONES * 0x20);
            c |= zeros(lower ^ (ONES * 0x63));
            y |= zeros(lower ^ (ONES * 0x79));
            bracket |= zeros(word ^ (ONES * 0x5b));
            high |= word;
        };
        // Eight bytes at a time; what stands in two words is seen twice.
        if let Some(last) = name.last_chunk() {
            for word in name.as_chunks().0 {
                add(u64::from_le_bytes(*word));
            }
            add(u64::from_le_bytes(*last));
        } else if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            let half = |half: [u8; 4]| u64::from(u32::from_le_bytes(half));
            add(half(*first) | half(*last) << 32);
        } else {
            add(name.iter().fold(0, |word, &b| word << 8 | u64::from(b)));
        }
        let is_marked = |marks: u64| marks & (ONES << 7) != 0;
        Self {
            has_c: is_marked(c),
            has_y: is_marked(y),
            has_bracket: is_marked(bracket),
            is_ascii: !is_marked(high),
        }
    }
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);

/// A mark on the highest bit of a byte, if any byte is zero.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_name_is_seen_wherever_it_stands() {
        for length in 3..40 {
            for at in 0..length {
                let with = |what: &str| {
                    let mut name = "a".repeat(length);
                    name.insert_str(at, what);
                    Ending::of(name.as_bytes())
                };
                let has_inner = |what| with(what).map(|ending| ending.has_inner);
                assert_eq!(has_inner("key"), Some(true), "{length} {at}");
                assert_eq!(has_inner("SecreT"), Some(true), "{length} {at}");
                assert_eq!(has_inner("secre-t"), Some(false), "{length} {at}");
                assert_eq!(has_inner("k_y"), Some(false), "{length} {at}");
                assert_eq!(has_inner("["), None, "{length} {at}");
                assert_eq!(has_inner("é"), None, "{length} {at}");
                assert_eq!(has_inner("ｋey"), None, "{length} {at}");
                assert_eq!(has_inner("壊key"), Some(true), "{length} {at}");
                assert_eq!(has_inner("壊れた"), Some(false), "{length} {at}");
            }
        }
    }

    #[test]
    fn the_shortest_names_are_read_to_their_end() {
        let has_inner = |name: &str| Ending::of(name.as_bytes()).map(|ending| ending.has_inner);
        assert_eq!(has_inner("key"), Some(true));
        assert_eq!(has_inner("KEY"), Some(true));
        for name in ["", "k", "cy", "kez", "壊"] {
            assert_eq!(has_inner(name), Some(false), "{name}");
        }
        for name in ["[", "a[", "[b", "a[c", "é", "éa", "aé"] {
            assert_eq!(has_inner(name), None, "{name}");
        }
    }
}

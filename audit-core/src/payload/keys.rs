//! Keys taken apart: `X-API-Key`, `xApiKey` and `x_api_key` are the same three words.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The words of one key, in lower case, with room that is used again for the next.
#[derive(Debug, Default)]
pub(super) struct KeyWords {
    joined: Vec<u8>,
    ends: Vec<usize>,
}

impl KeyWords {
    /// Takes `key` apart.
    pub(super) fn read(&mut self, key: &str) -> &Self {
        self.joined.clear();
        self.ends.clear();
        // Room for an ordinary key, which few payloads need.
        self.joined.reserve(48);
        self.ends.reserve(8);
        if key.is_ascii() || !key.chars().any(may_be_latin) {
            self.split(key.as_bytes());
        } else {
            // Full-width and other compatibility letters become plain ones, accents fall away.
            let plain: String = key
                .nfkd()
                .filter(|&c| !is_combining_mark(c) && !is_invisible(c))
                .collect();
            self.split(plain.as_bytes());
        }
        self
    }

    /// All words without a gap.
    pub(super) fn joined(&self) -> &[u8] {
        &self.joined
    }

    /// The words in order.
    pub(super) fn words(&self) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
        (0..self.ends.len()).map(|i| {
            let start = if i == 0 { 0 } else { self.ends[i - 1] };
            &self.joined[start..self.ends[i]]
        })
    }

    fn split(&mut self, key: &[u8]) {
        let mut last = Class::Other;
        for (i, &b) in key.iter().enumerate() {
            let class = CLASSES[usize::from(b)];
            match class {
                Class::Digit | Class::Letter => self.joined.push(b),
                Class::Other => self.end_word(),
                Class::Upper => {
                    let next_is_lower = key.get(i + 1).is_some_and(u8::is_ascii_lowercase);
                    if last != Class::Upper || next_is_lower {
                        self.end_word();
                    }
                    self.joined.push(b.to_ascii_lowercase());
                }
            }
            last = class;
        }
        self.end_word();
        self.drop_prefix();
    }

    fn end_word(&mut self) {
        let start = self.ends.last().copied().unwrap_or(0);
        // `password1` and `items[0].token` mean what they mean without their numbers.
        while self.joined.len() > start && self.joined.last().is_some_and(u8::is_ascii_digit) {
            self.joined.pop();
        }
        if self.joined.len() > start {
            self.ends.push(self.joined.len());
        }
    }

    /// `X-Api-Key` and `HTTP_AUTHORIZATION` say where they stand before they say what they are.
    fn drop_prefix(&mut self) {
        if self.ends.len() < 2 {
            return;
        }
        let n = self.ends[0];
        if matches!(&self.joined[..n], b"x" | b"http" | b"header") {
            self.joined.drain(..n);
            self.ends.remove(0);
            self.ends.iter_mut().for_each(|end| *end -= n);
        }
    }
}

/// What a byte is in a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Digit,
    /// In lower case, or of a script that has none here.
    Letter,
    Other,
    Upper,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut b = 0u8;
    loop {
        classes[b as usize] = match b {
            b'0'..=b'9' => Class::Digit,
            b'a'..=b'z' | 0x80.. => Class::Letter,
            b'A'..=b'Z' => Class::Upper,
            _ => Class::Other,
        };
        if b == u8::MAX {
            break classes;
        }
        b += 1;
    }
};

/// Letters that have a plain form: not those of Chinese, Japanese and Korean text.
fn may_be_latin(c: char) -> bool {
    !c.is_ascii() && !matches!(c, '\u{3000}'..='\u{fdff}')
}

/// Characters that a reader does not see and that would hide a word's spelling.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

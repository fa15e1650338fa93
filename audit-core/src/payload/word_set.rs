//! Short lists of words that are asked about for every key.

/// A list of words that says quickly which words are not in it.
#[derive(Debug)]
pub(super) struct WordSet {
    words: &'static [&'static str],
    /// By length: which letters its words begin and end with.
    first: [u32; MAX_LEN],
    last: [u32; MAX_LEN],
}

/// No word of any list is as long as this.
const MAX_LEN: usize = 32;

impl WordSet {
    pub(super) const fn new(words: &'static [&'static str]) -> Self {
        let (mut first, mut last) = ([0; MAX_LEN], [0; MAX_LEN]);
        let mut i = 0;
        while i < words.len() {
            let word = words[i].as_bytes();
            first[word.len()] |= letter(word[0]);
            last[word.len()] |= letter(word[word.len() - 1]);
            i += 1;
        }
        Self { words, first, last }
    }

    #[cfg(test)]
    pub(super) fn words(&self) -> &'static [&'static str] {
        self.words
    }

    pub(super) fn has(&self, word: &[u8]) -> bool {
        self.position(word).is_some()
    }

    /// Where `word` stands in the list.
    pub(super) fn position(&self, word: &[u8]) -> Option<usize> {
        let (&a, &z) = (word.first()?, word.last()?);
        let n = word.len();
        if n >= MAX_LEN || self.first[n] & letter(a) == 0 || self.last[n] & letter(z) == 0 {
            return None;
        }
        self.words.iter().position(|entry| entry.as_bytes() == word)
    }
}

const fn letter(b: u8) -> u32 {
    1 << (b & 31)
}

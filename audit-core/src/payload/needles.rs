//! Literal search for the spellings of one credential.
//!
//! A gateway prepares a search for every request, and most of what it looks through is short. So
//! preparing has to cost next to nothing: what is built at once is a set of the pairs of bytes that
//! spellings begin with. The vectorized search, which takes longer to build than a short page takes
//! to read, waits until there was much to look through: a long page, or many.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use aho_corasick::packed::{Config, MatchKind, Searcher};

/// What is looked for, the longest first.
pub(super) struct Needles {
    all: Vec<Box<[u8]>>,
    begins: Pairs,
    /// How many bytes were looked through without it, until it is built.
    n_searched: AtomicUsize,
    /// `None` within, where the processor has no such search.
    vectorized: OnceLock<Option<Searcher>>,
}

/// From how many bytes on the vectorized search is worth its preparation.
const MANY: usize = 16 << 10;

impl Needles {
    /// Takes needles of at least two bytes each.
    pub(super) fn new(mut all: Vec<Box<[u8]>>) -> Self {
        // Where several begin at the same place, the longest is found.
        all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
        let mut begins = Pairs::default();
        for needle in &all {
            if let [first, second, ..] = **needle {
                begins.add(first, second);
            }
        }
        Self {
            all,
            begins,
            n_searched: AtomicUsize::new(0),
            vectorized: OnceLock::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.all.iter().map(|needle| &**needle)
    }

    /// The first place at or behind `from` where one stands, and the length of the longest there.
    pub(super) fn find(&self, page: &[u8], mut from: usize) -> Option<(usize, usize)> {
        loop {
            let start = self.candidate(page, from)?;
            let found = self.iter().find(|needle| page[start..].starts_with(needle));
            if let Some(needle) = found {
                return Some((start, needle.len()));
            }
            from = start + 1;
        }
    }

    /// The first place where one may stand.
    fn candidate(&self, page: &[u8], from: usize) -> Option<usize> {
        if self.all.is_empty() {
            return None;
        }
        if let Some(searcher) = self.vectorized(page.len() - from) {
            let span = from..page.len();
            return searcher
                .find_in(page, span.into())
                .map(|found| found.start());
        }
        let pairs = page[from..].windows(2);
        pairs
            .enumerate()
            .find(|(_, pair)| self.begins.has(pair[0], pair[1]))
            .map(|(at, _)| from + at)
    }

    /// The vectorized search, once it is worth it for so many bytes more.
    fn vectorized(&self, n_bytes: usize) -> Option<&Searcher> {
        if let Some(searcher) = self.vectorized.get() {
            return searcher.as_ref();
        }
        let before = self.n_searched.fetch_add(n_bytes, Ordering::Relaxed);
        if before.saturating_add(n_bytes) < MANY {
            return None;
        }
        let searcher = self.vectorized.get_or_init(|| {
            let mut builder = Config::new().match_kind(MatchKind::LeftmostFirst).builder();
            builder.extend(&self.all).build()
        });
        searcher.as_ref()
    }
}

/// A set of pairs of bytes, in which a few more seem to be than were put in.
struct Pairs([u64; 64]);

impl Default for Pairs {
    fn default() -> Self {
        Self([0; 64])
    }
}

impl Pairs {
    fn add(&mut self, first: u8, second: u8) {
        let (word, bit) = Self::place(first, second);
        self.0[word] |= bit;
    }

    fn has(&self, first: u8, second: u8) -> bool {
        let (word, bit) = Self::place(first, second);
        self.0[word] & bit != 0
    }

    fn place(first: u8, second: u8) -> (usize, u64) {
        let number = usize::from(first) ^ usize::from(second) << 4;
        (number >> 6, 1 << (number & 63))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn needles(texts: &[&str]) -> Needles {
        Needles::new(texts.iter().map(|text| text.as_bytes().into()).collect())
    }

    #[test]
    fn the_longest_at_the_first_place_is_found() {
        let needles = needles(&["abcd", "abcdef", "zz"]);
        assert_eq!(needles.find(b"ab abcdefg zz", 0), Some((3, 6)));
        assert_eq!(needles.find(b"ab abcdefg zz", 4), Some((11, 2)));
        assert_eq!(needles.find(b"ab abcdefg zz", 12), None);
        assert_eq!(needles.find(b"", 0), None);
        assert_eq!(Needles::new(Vec::new()).find(b"abcd", 0), None);
    }

    #[test]
    fn a_long_page_and_many_are_searched_alike() {
        let needles = needles(&["abcd", "abcdef"]);
        for n_bytes in [MANY / 4, MANY, MANY * 4] {
            for at in [0, n_bytes / 2, n_bytes - 6] {
                let mut page = vec![b'a'; n_bytes];
                page[at..at + 6].copy_from_slice(b"abcdef");
                assert_eq!(needles.find(&page, 0), Some((at, 6)), "{at}");
                assert_eq!(needles.find(&page, at + 1), None, "{at}");
            }
        }
        assert!(needles.vectorized.get().is_some());
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_stands_there(
            texts in prop::collection::vec("[ab%]{2,4}", 0..6),
            page in "[ab%c]{0,40}",
            from in 0..40_usize,
        ) {
            let from = std::cmp::min(from, page.len());
            let all: Vec<_> = texts.iter().map(String::as_str).collect();
            let page = page.as_bytes();
            let slow = (from..page.len()).find_map(|at| {
                let here = all.iter().filter(|text| page[at..].starts_with(text.as_bytes()));
                here.map(|text| text.len()).reduce(std::cmp::max).map(|longest| (at, longest))
            });
            prop_assert_eq!(needles(&all).find(page, from), slow);
        }
    }
}

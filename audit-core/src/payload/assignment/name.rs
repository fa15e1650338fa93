//! The names that stand before a sign of assignment.

use crate::payload::endings::{Ending, EndingSet};
use crate::payload::marker;
use crate::payload::secret::{KeyRule, Reach, Secret};
use crate::payload::text::Finder;
use crate::payload::word_set::WordSet;

/// Names that announce a signature in a query.
const SIGNATURE_LIST: &[&str] = &["sig", "signature", "amzsignature", "googsignature", "code"];

static SIGNATURES: WordSet = WordSet::new(SIGNATURE_LIST);

static SIGNATURE_ENDINGS: EndingSet = EndingSet::new(SIGNATURE_LIST);

/// The longest name that is looked at.
const MAX_NAME: usize = 80;

/// The name before a sign of assignment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) is_quoted: bool,
    /// A space stands between the name and the sign.
    pub(super) is_apart: bool,
}

impl Name {
    pub(super) fn before(page: &[u8], at: usize) -> Option<Self> {
        let next = page.get(at + 1).copied().unwrap_or(0);
        let last = page[..at].last().copied()?;
        let is_other_sign = match page[at] {
            b'>' => !is_name_byte(last),
            b'=' => next == b'=' || matches!(last, b'=' | b'!' | b'<' | b'>' | b':' | b'~'),
            _ => next == b'/' && page.get(at + 2) == Some(&b'/') || next == b':' || last == b':',
        };
        if is_other_sign {
            return None;
        }
        let mut end = at;
        while end > 0 && at - end < 4 && matches!(page[end - 1], b' ' | b'\t') {
            end -= 1;
        }
        let is_apart = end < at;
        let is_quoted = end > 0 && matches!(page[end - 1], b'"' | b'\'' | b'`');
        if is_quoted {
            end -= 1;
            while end > 0 && page[end - 1] == b'\\' {
                end -= 1;
            }
        }
        let floor = end.saturating_sub(MAX_NAME);
        let mut start = end;
        let mut n_letters = 0;
        let backwards = page[floor..end].iter().rev();
        let kinds = backwards.map(|&b| IN_NAMES[usize::from(b)]);
        for kind in kinds.take_while(|&kind| kind != InName::Never) {
            start -= 1;
            n_letters += usize::from(kind == InName::Letter);
        }
        if page[..end].ends_with(b"]") && ends_in_mark(&page[..end]) {
            return None;
        }
        // The time of day is no name.
        (n_letters >= 3).then_some(Self {
            start,
            end,
            is_quoted,
            is_apart,
        })
    }

    /// The rule for what the name announces.
    pub(super) fn secret(&self, page: &[u8], finder: &mut Finder<'_>) -> Option<Secret> {
        let mut start = self.start;
        // "API key: …" is written as two words.
        if page[start..self.end].eq_ignore_ascii_case(b"key") && page[..start].ends_with(b" ") {
            let word = page[..start - 1]
                .iter()
                .rev()
                .take_while(|&&b| is_name_byte(b));
            start -= 1 + std::cmp::min(word.count(), MAX_NAME);
        }
        let name = &page[start..self.end];
        let is_query = matches!(page[..start].last(), Some(b'?' | b'&' | b';'));
        let is_about = |ending| {
            finder.rules.may_be_about(ending) || is_query && SIGNATURE_ENDINGS.may_have(ending)
        };
        if Ending::of(name).is_some_and(|ending| !is_about(ending)) {
            return None;
        }
        let name = match std::str::from_utf8(name) {
            Ok(name) => name,
            // The look back stopped inside a character.
            Err(_) => std::str::from_utf8(name.get(name.iter().position(u8::is_ascii)?..)?).ok()?,
        };
        let secret = finder.rules.secret_named(name, &mut finder.keys);
        if secret.is_some() || !is_query {
            return secret;
        }
        SIGNATURES
            .has(finder.keys.read(name).joined())
            .then_some(Secret {
                rule: KeyRule::SignedUrl,
                reach: Reach::Text,
            })
    }

    /// Nothing but space, a list dash or a shell's `export` stands before the name on its line.
    pub(super) fn begins_line(&self, page: &[u8]) -> bool {
        let before = &page[..self.start];
        let line = memchr::memrchr3(b'\n', b'\r', 0, before).map_or(0, |i| i + 1);
        let before = before[line..].trim_ascii();
        let before = before
            .strip_suffix(b"\"")
            .or_else(|| before.strip_suffix(b"'"))
            .unwrap_or(before);
        before.is_empty()
            || matches!(
                before,
                b"-" | b"export" | b"set" | b"SET" | b">" | b"<" | b"*"
            )
    }
}

/// The words of a mark are no name, whoever wrote it.
fn ends_in_mark(text: &[u8]) -> bool {
    memchr::memrchr(b'[', text)
        .and_then(|i| std::str::from_utf8(&text[i..]).ok())
        .is_some_and(marker::is_in)
}

/// What a byte is in a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InName {
    Letter,
    Never,
    Sign,
}

static IN_NAMES: [InName; 256] = {
    let mut table = [InName::Never; 256];
    let mut b = 0u8;
    loop {
        table[b as usize] = match b {
            b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => InName::Letter,
            b'0'..=b'9' | b'_' | b'-' | b'.' | b'[' | b']' | b'$' | b'%' => InName::Sign,
            _ => InName::Never,
        };
        if b == u8::MAX {
            break table;
        }
        b += 1;
    }
};

fn is_name_byte(b: u8) -> bool {
    IN_NAMES[usize::from(b)] != InName::Never
}

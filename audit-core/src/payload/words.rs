//! Long words: stretches without a gap of the characters that tokens, and runs of base64 and
//! hexadecimal digits, are made of.

use super::tokens::Body;

/// From where to where on its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The shortest word that is a long one: no token is shorter.
pub(super) const SHORTEST: usize = 20;

/// How much of a word is looked at first, and how far the next look is: no long word stands
/// between the looks.
const LOOK: usize = 8;
const STRIDE: usize = SHORTEST + 1 - LOOK;

static IN_WORDS: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0u8;
    loop {
        table[b as usize] = Body::Wide.has(b);
        if b == u8::MAX {
            break table;
        }
        b += 1;
    }
};

/// Puts all long words of `page` into `words`.
pub(super) fn find_in(page: &[u8], words: &mut Vec<Word>) {
    let is_in_word = |b: &&u8| IN_WORDS[usize::from(**b)];
    let mut floor = 0;
    let mut at = STRIDE - 1;
    while let Some(look) = page.get(at..).and_then(<[u8]>::first_chunk) {
        if has_gap(*look) {
            at += STRIDE;
            continue;
        }
        let end = at + page[at..].iter().take_while(is_in_word).count();
        if end < at + LOOK {
            at += STRIDE;
            continue;
        }
        let start = at - page[floor..at].iter().rev().take_while(is_in_word).count();
        if end - start >= SHORTEST {
            // Where there is one, an address say, there are more.
            if words.is_empty() {
                words.reserve(16);
            }
            words.push(Word { start, end });
        }
        floor = end;
        at = end + STRIDE;
    }
}

/// Whether a space stands in `look`, a sign that space is like, or no ASCII: most gaps are such.
fn has_gap(look: [u8; LOOK]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; LOOK]);
    let look = u64::from_ne_bytes(look);
    let is_low = look.wrapping_sub(ONES * 0x2b);
    (is_low | look) & (ONES << 7) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_long_word_is_found_wherever_it_begins() {
        for gap in [" ", "\0", ":", "\u{7f}", "é", "、", ",", "@"] {
            for before in 0..60 {
                for length in [19, 20, 21, 27, 33, 100] {
                    let first = format!("a{gap}b{gap}").repeat(before);
                    let page = format!(
                        "{first}{}{gap}{}",
                        "+/Q_-.=9".repeat(13).split_at(length).0,
                        "Z".repeat(20)
                    );
                    let mut expected = Vec::new();
                    if length >= SHORTEST {
                        expected.push(Word {
                            start: first.len(),
                            end: first.len() + length,
                        });
                    }
                    expected.push(Word {
                        start: page.len() - 20,
                        end: page.len(),
                    });
                    let mut words = Vec::new();
                    find_in(page.as_bytes(), &mut words);
                    assert_eq!(words, expected, "{page}");
                }
            }
        }
    }
}

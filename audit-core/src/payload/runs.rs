//! Long runs of base64 or hexadecimal characters: what they stand for is looked through too.

use super::encodings::{decode_base64, decode_hex, hex_digit};
use super::spans::Span;
use super::text::Finder;
use super::words::{self, Word};

/// The shortest run that can hide a secret worth hiding: never more than a long word.
const SHORTEST: usize = 24;

const _: () = assert!(
    SHORTEST >= words::SHORTEST,
    "runs are looked for in long words"
);

static IS_DIGIT: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0u8;
    loop {
        table[b as usize] =
            matches!(b, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'-' | b'_');
        if b == u8::MAX {
            break table;
        }
        b += 1;
    }
};

/// Takes away each run in the long `words` of `page` whose meaning holds a secret.
pub(super) fn find_in<'p>(
    page: &[u8],
    words: &[Word],
    level: u8,
    finder: &mut Finder<'p>,
    spans: &mut Vec<Span<'p>>,
) {
    let mut decoded = Vec::new();
    for Word { start, end } in words.iter().flat_map(|word| runs(page, *word)) {
        let run = &page[start..end];
        // Where the encoded part begins in the run is unknown: it may follow a path or a word.
        let is_hex = run.iter().all(|&b| hex_digit(b).is_some());
        let rule = (0..4).find_map(|skip| {
            decoded.clear();
            decode_base64(&run[skip..], &mut decoded);
            first_rule(&decoded, level, finder)
        });
        let rule = rule.or_else(|| {
            (0..2).filter(|_| is_hex).find_map(|skip| {
                decoded.clear();
                decode_hex(&run[skip..], &mut decoded);
                first_rule(&decoded, level, finder)
            })
        });
        if let Some(rule) = rule {
            let padding = page[end..].iter().take_while(|&&b| b == b'=').count();
            spans.push(Span::new(start, end + padding, rule));
        }
    }
}

fn first_rule<'p>(decoded: &[u8], level: u8, finder: &mut Finder<'p>) -> Option<&'p str> {
    finder.inner(decoded, level).first().map(|span| span.rule)
}

/// The runs of a word that are long enough.
fn runs(page: &[u8], word: Word) -> impl Iterator<Item = Word> {
    let is_gap = |b: &u8| !IS_DIGIT[usize::from(*b)];
    let mut from = word.start;
    let pieces = page[word.start..word.end].split(is_gap).map(move |piece| {
        let start = from;
        let end = start + piece.len();
        from = end + 1;
        Word { start, end }
    });
    pieces.filter(|run| run.end - run.start >= SHORTEST)
}

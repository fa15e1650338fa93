//! Long runs of base64 or hexadecimal characters: what they stand for is looked through too.

use super::encodings::{base64_digit, decode_base64, decode_hex, hex_digit};
use super::spans::Span;
use super::text::Finder;

/// The shortest run that can hide a secret worth hiding.
const SHORTEST: usize = 24;

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

/// Takes away each run whose meaning holds a secret.
pub(super) fn find_in<'p>(
    page: &[u8],
    level: u8,
    finder: &mut Finder<'p>,
    spans: &mut Vec<Span<'p>>,
) {
    let mut decoded = Vec::new();
    let mut from = 0;
    while let Some((start, end)) = next_run(page, from) {
        from = end;
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

/// The next run that is long enough. A run must cover one of the places that are looked at, so
/// most of the page is never touched.
fn next_run(page: &[u8], from: usize) -> Option<(usize, usize)> {
    let is_digit = |i: usize| IS_DIGIT[usize::from(page[i])];
    let mut floor = from;
    let mut at = from + SHORTEST - 1;
    while at < page.len() {
        if !is_digit(at) {
            floor = at + 1;
            at += SHORTEST;
            continue;
        }
        let mut start = at;
        while start > floor && is_digit(start - 1) {
            start -= 1;
        }
        let mut end = at + 1;
        while end < page.len() && (end < start + SHORTEST) && is_digit(end) {
            end += 1;
        }
        if end - start >= SHORTEST {
            let more = page[end..]
                .iter()
                .take_while(|&&b| base64_digit(b).is_some())
                .count();
            return Some((start, end + more));
        }
        floor = end;
        at = end + SHORTEST;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_long_run_is_found_wherever_it_begins() {
        for before in 0..60 {
            for length in [23, 24, 25, 47, 48, 100] {
                let page = format!("{} {}.", "a b".repeat(before), "Q".repeat(length));
                let start = before * 3 + 1;
                let expected = (length >= SHORTEST).then_some((start, start + length));
                assert_eq!(next_run(page.as_bytes(), 0), expected, "{before} {length}");
            }
        }
    }
}

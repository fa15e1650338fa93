//! JSON inside a string: read by the same rules, and what they take away is found in the string.

use super::bounds::Bounds;
use super::encodings::utf16_escape;
use super::node::Kind;
use super::patterns::{text_end, text_start};
use super::spans::Span;
use super::tape::Tape;
use super::text::Finder;
use super::tokenizer::Tokenizer;

/// Looks through each text of `page` that begins like JSON.
pub(super) fn find_in<'p>(
    page: &[u8],
    level: u8,
    finder: &mut Finder<'p>,
    spans: &mut Vec<Span<'p>>,
) {
    let mut done = 0;
    for open in memchr::memchr2_iter(b'{', b'[', page) {
        if open < done {
            continue;
        }
        let start = text_start(page, open);
        let end = text_end(page, open);
        done = end;
        let text = &page[start..end];
        if page[start..open].trim_ascii_start().is_empty() {
            let found = in_text(text, level, finder);
            spans.extend(
                found
                    .into_iter()
                    .map(|span| Span::new(start + span.start, start + span.end, span.rule)),
            );
        }
    }
}

fn in_text<'p>(text: &[u8], level: u8, finder: &mut Finder<'p>) -> Vec<Span<'p>> {
    let mut tape = Tape::new(finder.rules, Bounds::nested(text.len()), false);
    // What comes before an error was read by the rules all the same.
    let _ = Tokenizer::new(text, text.len()).run(&mut tape);
    tape.finish();
    let mut found = Vec::new();
    for node in &tape.nodes {
        let Some(rule) = node.rule else { continue };
        let (start, end) = (node.raw.start(), node.raw.end());
        let is_string = node.kind == Kind::String;
        let inset = usize::from(is_string);
        let close = if is_string && node.whole {
            end - 1
        } else {
            end
        };
        found.push(Span::new(start + inset, close, rule.name()));
    }
    // Strings without escapes were already looked through as part of the text.
    let mut inner = finder.inner(tape.arena.as_bytes(), level);
    super::spans::merge(&mut inner);
    let mut texts = tape.nodes.iter().filter(|node| node.has_text());
    let mut node = texts.next();
    for span in inner {
        while node.is_some_and(|node| node.text.end() <= span.start) {
            node = texts.next();
        }
        let Some(node) = node else { break };
        if node.kind == Kind::Number {
            found.push(Span::new(node.raw.start(), node.raw.end(), span.rule));
            continue;
        }
        let raw = node.raw.start() + 1;
        let from = spelled(text, raw, span.start.saturating_sub(node.text.start()));
        let to = spelled(
            text,
            raw,
            std::cmp::min(span.end, node.text.end()) - node.text.start(),
        );
        found.push(Span::new(from, to, span.rule));
    }
    found
}

/// Where in the escaped string that begins at `raw` the byte `n` of its meaning is spelled.
fn spelled(text: &[u8], raw: usize, n: usize) -> usize {
    let mut at = raw;
    let mut left = n;
    while left > 0 && at < text.len() {
        let (meaning, spelling) = unit(&text[at..]);
        left = left.saturating_sub(meaning);
        at += spelling;
    }
    std::cmp::min(at, text.len())
}

/// How many bytes the first character of a JSON string's inside means, and how many spell it. What
/// is no UTF-8, as behind a percent escape that was taken off, means U+FFFD.
fn unit(text: &[u8]) -> (usize, usize) {
    match text {
        [b'\\', b'u', ..] => {
            utf16_escape(text, 0).map_or((1, 2), |(c, spelling)| (c.len_utf8(), spelling))
        }
        [b'\\', ..] => (1, 2),
        [0x80..=0xff, ..] => {
            let near = &text[..std::cmp::min(text.len(), 4)];
            let chunk = near.utf8_chunks().next();
            match chunk.map(|chunk| (chunk.valid().chars().next(), chunk.invalid().len())) {
                Some((Some(c), _)) => (c.len_utf8(), c.len_utf8()),
                Some((None, n_invalid)) => (char::REPLACEMENT_CHARACTER.len_utf8(), n_invalid),
                None => (1, 1),
            }
        }
        _ => (1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_meaning_is_found_in_the_spelling() {
        let text = b"\"a\\u00e9\\n\xc3\xa9\xa2\xe5\xa3z\"";
        let inside = &text[1..text.len() - 1];
        let mut tape_text = String::new();
        for (c, n) in [
            ('a', 1),
            ('\u{e9}', 6),
            ('\n', 2),
            ('\u{e9}', 2),
            ('\u{fffd}', 1),
            ('\u{fffd}', 2),
        ] {
            assert_eq!(
                spelled(text, 1, tape_text.len() + c.len_utf8()),
                spelled(text, 1, tape_text.len()) + n,
                "{c}"
            );
            tape_text.push(c);
        }
        assert_eq!(inside[spelled(text, 1, tape_text.len()) - 1], b'z');
    }
}

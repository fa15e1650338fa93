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
        let (meaning, spelling) = match text[at] {
            b'\\' if text.get(at + 1) == Some(&b'u') => {
                utf16_escape(text, at).map_or((1, 2), |(c, n)| (c.len_utf8(), n))
            }
            b'\\' => (1, 2),
            _ => (1, 1),
        };
        left = left.saturating_sub(meaning);
        at += spelling;
    }
    std::cmp::min(at, text.len())
}

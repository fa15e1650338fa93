//! `name = value` in text: queries, forms, headers, INI and YAML lines, command lines, source
//! code, and JSON that does not parse as a whole.

mod name;

use name::Name;

use super::marker;
use super::patterns::text_end;
use super::secret::{KeyRule, Reach, Secret};
use super::spans::Span;
use super::text::Finder;

/// Takes away the values of all names that announce a secret.
pub(super) fn find_in<'p>(page: &[u8], finder: &mut Finder<'p>, spans: &mut Vec<Span<'p>>) {
    for at in memchr::memchr3_iter(b'=', b':', b'>', page) {
        let Some(name) = Name::before(page, at) else {
            continue;
        };
        let Some(secret) = name.secret(page, finder) else {
            continue;
        };
        let value = if page[at] == b'>' {
            element(page, at, &name, secret)
        } else {
            value(page, at, &name, secret)
        };
        if let Some((start, end)) = value {
            spans.push(Span::new(start, end, secret.rule.name()));
        }
    }
}

/// The value after the sign at `at`, if it is one that the rule reaches.
fn value(page: &[u8], at: usize, name: &Name, secret: Secret) -> Option<(usize, usize)> {
    let text_ends = text_end(page, at);
    let text = &page[..text_ends];
    let mut start = at + 1;
    if matches!(
        (text[at], text.get(start)),
        (b'=', Some(b'>')) | (b':', Some(b'='))
    ) {
        start += 1;
    }
    let sign_ends = start;
    let is_space = |b: &u8| matches!(b, b' ' | b'\t') || name.is_quoted && b.is_ascii_whitespace();
    start += text[start..].iter().take_while(|b| is_space(b)).count();
    let spaced = start > sign_ends || name.is_apart;
    if let Some((start, end)) = quoted(text, start) {
        let found = &text[start..end];
        return (!is_harmless(found, name, text) && reaches(found, secret)).then_some((start, end));
    }
    if let Some(n) = std::str::from_utf8(&text[start..])
        .ok()
        .and_then(marker::leading)
    {
        return Some((start, start + n));
    }
    if matches!(text.get(start), Some(b'{' | b'[')) && name.is_quoted {
        return (!is_schema(&text[start..])).then(|| (start, start + balanced(&text[start..])));
    }
    let is_header =
        text[at] == b':' && matches!(secret.rule, KeyRule::Authorization | KeyRule::Cookie);
    let begins_line = name.begins_line(text);
    let is_line = text[at] == b':' && begins_line && start > sign_ends && !name.is_quoted;
    let end = if is_header || is_line {
        rest_of_line(text, start, name)
    } else {
        start
            + text[start..]
                .iter()
                .take_while(|b| !is_delimiter(b))
                .count()
    };
    let found = text[start..end].trim_ascii_end();
    let end = start + found.len();
    if is_harmless(found, name, text) || !reaches(found, secret) {
        return None;
    }
    let fills_line = text[end..].trim_ascii_start().len() < text[end..].len() && is_last(text, end)
        || end == text.len();
    let certain = is_header
        || is_line
        || name.is_quoted
        || (text[at] == b'=' && !spaced)
        || (text[at] == b'=' && begins_line && fills_line);
    (certain || !reads_like_prose(found)).then_some((start, end))
}

/// The text of `<name>text</name>`.
fn element(page: &[u8], at: usize, name: &Name, secret: Secret) -> Option<(usize, usize)> {
    if !page[..name.start].ends_with(b"<") {
        return None;
    }
    let text = &page[..text_end(page, at)];
    let start = at + 1;
    let end = memchr::memchr(b'<', &text[start..]).map_or(text.len(), |i| start + i);
    let found = &text[start..end];
    (!is_harmless(found, name, text) && reaches(found, secret)).then_some((start, end))
}

/// The inside of the quotes that `text` has at `start`; of an open quote, all that follows.
fn quoted(text: &[u8], start: usize) -> Option<(usize, usize)> {
    let mut open = start;
    // Python and Rust put a letter before the quote.
    if matches!(text.get(start), Some(b'b' | b'f' | b'r' | b'u'))
        && matches!(text.get(start + 1), Some(b'"' | b'\''))
    {
        open += 1;
    }
    let n_escapes = text
        .get(open..)?
        .iter()
        .take_while(|&&b| b == b'\\')
        .count();
    open += n_escapes;
    let quote = *text
        .get(open)
        .filter(|b| matches!(b, b'"' | b'\'' | b'`'))?;
    let inside = open + 1;
    let mut from = inside;
    while let Some(i) = memchr::memchr(quote, &text[from..]) {
        let close = from + i;
        let escapes = text[inside..close]
            .iter()
            .rev()
            .take_while(|&&b| b == b'\\')
            .count();
        if escapes <= n_escapes {
            return Some((inside, close - escapes));
        }
        from = close + 1;
    }
    Some((inside, text.len()))
}

/// The length of the container that `text` begins with; without its end, all of `text`.
fn balanced(text: &[u8]) -> usize {
    let open = text[0];
    let close = if open == b'{' { b'}' } else { b']' };
    let mut depth = 0usize;
    for i in memchr::memchr2_iter(open, close, text) {
        if text[i] == open {
            depth += 1;
        } else {
            depth -= 1;
            if depth == 0 {
                return i + 1;
            }
        }
    }
    text.len()
}

/// `{"type": "string"}` describes a password and holds none.
fn is_schema(container: &[u8]) -> bool {
    let inner = container[1..]
        .iter()
        .copied()
        .filter(|b| !matches!(b, b'"' | b'\'' | b'\\' | b' ' | b'\n'));
    let head: Vec<u8> = inner.take(12).collect();
    [&b"type:"[..], b"$ref:", b"description:"]
        .iter()
        .any(|word| head.starts_with(word))
}

fn rest_of_line(text: &[u8], start: usize, name: &Name) -> usize {
    let line = memchr::memchr2(b'\n', b'\r', &text[start..]).map_or(text.len(), |i| start + i);
    // The whole header may stand in quotes, as on a command line.
    match text[..name.start].last() {
        Some(&quote @ (b'"' | b'\'')) => {
            memchr::memchr(quote, &text[start..line]).map_or(line, |i| start + i)
        }
        _ => line,
    }
}

fn is_last(text: &[u8], end: usize) -> bool {
    let rest = &text[end..];
    let blank = rest
        .iter()
        .take_while(|b| matches!(b, b' ' | b'\t'))
        .count();
    matches!(rest.get(blank), None | Some(b'\n' | b'\r'))
}

fn is_delimiter(b: &u8) -> bool {
    b.is_ascii_whitespace()
        || matches!(
            b,
            0 | b'"'
                | b'\''
                | b'`'
                | b','
                | b';'
                | b'&'
                | b')'
                | b'}'
                | b']'
                | b'<'
                | b'>'
                | b'|'
                | b'\\'
                | b'#'
        )
}

/// Values that stand for a secret, or for none.
fn is_harmless(value: &[u8], name: &Name, text: &[u8]) -> bool {
    const WORDS: &[&str] = &[
        "any",
        "bool",
        "boolean",
        "bytes",
        "char",
        "false",
        "include",
        "int",
        "integer",
        "nil",
        "no",
        "none",
        "null",
        "number",
        "object",
        "omit",
        "option",
        "optional",
        "required",
        "same-origin",
        "str",
        "string",
        "text",
        "true",
        "undefined",
        "unknown",
        "varchar",
        "void",
        "yes",
    ];
    let is_word = WORDS
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
    let is_variable = value.strip_prefix(b"$").is_some_and(|rest| {
        matches!(rest.first(), Some(b'{' | b'('))
            || !rest.is_empty() && rest.iter().all(|b| b.is_ascii_uppercase() || *b == b'_')
    });
    let is_place = [
        &b"<"[..],
        b"{{",
        b"%(",
        b"***",
        b"process.env",
        b"os.environ",
        b"os.getenv",
        b"env(",
        b"self.",
    ]
    .iter()
    .any(|start| value.starts_with(start));
    let is_call = memchr::memchr(b'(', value).is_some_and(|i| {
        i > 0
            && value[..i]
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':'))
    });
    value.is_empty()
        || is_word
        || is_variable
        || is_place
        || is_call
        || *value == text[name.start..name.end]
}

/// The kind of value that the rule is about.
fn reaches(value: &[u8], secret: Secret) -> bool {
    match secret.reach {
        Reach::NotPath => !is_path(value),
        Reach::Text => value.len() >= 8 || !value.iter().all(u8::is_ascii_digit),
        // Those of a schema are for what stands on a tape.
        Reach::Any | Reach::SchemaFormat | Reach::SchemaReference | Reach::SchemaType => true,
    }
}

/// `/home/me`, `./here`, `~`, `C:\there`.
pub(super) fn is_path(value: &[u8]) -> bool {
    matches!(
        value,
        [b'/' | b'~', ..] | [b'.', b'/', ..] | [b'.', b'.', b'/', ..] | [b'.']
    ) || matches!(value, [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic())
}

/// A word in a sentence: "the token: use it once".
fn reads_like_prose(value: &[u8]) -> bool {
    let word = value.trim_ascii_end();
    let word = word.strip_suffix(b".").unwrap_or(word);
    word.len() < 16
        && word
            .iter()
            .all(|b| b.is_ascii_alphabetic() || b"-'(/[&.:_*?!".contains(b))
}

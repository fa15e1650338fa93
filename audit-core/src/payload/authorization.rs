//! Values of an `Authorization` header, wherever they stand.

use super::encodings::decode_base64;

/// The credential after the scheme of `n` bytes that stands at `at`.
pub(super) fn credential(text: &[u8], at: usize, n: usize) -> Option<(usize, usize)> {
    let name = text[at..at + n].trim_ascii_end();
    let gap = name.len() + gap(&text[at + name.len()..])?;
    let start = at + gap;
    let is_whole_value = text[..at].trim_ascii().is_empty();
    match name {
        b"Digest" | b"AWS4-HMAC-SHA256" => {
            let line = line_end(text, start);
            memchr::memchr(b'=', &text[start..line]).map(|_| (start, line))
        }
        b"ApiKey" | b"Negotiate" | b"NTLM" => {
            let end = start + token(&text[start..]);
            let found = &text[start..end];
            // "Negotiate a price" goes on.
            let is_credential =
                text[end..].trim_ascii().is_empty() || found.len() >= 8 && !reads_like_prose(found);
            (is_whole_value && end > start && is_credential).then_some((start, end))
        }
        b"Token" | b"token" => {
            // A word of every day: only as a whole value, and behind it what is no word.
            let end = start + token(&text[start..]);
            let found = &text[start..end];
            let is_credential = text[end..].trim_ascii().is_empty()
                && found.len() >= 16
                && found.iter().any(u8::is_ascii_digit);
            (is_whole_value && is_credential).then_some((start, end))
        }
        _ => {
            let end = start + token(&text[start..]);
            let found = &text[start..end];
            let is_credential = if name.eq_ignore_ascii_case(b"basic") {
                is_user_and_password(found)
            } else {
                found.len() >= 8 && !reads_like_prose(found)
            };
            is_credential.then_some((start, end))
        }
    }
}

/// The space between scheme and credential, as it is or as a URL spells it.
fn gap(text: &[u8]) -> Option<usize> {
    let mut n = 0;
    loop {
        match text.get(n..) {
            Some([b' ' | b'\t' | b'+', ..]) => n += 1,
            Some([b'%', b'2', b'0', ..]) => n += 3,
            _ => return (n > 0).then_some(n),
        }
    }
}

fn token(text: &[u8]) -> usize {
    text.iter()
        .take_while(|b| {
            b.is_ascii_alphanumeric()
                || matches!(
                    b,
                    b'_' | b'+' | b'/' | b'.' | b'~' | b'=' | b'-' | b'%' | b':'
                )
        })
        .count()
}

fn line_end(text: &[u8], from: usize) -> usize {
    memchr::memchr2(b'\n', b'\r', &text[from..]).map_or(text.len(), |i| from + i)
}

/// "Bearer authentication", "basic understanding": words, not tokens.
fn reads_like_prose(token: &[u8]) -> bool {
    let n = token
        .iter()
        .rev()
        .take_while(|b| matches!(b, b'.' | b':'))
        .count();
    let word = &token[..token.len() - n];
    word.len() < 24 && word.iter().all(|b| b.is_ascii_lowercase() || *b == b'-')
}

/// The rule's name where such a value was taken away.
pub(super) const RULE: &str = "authorization";

/// `Basic dXNlcjpwYXNz`, with or without its scheme: a password, whatever it looks like.
pub(super) fn is_basic(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let token = match value.split_at_checked(5) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"basic") => rest.trim_ascii(),
        _ => value,
    };
    is_user_and_password(token)
}

/// `dXNlcjpwYXNz` says `user:pass`.
fn is_user_and_password(token: &[u8]) -> bool {
    let mut decoded = Vec::with_capacity(token.len());
    decode_base64(token, &mut decoded);
    memchr::memchr(b':', &decoded).is_some() && decoded.iter().all(|&b| b >= 0x20)
}

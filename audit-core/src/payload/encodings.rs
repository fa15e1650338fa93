//! The spellings in which the same bytes travel, and the way back.

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The characters of base64 that stand for `bytes` alone when `shift` other bytes come before:
/// those at the edges that share bits with a neighbor are left out.
pub(super) fn base64_core(bytes: &[u8], shift: usize) -> Vec<u8> {
    let n_bits = (shift + bytes.len()) * 8;
    let at = |i: usize| {
        i.checked_sub(shift)
            .and_then(|i| bytes.get(i))
            .copied()
            .unwrap_or(0)
    };
    let first = (shift * 8).div_ceil(6);
    (first..n_bits / 6)
        .map(|i| {
            let bit = i * 6;
            let pair = u16::from(at(bit / 8)) << 8 | u16::from(at(bit / 8 + 1));
            BASE64[usize::from(pair >> (10 - bit % 8) & 63)]
        })
        .collect()
}

/// `bytes` as hexadecimal digits, each with `before` in front of it.
pub(super) fn hex(bytes: &[u8], before: &str, digits: &[u8; 16]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * (2 + before.len()));
    for &b in bytes {
        out.extend_from_slice(before.as_bytes());
        out.push(digits[usize::from(b >> 4)]);
        out.push(digits[usize::from(b & 15)]);
    }
    out
}

pub(super) const LOWER: &[u8; 16] = b"0123456789abcdef";
pub(super) const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// `bytes` as they stand in a URL, with `space` for a space.
pub(super) fn percent(bytes: &[u8], space: &str, digits: &[u8; 16]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 3);
    for &b in bytes {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~') {
            out.push(b);
        } else if b == b' ' {
            out.extend_from_slice(space.as_bytes());
        } else {
            out.extend(hex(&[b], "%", digits));
        }
    }
    out
}

/// The value of a hexadecimal digit.
pub(super) fn hex_digit(b: u8) -> Option<u8> {
    match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        b'A'..=b'F' => Some(b - b'A' + 10),
        _ => None,
    }
}

/// The value of a character of either base64 alphabet.
pub(super) fn base64_digit(b: u8) -> Option<u8> {
    match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// The bytes that a run of base64 characters stands for.
pub(super) fn decode_base64(run: &[u8], out: &mut Vec<u8>) {
    let (mut bits, mut n_bits) = (0u32, 0);
    for digit in run.iter().map_while(|&b| base64_digit(b)) {
        bits = bits << 6 | u32::from(digit);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            out.push(low_byte(bits >> n_bits));
        }
    }
}

/// The bytes that a run of hexadecimal digits stands for.
pub(super) fn decode_hex(run: &[u8], out: &mut Vec<u8>) {
    out.extend(
        run.as_chunks()
            .0
            .iter()
            .map_while(|&[high, low]| Some(hex_digit(high)? << 4 | hex_digit(low)?)),
    );
}

fn low_byte(bits: u32) -> u8 {
    bits.to_le_bytes()[0]
}

/// How many bytes `text` begins with that stand for themselves in a JSON string.
#[inline]
pub(super) fn plain_run(text: &[u8]) -> usize {
    // Most runs are short: eight bytes at a time, of which only the lowest mark is exact.
    let (words, _) = text.as_chunks();
    for (i, word) in words.iter().take(N_WORDS).enumerate() {
        let special = special_bytes(*word);
        if special != 0 {
            let bits = special.trailing_zeros();
            return i * 8 + usize::try_from(bits / 8).unwrap_or(0);
        }
    }
    plain_rest(text, std::cmp::min(words.len(), N_WORDS) * 8)
}

/// How many words are looked at one by one.
const N_WORDS: usize = 4;

/// A mark on the highest bit of each byte that is special in a JSON string; beyond the lowest one
/// there may be too many.
#[inline]
fn special_bytes(word: [u8; 8]) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let word = u64::from_le_bytes(word);
    let quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    let control = word.wrapping_sub(ONES * 0x20);
    (quote | backslash | control) & !word & (ONES << 7)
}

/// The same for a text that is plain to `from`.
#[inline(never)]
fn plain_rest(text: &[u8], from: usize) -> usize {
    let is_special = |b: u8| (b < 0x20) | (b == b'"') | (b == b'\\');
    // As many at a time as the compiler puts into a vector.
    let (blocks, _) = text[from..].as_chunks::<16>();
    let has_special = |block: &[u8; 16]| block.iter().fold(false, |has, &b| has | is_special(b));
    let n_plain = blocks
        .iter()
        .take_while(|block| !has_special(block))
        .count();
    let from = from + n_plain * 16;
    let more = text[from..].iter().take_while(|&&b| !is_special(b));
    from + more.count()
}

/// A text with one layer of escapes taken off, and where each byte of it came from.
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) bytes: Vec<u8>,
    /// Where the spelling of each byte begins, and at last where the text ends.
    from: Vec<usize>,
}

impl Plain {
    fn with_capacity(n: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(n),
            from: Vec::with_capacity(n + 1),
        }
    }

    fn push(&mut self, byte: u8, from: usize) {
        self.bytes.push(byte);
        self.from.push(from);
    }

    fn push_char(&mut self, c: char, from: usize) {
        let mut room = [0; 4];
        for &b in c.encode_utf8(&mut room).as_bytes() {
            self.push(b, from);
        }
    }

    /// The stretch of the source that spells `start..end`.
    pub(super) fn source(&self, start: usize, end: usize) -> (usize, usize) {
        // The last byte's spelling may share its beginning with the next byte's: a character of
        // several bytes is spelled by one escape.
        let begin = self.from[start];
        let last = self.from[end - 1];
        let after = self.from[end..].iter().find(|&&from| from > last);
        (begin, after.copied().unwrap_or(last + 1))
    }

    /// Where the first percent escape of `page` stands. None reaches from one text into the next.
    pub(super) fn first_percent(page: &[u8]) -> Option<usize> {
        memchr::memchr_iter(b'%', page).find(|&i| percent_escape(page, i).is_some())
    }

    /// Takes off percent escapes; none if there are none.
    pub(super) fn percent(text: &[u8]) -> Option<Self> {
        Self::first_percent(text)?;
        let mut plain = Self::with_capacity(text.len());
        let mut i = 0;
        while i < text.len() {
            match percent_escape(text, i) {
                Some(byte) => {
                    plain.push(byte, i);
                    i += 3;
                }
                None => {
                    plain.push(text[i], i);
                    i += 1;
                }
            }
        }
        plain.from.push(text.len());
        Some(plain)
    }

    /// Where the first backslash of `page` stands that is worth taking off: other escapes hide no
    /// letter and no sign. None reaches from one text into the next.
    pub(super) fn first_backslash(page: &[u8]) -> Option<usize> {
        memchr::memchr_iter(b'\\', page).find(|&i| {
            matches!(
                page.get(i + 1),
                Some(b'u' | b'x' | b'"' | b'\'' | b'/' | b'\\')
            )
        })
    }

    /// Takes off backslash escapes as JSON, JavaScript and Python write them; none if there are
    /// none.
    pub(super) fn backslash(text: &[u8]) -> Option<Self> {
        Self::first_backslash(text)?;
        let mut plain = Self::with_capacity(text.len());
        let mut i = 0;
        while i < text.len() {
            let n = match text[i] {
                b'\\' => plain.push_escape(text, i),
                byte => {
                    plain.push(byte, i);
                    1
                }
            };
            i += n;
        }
        plain.from.push(text.len());
        Some(plain)
    }

    /// One escape at `at`; says how long it was.
    fn push_escape(&mut self, text: &[u8], at: usize) -> usize {
        let Some(&kind) = text.get(at + 1) else {
            self.push(b'\\', at);
            return 1;
        };
        let byte = match kind {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                if let Some((c, n)) = utf16_escape(text, at) {
                    self.push_char(c, at);
                    return n;
                }
                kind
            }
            b'x' => {
                if let Some(&[high, low]) = text.get(at + 2..at + 4)
                    && let (Some(high), Some(low)) = (hex_digit(high), hex_digit(low))
                {
                    self.push(high << 4 | low, at);
                    return 4;
                }
                kind
            }
            other => other,
        };
        self.push(byte, at);
        2
    }
}

/// The byte of a percent escape at `at`.
fn percent_escape(text: &[u8], at: usize) -> Option<u8> {
    match text.get(at..at + 3) {
        Some(&[b'%', high, low]) => Some(hex_digit(high)? << 4 | hex_digit(low)?),
        _ => None,
    }
}

/// The code unit of a `\uXXXX` at `at`.
fn utf16_unit(text: &[u8], at: usize) -> Option<u16> {
    let Some(&[b'\\', b'u', a, b, c, d]) = text.get(at..at + 6) else {
        return None;
    };
    [a, b, c, d].into_iter().try_fold(0, |unit, digit| {
        Some(unit << 4 | u16::from(hex_digit(digit)?))
    })
}

/// The character of a `\uXXXX` at `at`, or of two that belong together, and how long it was.
/// A lone surrogate and U+0000 become U+FFFD.
pub(super) fn utf16_escape(text: &[u8], at: usize) -> Option<(char, usize)> {
    let unit = utf16_unit(text, at)?;
    let single = |c| {
        Some((
            if c == '\0' {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            },
            6,
        ))
    };
    if let Some(c) = char::from_u32(u32::from(unit)) {
        return single(c);
    }
    if let Some(low) = utf16_unit(text, at + 6)
        && let Some(Ok(c)) = char::decode_utf16([unit, low]).next()
    {
        return Some((c, 12));
    }
    single(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_cores_are_part_of_the_whole_at_each_alignment() {
        let secret = b"correct horse";
        for shift in 0usize..3 {
            let mut decoded = Vec::new();
            let mut padded = vec![b'A'; (shift * 8).div_ceil(6)];
            padded.extend(base64_core(secret, shift));
            decode_base64(&padded, &mut decoded);
            // The first byte may share bits with its neighbor.
            assert!(secret[1..].starts_with(&decoded[shift + 1..]), "{shift}");
            assert!(decoded.len() + 1 >= secret.len() + shift, "{shift}");
        }
    }

    #[test]
    fn plain_runs_end_at_the_first_special_byte() {
        for length in 0..100 {
            for special in [b'"', b'\\', b'\n', 0, 0x1f] {
                let mut text = vec![b' '; length];
                text.push(special);
                text.extend_from_slice(b"\x7f\xc3\"\\ and more");
                assert_eq!(plain_run(&text), length, "{special}");
                assert_eq!(plain_run(&text[length + 1..]), 2, "{special}");
            }
        }
    }

    #[test]
    fn the_first_escape_of_a_page_is_the_first_of_its_text() {
        let page = b"50 % off\0\\p\\a\0at the end %4\01%\0the end \\\0u0041 x\0a%41\0b\\u0041";
        let (percent, backslash) = (Plain::first_percent(page), Plain::first_backslash(page));
        assert!(percent.is_some_and(|i| page[i..].starts_with(b"%41")));
        assert!(backslash.is_some_and(|i| page[i..].starts_with(b"\\u0041")));
        for text in page.split(|&b| b == 0) {
            let has_percent = Plain::first_percent(text).is_some();
            let has_backslash = Plain::first_backslash(text).is_some();
            assert_eq!(has_percent, text.starts_with(b"a%41"));
            assert_eq!(has_backslash, text.starts_with(b"b\\u0041"));
        }
    }

    #[test]
    fn escapes_keep_their_place() {
        let plain = Plain::backslash(br"a\u00e9\nb").expect("has escapes");
        assert_eq!(plain.bytes, "aé\nb".as_bytes());
        assert_eq!(plain.source(1, 3), (1, 7));
        assert_eq!(plain.source(3, 4), (7, 9));
        assert_eq!(plain.source(4, 5), (9, 10));
    }
}

//! Where a text may be cut: never inside a token, never inside a mark, never inside a character.

/// A run of token characters this long may be part of a secret; a shorter one says too little.
const SHORTEST_TOKEN: usize = 8;

/// The longest beginning of `text` that may be kept when no more than `room` bytes of it can, and
/// `marks` are the stretches that were put there by a redaction. If the text `goes_on` unseen, the
/// token at its end may be any other.
pub(super) fn cut(text: &str, marks: &[(usize, usize)], room: usize, goes_on: bool) -> usize {
    let mut end = text.len();
    if goes_on {
        end = run_start(text, marks, end);
    }
    if room >= end {
        return end;
    }
    let end = floor(text, room);
    if let Some(&(start, _)) = marks
        .iter()
        .find(|(start, stop)| *start < end && end < *stop)
    {
        return start;
    }
    let start = run_start(text, marks, end);
    let stop = run_end(text, marks, end);
    if stop > end && stop - start >= SHORTEST_TOKEN {
        start
    } else {
        end
    }
}

fn run_start(text: &str, marks: &[(usize, usize)], end: usize) -> usize {
    let floor = marks
        .iter()
        .map(|&(_, stop)| stop)
        .filter(|&stop| stop <= end)
        .fold(0, std::cmp::max);
    let run = text.as_bytes()[floor..end]
        .iter()
        .rev()
        .take_while(|&&b| is_token_byte(b))
        .count();
    end - run
}

fn run_end(text: &str, marks: &[(usize, usize)], end: usize) -> usize {
    let ceiling = marks
        .iter()
        .map(|&(start, _)| start)
        .filter(|&start| start >= end)
        .fold(text.len(), std::cmp::min);
    let run = text.as_bytes()[end..ceiling]
        .iter()
        .take_while(|&&b| is_token_byte(b))
        .count();
    end + run
}

fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'/' | b'=' | b'.' | b'~' | b'%')
}

/// The nearest boundary of characters at or before `i`.
pub(super) fn floor(text: &str, i: usize) -> usize {
    let mut i = std::cmp::min(i, text.len());
    while !text.is_char_boundary(i) {
        i -= 1;
    }
    i
}

/// The nearest boundary of characters at or after `i`.
pub(super) fn ceil(text: &str, i: usize) -> usize {
    let mut i = std::cmp::min(i, text.len());
    while !text.is_char_boundary(i) {
        i += 1;
    }
    i
}

/// How many bytes of `text` its first `chars` characters take.
pub(super) fn bytes_of_chars(text: &str, chars: usize) -> usize {
    if text.len() <= chars {
        return text.len();
    }
    text.char_indices()
        .nth(chars)
        .map_or(text.len(), |(i, _)| i)
}

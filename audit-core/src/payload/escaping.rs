//! Text as the inside of a JSON string, and how much room it takes there.

use super::cut::floor;
use super::encodings::{LOWER, plain_run};

/// Writes `text` as the inside of a JSON string.
pub(super) fn escape(out: &mut String, text: &str) {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let to = from + plain_run(&bytes[from..]);
        out.push_str(&text[from..to]);
        let Some(&b) = bytes.get(to) else { break };
        from = to + 1;
        match b {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            _ => {
                out.push_str("\\u00");
                for digit in [b >> 4, b & 15] {
                    out.push(char::from(LOWER[usize::from(digit)]));
                }
            }
        }
    }
}

/// How many bytes of `text` take no more than `room` when they are escaped.
pub(super) fn escaped_room(text: &str, room: usize) -> usize {
    let mut taken = 0;
    for (i, b) in text.bytes().enumerate() {
        taken += escaped_len(b);
        if taken > room {
            return floor(text, i);
        }
    }
    text.len()
}

/// How many bytes a byte takes inside a JSON string.
pub(super) fn escaped_len(b: u8) -> usize {
    match b {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

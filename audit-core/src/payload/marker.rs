//! The marks that stand where something was taken away.
//!
//! They are spelled in capitals after a bracket. A caller's text that looks like one is put in
//! lower case before it is kept, so whatever reads `[REDACTED:` in a stored payload was written
//! here and nowhere else.

use std::fmt::Write as _;

pub(super) const REDACTED: &str = "[REDACTED:";
pub(super) const TRUNCATED: &str = "[TRUNCATED";
pub(super) const UNPARSEABLE: &str = "[UNPARSEABLE";
pub(super) const DUPLICATE: &str = "[DUPLICATE:";
pub(super) const WITHHELD: &str = "[WITHHELD]";

/// How each mark begins: what a caller's text must not be able to say.
pub(super) const OPENINGS: [&str; 5] = [REDACTED, TRUNCATED, UNPARSEABLE, DUPLICATE, WITHHELD];

/// Longer than any mark of ours: what stands further away belongs to no mark.
const LONGEST: usize = 160;

/// The mark of a redaction, with the keyed fingerprint of what stood there if there is one.
pub(super) fn redacted(out: &mut String, rule: &str, fingerprint: Option<&str>) {
    out.push_str(REDACTED);
    out.push_str(rule);
    if let Some(fingerprint) = fingerprint {
        out.push(':');
        out.push_str(fingerprint);
    }
    out.push(']');
}

/// How large the value was that a cut stands in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) bytes: usize,
    /// The end was not seen: at least so many bytes.
    pub(super) at_least: bool,
}

/// The mark of a cut: the value that stands here, or stood here, measured so many bytes.
pub(super) fn truncated(out: &mut String, size: Size) {
    let more = if size.at_least { "+" } else { "" };
    // Writing to a string cannot fail.
    let _ = write!(out, "{TRUNCATED}:{}{more}]", size.bytes);
}

/// Whether a mark stands in a name, ours or one that was put in lower case: its words say nothing
/// about the value. Ours stands for a name that was read before.
pub(super) fn is_in(name: &str) -> bool {
    memchr::memchr_iter(b'[', name.as_bytes()).any(|i| {
        let near = &name[i..super::cut::floor(name, i + LONGEST)];
        leading(&near.to_ascii_uppercase()).is_some()
    })
}

/// The length of the mark that `text` begins with.
pub(super) fn leading(text: &str) -> Option<usize> {
    if !OPENINGS.iter().any(|opening| text.starts_with(opening)) {
        return None;
    }
    let near = &text.as_bytes()[..std::cmp::min(text.len(), LONGEST)];
    let end = memchr::memchr(b']', near)?;
    let spelled_by_us = near[1..end]
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-' | b'=' | b'+'));
    spelled_by_us.then_some(end + 1)
}

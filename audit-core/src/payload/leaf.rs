//! One text as it is kept: findings replaced by marks, then cut.

use std::borrow::Cow;

use super::cut::{bytes_of_chars, ceil, cut, floor};
use super::marker::{self, Size};
use super::patterns::{Found, Patterns};
use super::policy::Rules;
use super::spans::{Span, merge};
use super::text::Finder;
use super::{CallerCredential, credential, words};

/// A text in the making, with room that is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Leaf {
    pub(super) text: String,
    /// Where marks stand in it.
    pub(super) marks: Vec<(usize, usize)>,
}

impl Leaf {
    /// Puts together what is left of `text`, which begins at `at` of the page, without `spans`.
    pub(super) fn redact<'p>(
        &mut self,
        rules: &Rules,
        credentials: &[CallerCredential],
        text: &str,
        at: usize,
        spans: &[Span<'p>],
    ) {
        self.text.clear();
        self.marks.clear();
        let mut from = 0;
        for span in spans {
            let start = floor(text, span.start.saturating_sub(at));
            let end = ceil(text, std::cmp::min(span.end - at, text.len()));
            self.text.push_str(&text[from..std::cmp::max(start, from)]);
            let mark = self.text.len();
            let taken = &text[std::cmp::max(start, from)..end];
            if span.is_mark {
                self.text.push_str(taken);
            } else {
                let fingerprint = fingerprint(rules, credentials, span.rule, taken.as_bytes());
                marker::redacted(&mut self.text, span.rule, fingerprint.as_deref());
            }
            self.marks.push((mark, self.text.len()));
            from = end;
        }
        self.text.push_str(&text[from..]);
    }

    /// Cuts the text to `chars` characters, or less where that would keep half a token, and puts
    /// a mark at its end. Says whether there was anything to cut.
    pub(super) fn cut(&mut self, chars: usize, size: Size, goes_on: bool) -> bool {
        if !goes_on && bytes_of_chars(&self.text, chars) == self.text.len() {
            return false;
        }
        let mut mark = String::new();
        marker::truncated(&mut mark, size);
        let room = bytes_of_chars(&self.text, chars.saturating_sub(mark.len()));
        self.cut_at(room, goes_on);
        self.text.push_str(&mark);
        true
    }

    /// Keeps at most `room` bytes.
    pub(super) fn cut_at(&mut self, room: usize, goes_on: bool) {
        let end = cut(&self.text, &self.marks, room, goes_on);
        self.text.truncate(end);
        self.marks.retain(|&(_, stop)| stop <= end);
    }
}

/// The fingerprint of what a rule took away.
pub(super) fn fingerprint(
    rules: &Rules,
    credentials: &[CallerCredential],
    rule: &str,
    taken: &[u8],
) -> Option<String> {
    let fingerprints = rules.fingerprints.as_ref()?;
    // In whatever spelling it stood there: the question is asked about the credential itself.
    let is_whole = |c: &&CallerCredential| c.find_in(taken).next().is_some();
    let taken = match rule {
        credential::RULE => credentials.iter().find(is_whole)?.secret(),
        _ => taken,
    };
    fingerprints.of(rule, taken)
}

/// `text` without what the rules and `credentials` find in it.
pub(super) fn scrub<'t>(
    rules: &Rules,
    text: &'t str,
    credentials: &[CallerCredential],
) -> Cow<'t, str> {
    let mut text = Cow::Borrowed(text);
    if text.contains('\0') {
        text = Cow::Owned(text.replace('\0', "\u{fffd}"));
    }
    let mut findings = Finder::new(rules, credentials, false).page(&text);
    merge(&mut findings.spans);
    for (start, end) in findings.posing {
        text.to_mut()[start..end].make_ascii_lowercase();
    }
    if findings.spans.is_empty() {
        return text;
    }
    let mut leaf = Leaf::default();
    leaf.redact(rules, credentials, &text, 0, &findings.spans);
    Cow::Owned(leaf.text)
}

/// The built-in value pattern that matches somewhere in `text`: names and ids are refused when
/// they look like a credential.
///
/// Only the first 4,096 bytes are looked at.
///
/// ```
/// # use audit_core::payload::credential_shape;
/// assert_eq!(credential_shape("postgres://app:hunter2@db/audit"), Some("url_userinfo"));
/// assert_eq!(credential_shape("key-7"), None);
/// ```
#[must_use]
pub fn credential_shape(text: &str) -> Option<&'static str> {
    let text = &text[..floor(text, 4096)];
    let mut first: Option<Span<'static>> = None;
    let mut words = Vec::new();
    words::find_in(text.as_bytes(), &mut words);
    Patterns::built_in().find_in(text.as_bytes(), &words, |found| {
        if let Found::Secret(span) = found
            && first.is_none_or(|first| span.start < first.start)
        {
            first = Some(span);
        }
    });
    first.map(|span| span.rule)
}

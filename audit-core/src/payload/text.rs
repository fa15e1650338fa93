//! Looking through text: patterns, known credentials, assignments, and the same again inside what
//! the text carries in other spellings.
//!
//! A page is a run of texts with U+0000 between them, so that one search serves all strings of a
//! payload. Findings are stretches of the page.

use super::credential::CallerCredential;
use super::encodings::Plain;
use super::keys::KeyWords;
use super::patterns::{Found, text_end, text_start};
use super::policy::Rules;
use super::spans::Span;
use super::{assignment, marker, nested, runs, spans};

/// How many spellings inside each other are undone.
const MAX_LEVEL: u8 = 3;

/// What no rule reads: neither part of a name nor the end of a value.
const OPAQUE: u8 = 1;

/// Looks through pages by the rules of one policy.
#[derive(Debug)]
pub(super) struct Finder<'p> {
    pub(super) rules: &'p Rules,
    pub(super) keys: KeyWords,
    credentials: &'p [CallerCredential],
    /// The text was written by an earlier pass: its marks are ours.
    marks_are_ours: bool,
}

/// What was found in a page.
#[derive(Debug, Default)]
pub(super) struct Findings<'p> {
    pub(super) spans: Vec<Span<'p>>,
    /// Where a caller's text poses as a mark.
    pub(super) posing: Vec<(usize, usize)>,
}

impl<'p> Finder<'p> {
    pub(super) fn new(
        rules: &'p Rules,
        credentials: &'p [CallerCredential],
        marks_are_ours: bool,
    ) -> Self {
        Self {
            rules,
            keys: KeyWords::default(),
            credentials,
            marks_are_ours,
        }
    }

    /// Looks through a page of texts as they were given.
    pub(super) fn page(&mut self, page: &str) -> Findings<'p> {
        let mut findings = Findings::default();
        if !self.marks_are_ours {
            self.level(page.as_bytes(), 0, &mut findings);
            return findings;
        }
        // Marks of ours are opaque: no rule reads their words, and no finding takes them away.
        let mut opaque = page.as_bytes().to_vec();
        let mut marks = Vec::new();
        for start in memchr::memchr_iter(b'[', page.as_bytes()) {
            if let Some(n) = marker::leading(&page[start..]) {
                opaque[start..start + n].fill(OPAQUE);
                marks.push(Span::mark(start, start + n));
            }
        }
        self.level(&opaque, 0, &mut findings);
        findings.posing.clear();
        findings.spans = spans::outside(&findings.spans, &marks);
        findings.spans.append(&mut marks);
        findings
    }

    /// Looks through a page that was spelled `level` times over.
    pub(super) fn level(&mut self, page: &[u8], level: u8, findings: &mut Findings<'p>) {
        let first = findings.spans.len();
        self.rules.patterns().find_in(page, |found| match found {
            Found::Mark { start, end } => findings.posing.push((start, end)),
            Found::Secret(span) => findings.spans.push(span),
        });
        for credential in self.credentials {
            for span in credential.find_in(page) {
                findings.spans.push(span);
            }
            if credential.is_short() {
                standing_alone(page, credential, &mut findings.spans);
            }
        }
        // What was found is opaque from here on: a value that begins before it ends after it.
        let mut opaque = Vec::new();
        let mut page = page;
        if findings.spans.len() > first {
            opaque.extend_from_slice(page);
            for span in &findings.spans[first..] {
                opaque[span.start..span.end].fill(OPAQUE);
            }
            page = &opaque;
        }
        assignment::find_in(page, self, &mut findings.spans);
        if level < MAX_LEVEL {
            self.spelled(page, level, b'%', Plain::percent, findings);
            self.spelled(page, level, b'\\', Plain::backslash, findings);
            nested::find_in(page, level, self, &mut findings.spans);
            runs::find_in(page, level, self, &mut findings.spans);
        }
    }

    /// What a page of another spelling holds.
    pub(super) fn inner(&mut self, page: &[u8], level: u8) -> Vec<Span<'p>> {
        let mut findings = Findings::default();
        self.level(page, level + 1, &mut findings);
        findings.spans
    }

    /// Looks behind the escapes that `sign` announces.
    fn spelled(
        &mut self,
        page: &[u8],
        level: u8,
        sign: u8,
        plain: fn(&[u8]) -> Option<Plain>,
        findings: &mut Findings<'p>,
    ) {
        let mut from = 0;
        while let Some(i) = memchr::memchr(sign, &page[from..]) {
            let (start, end) = (text_start(page, from + i), text_end(page, from + i));
            if let Some(plain) = plain(&page[start..end]) {
                for span in self.inner(&plain.bytes, level) {
                    let (from, to) = plain.source(span.start, span.end);
                    findings
                        .spans
                        .push(Span::new(start + from, start + to, span.rule));
                }
            }
            from = end;
        }
    }
}

/// Where one of `credentials` stands in `text`, in any spelling.
pub(super) fn find_credentials(text: &str, credentials: &[CallerCredential]) -> Vec<Span<'static>> {
    let text = text.as_bytes();
    let mut spans = Vec::new();
    for credential in credentials {
        spans.extend(credential.find_in(text));
        standing_alone(text, credential, &mut spans);
        for plain in [Plain::percent(text), Plain::backslash(text)]
            .into_iter()
            .flatten()
        {
            spans.extend(credential.find_in(&plain.bytes).map(|span| {
                let (start, end) = plain.source(span.start, span.end);
                Span::new(start, end, span.rule)
            }));
        }
    }
    spans
}

/// Where a short credential is the whole of a text.
fn standing_alone<'p>(page: &[u8], credential: &CallerCredential, spans: &mut Vec<Span<'p>>) {
    let secret = credential.secret();
    if secret.is_empty() || !credential.is_short() {
        return;
    }
    let mut start = 0;
    while start < page.len() {
        let end = text_end(page, start);
        if page[start..end] == *secret {
            spans.push(Span::new(start, end, super::credential::RULE));
        }
        start = end + 1;
    }
}

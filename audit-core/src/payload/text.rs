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
use super::words::{self, Word};
use super::{assignment, marker, nested, runs, spans};

/// How many spellings inside each other are undone.
const MAX_LEVEL: u8 = 3;

/// What no rule reads: neither part of a name nor the end of a value.
const OPAQUE: u8 = 1;

/// Ends whatever stands before it: what was cut away is no part of a value.
const CUT: u8 = b'<';

/// Looks through pages by the rules of one policy.
#[derive(Debug)]
pub(super) struct Finder<'p> {
    pub(super) rules: &'p Rules,
    pub(super) keys: KeyWords,
    /// Room for the long words of a page.
    words: Vec<Word>,
    credentials: &'p [CallerCredential],
    /// The text was written by an earlier pass: its marks are ours.
    marks_are_ours: bool,
}

/// How often a page is looked through: each look needs a finding of the one before.
const MAX_LOOKS: usize = 4;

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
            words: Vec::new(),
            credentials,
            marks_are_ours,
        }
    }

    /// Looks through a page of texts as they were given.
    pub(super) fn page(&mut self, page: &str) -> Findings<'p> {
        let mut findings = Findings::default();
        let mut marks = Vec::new();
        if !self.marks_are_ours {
            self.level(page.as_bytes(), 0, &mut findings);
            if findings.spans.is_empty() {
                return findings;
            }
        } else {
            let is_mark = |start| Some((start, marker::leading(&page[start..])?));
            let starts = memchr::memchr_iter(b'[', page.as_bytes());
            marks.extend(
                starts
                    .filter_map(is_mark)
                    .map(|(start, n)| Span::mark(start, start + n)),
            );
        }
        let mut opaque = page.as_bytes().to_vec();
        for mark in &marks {
            let is_cut = page[mark.start..].starts_with(marker::TRUNCATED);
            opaque[mark.start..mark.end].fill(if is_cut { CUT } else { OPAQUE });
        }
        hide(&mut opaque, &findings.spans);
        self.look_again(&mut opaque, &mut findings);
        // No finding takes a mark of ours away.
        findings.spans = spans::outside(&findings.spans, &marks);
        findings.spans.append(&mut marks);
        findings
    }

    /// What was found is opaque to the rules: a value may begin before it and end after it. So
    /// look until nothing more is found; a later pass over what is kept then finds nothing either.
    fn look_again(&mut self, page: &mut [u8], findings: &mut Findings<'p>) {
        for _ in 0..MAX_LOOKS {
            let mut more = Findings::default();
            self.level(page, 0, &mut more);
            if more.spans.is_empty() {
                break;
            }
            hide(page, &more.spans);
            findings.spans.append(&mut more.spans);
        }
    }

    /// Looks through a page that was spelled `level` times over.
    pub(super) fn level(&mut self, page: &[u8], level: u8, findings: &mut Findings<'p>) {
        let mut words = std::mem::take(&mut self.words);
        words.clear();
        words::find_in(page, &mut words);
        let patterns = self.rules.patterns();
        patterns.find_in(page, &words, |found| match found {
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
        assignment::find_in(page, self, &mut findings.spans);
        if level < MAX_LEVEL {
            self.spelled(page, level, Plain::first_percent, Plain::percent, findings);
            self.spelled(
                page,
                level,
                Plain::first_backslash,
                Plain::backslash,
                findings,
            );
            nested::find_in(page, level, self, &mut findings.spans);
            runs::find_in(page, &words, level, self, &mut findings.spans);
        }
        self.words = words;
    }

    /// What a page of another spelling holds.
    pub(super) fn inner(&mut self, page: &[u8], level: u8) -> Vec<Span<'p>> {
        let mut findings = Findings::default();
        self.level(page, level + 1, &mut findings);
        findings.spans
    }

    /// Looks behind the escapes of a kind: where the `first` one stands, and a text without them.
    fn spelled(
        &mut self,
        page: &[u8],
        level: u8,
        first: fn(&[u8]) -> Option<usize>,
        plain: fn(&[u8]) -> Option<Plain>,
        findings: &mut Findings<'p>,
    ) {
        let mut from = 0;
        while let Some(i) = first(&page[from..]) {
            let (start, end) = (text_start(page, from + i), text_end(page, from + i));
            if let Some(plain) = plain(&page[start..end]) {
                // A rule may take away what stands before the end of a private key: here nothing.
                let spans = self.inner(&plain.bytes, level);
                for span in spans.iter().filter(|span| span.start < span.end) {
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

fn hide(page: &mut [u8], spans: &[Span<'_>]) {
    for span in spans {
        page[span.start..span.end].fill(OPAQUE);
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

/// A text whose end was cut away, as it is and without its escapes.
#[derive(Debug)]
pub(super) struct Beginnings<'t> {
    text: &'t [u8],
    plain: [Option<Plain>; 2],
}

impl<'t> Beginnings<'t> {
    pub(super) fn of(text: &'t [u8]) -> Self {
        Self {
            text,
            plain: [
                Plain::percent(without_half_escape(text, b'%', 2)),
                Plain::backslash(without_half_escape(text, b'\\', 5)),
            ],
        }
    }

    /// Where a spelling of `credential` begins that the end cuts off.
    pub(super) fn of_credential(&self, credential: &CallerCredential) -> Option<usize> {
        let in_plain = |plain: &Plain| {
            let start = credential.begun_at_end(&plain.bytes)?;
            Some(plain.source(start, plain.bytes.len()).0)
        };
        self.plain
            .iter()
            .flatten()
            .filter_map(in_plain)
            .chain(credential.begun_at_end(self.text))
            .reduce(std::cmp::min)
    }
}

/// `text` without an escape at its end that may lack some of its digits: fewer than `longest`
/// characters behind `sign`.
fn without_half_escape(text: &[u8], sign: u8, longest: usize) -> &[u8] {
    let near = text.len().saturating_sub(longest);
    match memchr::memrchr(sign, &text[near..]) {
        Some(i) => &text[..near + i],
        None => text,
    }
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

//! Credentials that show by their look: a literal beginning, and what must follow it.

use std::fmt;
use std::sync::LazyLock;

use regex_automata::util::prefilter::Prefilter;
use regex_automata::{Anchored, Input, MatchKind, meta};

use super::spans::Span;
use super::tokens::{self, Body};
use super::words::Word;
use super::{authorization, marker};

/// Beginnings that need a look at more than a run of characters.
const PEM: &str = "-----BEGIN";
const PEM_END: &str = "-----END";
const JWT: &str = "eyJ";
const AUTHORITY: &str = "://";
const SCHEMES: &[&str] = &[
    "Bearer",
    "bearer",
    "BEARER",
    "Basic",
    "basic",
    "BASIC",
    "Digest ",
    "AWS4-HMAC-SHA256 ",
    "ApiKey ",
    "Negotiate ",
    "NTLM ",
    "Token ",
    "token ",
];

/// A pattern of the operator's own.
#[derive(Clone, Debug)]
pub(super) struct Custom {
    pub(super) rule: Box<str>,
    pub(super) regex: meta::Regex,
    pub(super) prefixes: Vec<Box<[u8]>>,
}

/// What a literal announces.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Authority,
    Custom(usize),
    Jwt,
    Mark,
    Pem,
    PemEnd,
    Scheme,
}

/// All literals of a policy, searched for at once.
pub(super) struct Patterns {
    searches: Vec<Prefilter>,
    /// What may begin with each byte.
    literals: Vec<Vec<(Box<[u8]>, Kind)>>,
    custom: Vec<Custom>,
}

impl fmt::Debug for Patterns {
    /// The rules of the operator; the others are the same everywhere.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.custom.iter().map(|custom| &custom.rule))
            .finish()
    }
}

/// What was found: a stretch to take away, or text that poses as a mark.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'p> {
    Mark { start: usize, end: usize },
    Secret(Span<'p>),
}

static BUILT_IN: LazyLock<Patterns> = LazyLock::new(|| Patterns::new(Vec::new()));

impl Patterns {
    /// Those that every policy has.
    pub(super) fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// The built-in patterns and `custom` ones.
    pub(super) fn new(custom: Vec<Custom>) -> Self {
        let mut literals: Vec<(Box<[u8]>, Kind)> = Vec::new();
        let mut add = |literal: &[u8], kind| literals.push((literal.into(), kind));
        for (i, pattern) in custom.iter().enumerate() {
            for prefix in &pattern.prefixes {
                add(prefix, Kind::Custom(i));
            }
        }
        for scheme in SCHEMES {
            add(scheme.as_bytes(), Kind::Scheme);
        }
        for opening in marker::OPENINGS {
            add(opening.as_bytes(), Kind::Mark);
        }
        for (literal, kind) in [
            (AUTHORITY, Kind::Authority),
            (JWT, Kind::Jwt),
            (PEM, Kind::Pem),
            (PEM_END, Kind::PemEnd),
        ] {
            add(literal.as_bytes(), kind);
        }
        // The vector search takes at most 64 literals at a time, and is faster with 32. Equal
        // beginnings next to each other spare it work.
        let mut sorted: Vec<&[u8]> = literals.iter().map(|(literal, _)| &**literal).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let searches = sorted
            .chunks(32)
            .filter_map(|group| Prefilter::new(MatchKind::LeftmostFirst, group))
            .collect();
        let mut by_first = vec![Vec::new(); 256];
        for (literal, kind) in literals {
            by_first[usize::from(literal[0])].push((literal, kind));
        }
        Self {
            searches,
            literals: by_first,
            custom,
        }
    }

    /// Calls `found` for all that stands in `page`, a run of texts with U+0000 between them, whose
    /// long words are `words`.
    pub(super) fn find_in<'p>(
        &'p self,
        page: &[u8],
        words: &[Word],
        mut found: impl FnMut(Found<'p>),
    ) {
        for search in &self.searches {
            let mut from = 0;
            while let Some(hit) = search.find(page, (from..page.len()).into()) {
                let at = hit.start;
                from = at + 1;
                for (literal, kind) in &self.literals[usize::from(page[at])] {
                    if page[at..].starts_with(literal)
                        && let Some(finding) = self.check(page, at, literal.len(), *kind)
                    {
                        found(finding);
                    }
                }
            }
        }
        tokens::find_in(page, words, |span| found(Found::Secret(span)));
    }

    fn check(&self, page: &[u8], at: usize, literal: usize, kind: Kind) -> Option<Found<'_>> {
        let body = &page[at + literal..];
        let secret = |start, end, rule| Some(Found::Secret(Span::new(start, end, rule)));
        match kind {
            Kind::Custom(i) => {
                let Custom { rule, regex, .. } = &self.custom[i];
                let end = text_end(page, at);
                let input = Input::new(page).range(at..end).anchored(Anchored::Yes);
                let hit = regex.find(input)?;
                // A longer form of the same key is taken whole.
                let more = Body::Word.run(&page[hit.end()..end]);
                secret(at, hit.end() + more, rule)
            }
            Kind::Jwt => {
                let end = at + jwt(&page[at..])?;
                secret(at, end, "jwt")
            }
            Kind::Pem => {
                let end = text_end(page, at);
                let n = pem(&page[at..end])?;
                secret(at, at + n, "private_key")
            }
            Kind::PemEnd => {
                // The end of a block whose beginning stands in another piece of the text.
                let start = text_start(page, at);
                is_private_label(&body[..std::cmp::min(body.len(), 100)])
                    .then(|| memchr::memmem::find(&page[start..at], PEM.as_bytes()))?
                    .is_none()
                    .then_some(())?;
                secret(start, at, "private_key")
            }
            Kind::Authority => {
                let (start, end) = userinfo(body)?;
                secret(at + literal + start, at + literal + end, "url_userinfo")
            }
            Kind::Scheme => {
                let start = text_start(page, at);
                let end = text_end(page, at);
                let (from, to) = authorization::credential(&page[start..end], at - start, literal)?;
                secret(start + from, start + to, authorization::RULE)
            }
            Kind::Mark => {
                let end = at + literal;
                Some(Found::Mark { start: at, end })
            }
        }
    }
}

/// Where the text around `at` begins.
pub(super) fn text_start(page: &[u8], at: usize) -> usize {
    memchr::memrchr(0, &page[..at]).map_or(0, |i| i + 1)
}

/// Where the text around `at` ends.
pub(super) fn text_end(page: &[u8], at: usize) -> usize {
    memchr::memchr(0, &page[at..]).map_or(page.len(), |i| at + i)
}

/// The length of the signed or encrypted token that `text` begins with.
fn jwt(text: &[u8]) -> Option<usize> {
    const FEWEST: usize = 10;
    let header = Body::Word.run(text);
    let rest = text[header..].strip_prefix(b".")?;
    let payload = Body::Word.run(rest);
    let is_signed = payload >= FEWEST && rest.starts_with(JWT.as_bytes());
    let mut end = header + 1 + payload;
    let mut n_parts = 2;
    while text.get(end) == Some(&b'.') {
        end += 1 + Body::Word.run(&text[end + 1..]);
        n_parts += 1;
    }
    let is_encrypted = n_parts >= 5;
    (header >= FEWEST && (is_signed || is_encrypted)).then_some(end)
}

/// The length of the private key block that `text` begins with; without its end, all of `text`.
fn pem(text: &[u8]) -> Option<usize> {
    let label = &text[PEM.len()..std::cmp::min(text.len(), PEM.len() + 120)];
    if !is_private_label(label) {
        return None;
    }
    let Some(end) = memchr::memmem::find(text, PEM_END.as_bytes()) else {
        return Some(text.len());
    };
    let after = end + PEM_END.len();
    let closing = memchr::memmem::find(&text[after..], b"-----");
    Some(closing.map_or(text.len(), |n| after + n + 5))
}

/// ` RSA PRIVATE KEY-----`, or a label that was cut before it could say so.
fn is_private_label(label: &[u8]) -> bool {
    let n = label
        .iter()
        .take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b' ')
        .count();
    let words = label[..n].trim_ascii();
    let was_cut = n == label.len();
    was_cut || words.ends_with(b"PRIVATE KEY") || words.ends_with(b"PRIVATE KEY BLOCK")
}

/// The secret part of what stands after `://` and before `@`.
fn userinfo(text: &[u8]) -> Option<(usize, usize)> {
    let stops =
        |b: &u8| b.is_ascii_whitespace() || matches!(b, 0 | b'"' | b'\'' | b'<' | b'>' | b'`');
    let ends = |b: &u8| matches!(b, b'/' | b'?' | b'#') || stops(b);
    let slash = text.iter().position(ends).unwrap_or(text.len());
    let colon = memchr::memchr(b':', &text[..slash]);
    let at = memchr::memrchr(b'@', &text[..slash]);
    if colon.is_none() && at.is_none() {
        return None;
    }
    let more = text[slash..].iter().position(stops);
    let whole = more.map_or(text.len(), |n| slash + n);
    let text_ends = text.get(whole).is_none_or(|&b| b == 0);
    let rest = &text[..whole];
    let has_port = |from: usize, to: usize| rest[from..to].iter().all(u8::is_ascii_digit);
    match (colon, at) {
        (Some(colon), Some(at)) if colon < at => Some((colon + 1, at)),
        // A long user name is a token: `https://<token>@host`.
        (_, Some(at)) if at >= 16 => Some((0, at)),
        (_, Some(_)) | (None, None) => None,
        (Some(colon), None) if has_port(colon + 1, slash) => None,
        // An unescaped slash in a password, or a text that ends before the host.
        (Some(colon), None) => match memchr::memrchr(b'@', &rest[slash..]) {
            Some(at) => Some((colon + 1, slash + at)),
            None => (text_ends && slash == whole).then_some((colon + 1, whole)),
        },
    }
    .filter(|(start, end)| start < end)
}

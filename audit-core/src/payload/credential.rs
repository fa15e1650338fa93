use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::cut::{ceil, floor};
use super::encodings::{LOWER, UPPER, base64_core, hex, percent};
use super::needles::Needles;
use super::spans::{Span, merge};
use super::{marker, text};

/// The rule's name where a credential of the caller was taken away.
pub(super) const RULE: &str = "caller_credential";

/// A credential that must not appear in any output; it can be neither printed nor serialized.
///
/// All its spellings are prepared once: as it is, escaped for JSON, percent-encoded, in
/// hexadecimal and in base64 and base64url at the three alignments. Cloning is cheap.
///
/// A caller chooses what he presents, so a short one must not be able to blank out a record: one
/// of fewer than [`CallerCredential::MIN_BYTES`] bytes is only taken away where it is the whole of
/// a string, a number or a key. A longer one goes wherever it stands.
///
/// ```
/// # use audit_core::payload::CallerCredential;
/// let credential = CallerCredential::new("correct horse battery");
/// let line = credential.scrub("tried with correct%20horse%20battery twice");
/// assert_eq!(line, "tried with [REDACTED:caller_credential] twice");
/// assert_eq!(format!("{credential:?}"), "CallerCredential(..)");
/// ```
///
/// It has no `Display`:
/// ```compile_fail
/// # use audit_core::payload::CallerCredential;
/// println!("{}", CallerCredential::new("correct horse battery"));
/// ```
/// and no `Serialize`:
/// ```compile_fail
/// # use audit_core::payload::CallerCredential;
/// serde_json::to_string(&CallerCredential::new("correct horse battery"));
/// ```
#[derive(Clone)]
pub struct CallerCredential {
    spellings: Arc<Spellings>,
}

struct Spellings {
    secret: Box<[u8]>,
    needles: Needles,
}

impl CallerCredential {
    /// What is shorter is only taken away where it stands alone.
    pub const MIN_BYTES: usize = 8;

    /// Takes over what the caller presented.
    #[must_use]
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        let secret = secret.into();
        let mut needles = Vec::new();
        spell(&secret, &mut needles);
        // A whole header value was handed over: what counts is the part after the scheme.
        if let Some(space) = memchr::memchr(b' ', &secret)
            && secret[..space].iter().all(u8::is_ascii_alphabetic)
        {
            spell(secret[space..].trim_ascii(), &mut needles);
        }
        Self {
            spellings: Arc::new(Spellings {
                secret: secret.into_boxed_slice(),
                needles: Needles::new(needles),
            }),
        }
    }

    /// `text` without the credential; borrowed where it is not in it.
    #[must_use]
    pub fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut spans = text::find_credentials(text, std::slice::from_ref(self));
        if spans.is_empty() {
            return Cow::Borrowed(text);
        }
        merge(&mut spans);
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for span in spans {
            let start = floor(text, span.start);
            out.push_str(&text[from..std::cmp::max(start, from)]);
            marker::redacted(&mut out, span.rule, None);
            from = ceil(text, span.end);
        }
        out.push_str(&text[from..]);
        Cow::Owned(out)
    }

    /// What was presented, for the fingerprint alone.
    pub(super) fn secret(&self) -> &[u8] {
        &self.spellings.secret
    }

    /// The credential is too short to be looked for inside other text.
    pub(super) fn is_short(&self) -> bool {
        self.spellings.needles.is_empty()
    }

    /// Each place in `page` where a spelling of the credential stands.
    pub(super) fn find_in(&self, page: &[u8]) -> impl Iterator<Item = Span<'static>> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let (start, len) = self.spellings.needles.find(page, from)?;
            from = start + 1;
            Some(Span::new(start, start + len, RULE))
        })
    }

    /// Where the beginning of a spelling stands at the very end of `text`: the rest of it may
    /// have been cut away.
    pub(super) fn begun_at_end(&self, text: &[u8]) -> Option<usize> {
        const FEWEST: usize = 4;
        let begun = |needle: &[u8]| {
            let most = std::cmp::min(needle.len().saturating_sub(1), text.len());
            (FEWEST..=most)
                .rev()
                .find(|&n| text[text.len() - n..] == needle[..n])
                .map(|n| text.len() - n)
        };
        self.spellings
            .needles
            .iter()
            .filter_map(begun)
            .reduce(std::cmp::min)
    }
}

impl fmt::Debug for CallerCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallerCredential(..)")
    }
}

/// All spellings of `secret`, unless it is too short.
fn spell(secret: &[u8], needles: &mut Vec<Box<[u8]>>) {
    if secret.len() < CallerCredential::MIN_BYTES {
        return;
    }
    let mut add = |needle: Vec<u8>| needles.push(needle.into_boxed_slice());
    add(secret.to_vec());
    for digits in [LOWER, UPPER] {
        add(hex(secret, "", digits));
        add(hex(secret, "%", digits));
        add(hex(secret, "\\x", digits));
        add(percent(secret, "%20", digits));
        add(percent(secret, "+", digits));
    }
    for shift in 0..3 {
        let core = base64_core(secret, shift);
        let url_safe = core
            .iter()
            .map(|&b| match b {
                b'+' => b'-',
                b'/' => b'_',
                other => other,
            })
            .collect();
        add(url_safe);
        add(core);
    }
    // As it looks once what no store takes was replaced, and inside a JSON string.
    let kept = String::from_utf8_lossy(secret).replace('\0', "\u{fffd}");
    let mut escaped = kept.clone();
    for _ in 0..2 {
        escaped = serde_json::Value::from(escaped).to_string();
        escaped = escaped[1..escaped.len() - 1].to_owned();
        add(escaped.clone().into_bytes());
    }
    add(kept.into_bytes());
}

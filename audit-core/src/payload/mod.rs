//! Payload safety: what a request or response may leave behind in an event.
//!
//! Arguments and results of tool calls are hostile, huge and full of secrets. A [`Payload`] is what
//! is left of one: canonical JSON within [`PayloadLimits`], without the secrets that a
//! [`PayloadPolicy`] knows and without the caller's own [`CallerCredential`]. Beside it stands a
//! [`PayloadReport`], which says what was done.
//!
//! ```
//! use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};
//!
//! let policy = PayloadPolicy::default();
//! let payload = Payload::from_json(
//!     br#"{"query":"select 1","password":"hunter2","max_tokens":100}"#,
//!     &PayloadContext::request(&policy),
//! );
//! assert_eq!(
//!     payload.json(),
//!     Some(r#"{"query":"select 1","password":"[REDACTED:password]","max_tokens":100}"#),
//! );
//! assert_eq!(payload.report().n_redactions(), 1);
//! ```
//!
//! # Marks
//! `[REDACTED:rule]` stands where a rule took something away, `[TRUNCATED:bytes]` where a value
//! of so many bytes was cut (`+`: at least so many; without a number in a container that goes on
//! where the budget ended), `[DUPLICATE:n]` after a key that was there before, `[UNPARSEABLE:bytes]`
//! in the place of what was no JSON. A caller's text that says one of these words is put in lower
//! case, so data never passes for a mark; what holds in any case is the report.
//!
//! That is also why a payload's own JSON is data when it comes in as bytes. [`Payload::narrow`] is
//! the way to bound a payload again: it knows the marks, and with the same limits changes nothing.
//!
//! # What is certain and what is not
//! The caller's credential is certain: no output holds it, in any of the spellings that
//! [`CallerCredential`] lists. Size, validity and cost are certain. Rules for keys and patterns are
//! best effort: they find what looks like a secret.

// What the operator and the caller say, and what they are told.
mod context;
mod credential;
mod limits;
mod policy;
mod policy_builder;
mod report;
#[cfg(feature = "toml")]
mod toml_form;

// The way through all that follows.
mod pass;

// Input: bytes, or whatever serializes, onto a tape.
mod bounds;
mod node;
mod numbers;
mod serializer;
mod tape;
mod tokenizer;

// Rules for keys and places.
mod endings;
mod key_rules;
mod keys;
mod secret;
mod selector;
mod word_set;

// Rules for texts, in any spelling.
mod assignment;
mod authorization;
mod encodings;
mod needles;
mod nested;
mod patterns;
mod runs;
mod spans;
mod text;
mod tokens;
mod words;

// Output: the tape as JSON, with marks.
mod cut;
mod emit;
mod escaping;
mod fingerprint;
mod leaf;
mod marker;

// Payloads that a store gives back.
mod equality;
mod restore;

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

pub use context::PayloadContext;
pub use credential::CallerCredential;
pub use leaf::credential_shape;
pub use limits::PayloadLimits;
pub use policy::PayloadPolicy;
pub use policy_builder::{InvalidPolicy, PayloadPolicyBuilder};
pub use report::{Coverage, PayloadFailure, PayloadLevel, PayloadReport};
pub use restore::InvalidPayload;

/// A redacted and bounded payload: the only form in which an event carries one. A clone shares the
/// text.
#[derive(Clone)]
pub struct Payload {
    json: Option<Arc<str>>,
    report: PayloadReport,
}

/// One redaction: by which rule, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redaction {
    /// The rule's name.
    pub rule: Box<str>,
    /// The place in what is kept, as a path of keys and element numbers.
    pub place: Box<str>,
}

impl Redaction {
    fn new(rule: &str, place: String) -> Self {
        Self {
            rule: rule.into(),
            place: place.into(),
        }
    }
}

impl Payload {
    /// Keeps JSON that arrived as bytes.
    ///
    /// No input is refused: what is not JSON leaves a mark and its size, what ends in the middle
    /// leaves its beginning.
    #[must_use]
    pub fn from_json(bytes: impl AsRef<[u8]>, context: &PayloadContext<'_>) -> Self {
        pass::json(bytes.as_ref(), context, false).0
    }

    /// Like [`Payload::from_json`], and says which rule redacted what, for an operator who tries
    /// out a policy.
    #[must_use]
    pub fn explain_json(
        bytes: impl AsRef<[u8]>,
        context: &PayloadContext<'_>,
    ) -> (Self, Vec<Redaction>) {
        pass::json(bytes.as_ref(), context, true)
    }

    /// Keeps anything that serializes.
    ///
    /// It is read only as far as the budgets go. A `Serialize` that fails or panics half-way leaves
    /// what it had said until then.
    #[must_use]
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T, context: &PayloadContext<'_>) -> Self {
        pass::serialize(value, context)
    }

    /// Keeps plain text, as a JSON string.
    #[must_use]
    pub fn from_text(text: &str, context: &PayloadContext<'_>) -> Self {
        pass::text(text, context)
    }

    /// Keeps headers, as a JSON object in their order. Values need not be UTF-8.
    #[must_use]
    pub fn from_headers<N: AsRef<str>, V: AsRef<[u8]>>(
        headers: impl IntoIterator<Item = (N, V)>,
        context: &PayloadContext<'_>,
    ) -> Self {
        pass::headers(headers, context)
    }

    /// Gives back what a store kept. **For stores only.**
    ///
    /// This is a trust boundary: nothing is redacted here. The text must have been written by a
    /// `Payload` once, which a store knows because only payloads reach it; whoever calls this with
    /// other text puts that text past all rules. What is checked is form and size: JSON, no larger
    /// and no deeper than any payload, without U+0000.
    ///
    /// # Errors
    /// Text that no payload can have written, even as a store respells it.
    pub fn restore(json: Option<&str>, report: PayloadReport) -> Result<Self, InvalidPayload> {
        // At full level something is always kept. A store that has one kind of null gives back
        // nothing for a payload of `null`.
        let null = (report.level == PayloadLevel::Full).then_some("null");
        let json = json.or(null);
        json.map_or(Ok(()), restore::check)?;
        Ok(Self {
            json: json.map(restore::on_one_line),
            report,
        })
    }

    /// The same payload by another policy or smaller limits, its marks kept as marks. By the policy
    /// and limits that it was made with, it stays as it is.
    #[must_use]
    pub fn narrow(&self, context: &PayloadContext<'_>) -> Self {
        pass::narrow(self, context)
    }

    /// The canonical JSON, unless the level keeps none.
    #[must_use]
    pub fn json(&self) -> Option<&str> {
        self.json.as_deref()
    }

    /// What was done to the payload.
    #[must_use]
    pub fn report(&self) -> &PayloadReport {
        &self.report
    }
}

impl PartialEq for Payload {
    /// Equal by JSON meaning: a store may reorder keys and respell numbers.
    fn eq(&self, other: &Self) -> bool {
        self.report == other.report
            && match (&self.json, &other.json) {
                (Some(a), Some(b)) => equality::same(a, b),
                (None, None) => true,
                _ => false,
            }
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

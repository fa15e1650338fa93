//! The bounded texts of an event, each a type of its own.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::error::{FieldProblem, InvalidField};
use crate::payload::{self, CallerCredential, Payload, PayloadContext, PayloadPolicy};

/// Takes the caller's credentials out of what an event says.
pub(super) trait Scrub {
    fn scrub(&mut self, credentials: &[CallerCredential]);
}

impl<T: Scrub> Scrub for Option<T> {
    fn scrub(&mut self, credentials: &[CallerCredential]) {
        if let Some(inner) = self {
            inner.scrub(credentials);
        }
    }
}

impl Scrub for Payload {
    /// A payload that was made with these credentials holds none of them; what was made without is
    /// made anew.
    fn scrub(&mut self, credentials: &[CallerCredential]) {
        let holds = |json: &str| {
            credentials
                .iter()
                .any(|it| matches!(it.scrub(json), Cow::Owned(_)))
        };
        if self.json().is_some_and(holds) {
            let policy = PayloadPolicy::default();
            *self = self.narrow(&PayloadContext::request(&policy).credentials(credentials));
        }
    }
}

/// Defines a text type: at least one character, at most `$max`, no U+0000, nothing that looks
/// like a credential.
macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident, $field:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The most characters (Unicode scalar values) that the text may have.
            pub const MAX_CHARS: usize = $max;

            /// Takes a text that keeps the rules.
            ///
            /// # Errors
            /// The text is empty, longer than [`MAX_CHARS`](Self::MAX_CHARS), holds U+0000 or
            /// looks like a credential.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidField> {
                let text = text.as_ref();
                check_form($field, $max, text)?;
                check_credential($field, text)?;
                Ok(Self(text.into()))
            }

            /// Takes any text, for what somebody else claims: what the built-in patterns know is redacted,
            /// U+0000 becomes U+FFFD, the rest is cut to the bound, an empty text becomes
            /// `[EMPTY]`.
            #[must_use]
            pub fn lossy(text: impl AsRef<str>) -> Self {
                Self(claimed($max, text.as_ref()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Takes back what an event held: the form is checked, the rules for credentials,
            /// which may have grown since, are not.
            pub(crate) fn restore(text: &str) -> Result<Self, InvalidField> {
                check_form($field, $max, text)?;
                Ok(Self(text.into()))
            }
        }

        impl Scrub for $name {
            fn scrub(&mut self, credentials: &[CallerCredential]) {
                // The patterns were looked for when the text was made.
                for credential in credentials {
                    if let Cow::Owned(clean) = credential.scrub(&self.0) {
                        self.0 = cut($max, &clean).into();
                    }
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidField;

            fn try_from(text: &str) -> Result<Self, InvalidField> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

bounded_text! {
    /// The name of an API key; never the key.
    ApiKeyId, "api_key_id", 128
}
bounded_text! {
    /// The role under which the gateway let the caller act.
    Role, "role", 128
}
bounded_text! {
    /// The method of the call, such as `tools/call` or `GET /v1/items`.
    Method, "method", 256
}
bounded_text! {
    /// The tool that was called, as the caller named it.
    ToolName, "tool_name", 256
}
bounded_text! {
    /// The server behind the gateway that answered.
    Upstream, "upstream", 256
}
bounded_text! {
    /// The session in which the call was made. A session id that admits its bearer is a secret:
    /// record [`SessionId::hashed`].
    SessionId, "session_id", 128
}
bounded_text! {
    /// The JSON-RPC id of the request, as text. Unique only among the requests in flight of one
    /// sender, hence never a key.
    RequestId, "request_id", 128
}
bounded_text! {
    /// The name that a client claims.
    ClientName, "client.name", 128
}
bounded_text! {
    /// The version that a client claims.
    ClientVersion, "client.version", 64
}
bounded_text! {
    /// The address of the client, as the gateway saw it.
    ClientAddress, "client.address", 128
}
bounded_text! {
    /// Why a check decided as it did.
    Reason, "decision.reason", 256
}
bounded_text! {
    /// The rule by which a check decided.
    RuleName, "decision.rule", 128
}
bounded_text! {
    /// The logger that numbered an event: one run of one process, never used again.
    WriterId, "writer", 64
}

impl Method {
    /// `tools/call` of the Model Context Protocol.
    #[must_use]
    pub fn tools_call() -> Self {
        Self("tools/call".into())
    }
}

impl Role {
    /// The role of a caller whose role nobody knows.
    pub const UNKNOWN: &'static str = "unknown";
}

impl Default for Role {
    fn default() -> Self {
        Self(Self::UNKNOWN.into())
    }
}

impl SessionId {
    /// Stands for a session id without showing it: the first 128 bits of its SHA-256, in hex.
    ///
    /// Equal ids give equal texts, so that a session can still be followed. Unkeyed, because a
    /// session id is long and random: nobody can try them all.
    #[must_use]
    pub fn hashed(secret: impl AsRef<[u8]>) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"audit session id\0");
        hash.update(secret.as_ref());
        let text: String = hash
            .finalize()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self(text.into())
    }
}

fn check_form(field: &'static str, max: usize, text: &str) -> Result<(), InvalidField> {
    let refuse = |problem| Err(InvalidField::new(field, problem));
    if text.is_empty() {
        return refuse(FieldProblem::Empty);
    }
    if text.contains('\0') {
        return refuse(FieldProblem::Nul);
    }
    // A text of at most `max` bytes has at most `max` characters: usually nothing is counted.
    if text.len() > max && text.chars().nth(max).is_some() {
        return refuse(FieldProblem::TooLong { max });
    }
    Ok(())
}

fn check_credential(field: &'static str, text: &str) -> Result<(), InvalidField> {
    match payload::credential_shape(text) {
        Some(rule) => Err(InvalidField::new(field, FieldProblem::Credential { rule })),
        None => Ok(()),
    }
}

fn claimed(max: usize, text: &str) -> Arc<str> {
    if text.is_empty() {
        return "[EMPTY]".into();
    }
    // Redaction comes before the cut, or the first half of a token would stay.
    let clean = PayloadPolicy::default().scrub_text(text, &[]);
    let clean = clean.replace('\0', "\u{fffd}");
    cut(max, &clean).into()
}

fn cut(max: usize, text: &str) -> &str {
    match text.char_indices().nth(max) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_counts_characters_not_bytes() {
        let longest = "ü".repeat(ApiKeyId::MAX_CHARS);
        assert_eq!(ApiKeyId::new(&longest).unwrap().as_str(), longest);
        let error = ApiKeyId::new(format!("{longest}ü")).unwrap_err();
        assert_eq!(error.field(), "api_key_id");
        assert_eq!(error.problem(), FieldProblem::TooLong { max: 128 });
        assert_eq!(
            error.to_string(),
            "`api_key_id` is longer than 128 characters"
        );
    }

    #[test]
    fn an_empty_method_is_refused() {
        let error = Method::new("").unwrap_err();
        assert_eq!(
            (error.field(), error.problem()),
            ("method", FieldProblem::Empty)
        );
    }

    #[test]
    fn a_nul_is_refused_and_replaced_in_a_claim() {
        assert_eq!(
            ToolName::new("a\0b").unwrap_err().problem(),
            FieldProblem::Nul
        );
        assert_eq!(ToolName::lossy("a\0b").as_str(), "a\u{fffd}b");
    }

    #[test]
    fn an_id_that_looks_like_a_credential_is_refused_and_not_repeated() {
        let key = format!("Bearer {}", "0123456789abcdef".repeat(3));
        let error = ApiKeyId::new(&key).unwrap_err();
        assert!(
            matches!(error.problem(), FieldProblem::Credential { .. }),
            "{error}"
        );
        assert!(!error.to_string().contains("0123"), "{error}");
        assert!(!format!("{error:?}").contains("0123"), "{error:?}");
    }

    #[test]
    fn a_claim_is_cut_to_the_bound() {
        let text = ClientVersion::lossy("é ".repeat(500));
        assert_eq!(text.as_str().chars().count(), ClientVersion::MAX_CHARS);
        assert_eq!(ClientVersion::lossy("").as_str(), "[EMPTY]");
    }

    #[test]
    fn a_hashed_session_is_stable_and_does_not_show_the_id() {
        let hashed = SessionId::hashed("session-one");
        assert_eq!(hashed, SessionId::hashed("session-one"));
        assert_ne!(hashed, SessionId::hashed("session-two"));
        assert_eq!(hashed.as_str().len(), 32);
    }
}

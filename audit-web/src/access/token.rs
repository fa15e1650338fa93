use audit_core::event::Timestamp;

use super::digest::Digest;
use super::name::TokenName;
use super::scope::Scopes;

/// What is known of a token: everything but the token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    /// By which name its holder's reads are recorded.
    pub name: TokenName,
    /// What its holder may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// When it was taken back.
    pub revoked: Option<Timestamp>,
    /// What recognizes it.
    pub(super) digest: Digest,
}

impl Token {
    /// A token that is valid from now on.
    #[must_use]
    pub const fn new(name: TokenName, scopes: Scopes, digest: Digest, created: Timestamp) -> Self {
        Self {
            name,
            scopes,
            created,
            expires: None,
            revoked: None,
            digest,
        }
    }

    /// A token that ends by itself.
    #[must_use]
    pub const fn expires(mut self, expires: Option<Timestamp>) -> Self {
        self.expires = expires;
        self
    }

    /// Whether its holder is let in at this moment.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

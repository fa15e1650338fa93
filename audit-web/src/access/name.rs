use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a token: what stands in the record of what its holder read.
///
/// At most 64 letters and digits of ASCII, and `.`, `_`, `-` behind the first one. It names a
/// token, it never is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenName(Arc<str>);

/// A text that is no name of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidTokenName;

impl TokenName {
    /// The most characters of a name.
    pub const MAX_CHARS: usize = 64;

    /// Takes a name.
    ///
    /// # Errors
    /// The text is empty, too long, begins with something else than a letter or digit, holds what a
    /// name cannot hold, or is a token.
    pub fn new(name: &str) -> Result<Self, InvalidTokenName> {
        let begins_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        let holds_well = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        let is_token = name.starts_with(super::Secret::PREFIX);
        if begins_well && holds_well && !is_token && name.len() <= Self::MAX_CHARS {
            return Ok(Self(name.into()));
        }
        Err(InvalidTokenName)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for TokenName {
    type Err = InvalidTokenName;

    fn from_str(name: &str) -> Result<Self, InvalidTokenName> {
        Self::new(name)
    }
}

impl fmt::Display for InvalidTokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the name of a token is 1 to 64 letters, digits, `.`, `_` and `-`, begins with a letter \
             or digit, and is no token itself",
        )
    }
}

impl std::error::Error for InvalidTokenName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for name in ["a", "ops-2", "ci.grafana_1", &"x".repeat(64)] {
            assert_eq!(TokenName::new(name).unwrap().as_str(), name);
        }
        let token = super::super::Secret::random();
        for name in ["", "-a", "a b", "é", "a\n", &"x".repeat(65), token.reveal()] {
            assert_eq!(TokenName::new(name), Err(InvalidTokenName), "{name:?}");
        }
    }
}

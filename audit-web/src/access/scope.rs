use std::fmt;
use std::str::FromStr;

/// What a token lets its holder do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Scope {
    /// Everything that reads: what an auditor may, and the state of the system.
    Admin,
    /// What a viewer may, and payloads and exports, each of which is recorded.
    Auditor,
    /// Handing events in, and nothing else.
    Ingest,
    /// Lists, statistics and the live stream, without payloads.
    Viewer,
}

/// The scopes of one token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

/// A word that is no scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownScope(Box<str>);

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Auditor, Self::Ingest, Self::Viewer];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::Ingest => "ingest",
            Self::Viewer => "viewer",
        }
    }

    /// Itself and what comes with it.
    const fn bits(self) -> u8 {
        match self {
            Self::Viewer => 0b0001,
            Self::Auditor => 0b0011,
            Self::Admin => 0b0111,
            Self::Ingest => 0b1000,
        }
    }

    /// The bit that only it, and what includes it, has.
    const fn own_bit(self) -> u8 {
        match self {
            Self::Viewer => 0b0001,
            Self::Auditor => 0b0010,
            Self::Admin => 0b0100,
            Self::Ingest => 0b1000,
        }
    }
}

impl Scopes {
    /// Whether what asks for this scope is allowed.
    #[must_use]
    pub const fn allow(self, scope: Scope) -> bool {
        self.0 & scope.own_bit() != 0
    }

    /// Whether nothing is allowed.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes that say it all: without those that come with another one.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| {
            let comes_with_another = Scope::ALL.into_iter().any(|other| {
                other != *scope && self.allow(other) && other.bits() & scope.own_bit() != 0
            });
            self.allow(*scope) && !comes_with_another
        })
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(
            scopes
                .into_iter()
                .fold(0, |bits, scope| bits | scope.bits()),
        )
    }
}

impl From<Scope> for Scopes {
    fn from(scope: Scope) -> Self {
        Self(scope.bits())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.iter().map(Scope::as_str).collect();
        f.pad(&words.join(","))
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(word: &str) -> Result<Self, UnknownScope> {
        let mut all = Self::ALL.into_iter();
        all.find(|scope| scope.as_str() == word)
            .ok_or_else(|| UnknownScope(word.into()))
    }
}

impl fmt::Display for UnknownScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(word) = self;
        write!(
            f,
            "`{word}` is no scope: it is viewer, auditor, admin or ingest"
        )
    }
}

impl std::error::Error for UnknownScope {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_brings_what_is_below_it() {
        let allowed = |scope: Scope| {
            let scopes = Scopes::from(scope);
            let all = Scope::ALL.into_iter();
            all.filter(|asked| scopes.allow(*asked)).collect::<Vec<_>>()
        };
        assert_eq!(allowed(Scope::Viewer), [Scope::Viewer]);
        assert_eq!(allowed(Scope::Auditor), [Scope::Auditor, Scope::Viewer]);
        assert_eq!(
            allowed(Scope::Admin),
            [Scope::Admin, Scope::Auditor, Scope::Viewer]
        );
        assert_eq!(allowed(Scope::Ingest), [Scope::Ingest]);
    }

    #[test]
    fn scopes_are_shown_without_what_comes_with_them() {
        let scopes: Scopes = [Scope::Viewer, Scope::Ingest, Scope::Auditor]
            .into_iter()
            .collect();
        assert_eq!(scopes.to_string(), "auditor,ingest");
        assert_eq!(Scopes::default().to_string(), "");
    }
}

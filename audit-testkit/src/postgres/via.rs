use std::fmt;
use std::str::FromStr;

use super::PostgresError;

/// The ways to a Postgres for tests, in the order in which they are tried.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Via {
    /// The server that `AUDIT_TEST_DATABASE_URL` names.
    Url,
    /// A container of the image `postgres`, through testcontainers.
    Docker,
    /// A cluster in a temporary folder, run by the server programs of this machine.
    Local,
}

impl Via {
    /// All ways, in the order in which they are tried.
    pub const ALL: [Self; 3] = [Self::Url, Self::Docker, Self::Local];

    /// The word for it in `AUDIT_TEST_POSTGRES`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Docker => "docker",
            Self::Local => "local",
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Via {
    type Err = PostgresError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|via| via.as_str() == word)
            .ok_or_else(|| {
                PostgresError::new(format!(
                    "{word:?} is no way to a Postgres for tests; the ways are url, docker and local"
                ))
            })
    }
}

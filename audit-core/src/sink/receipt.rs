use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind};

/// How safe an event is. The order is the strength of the promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Durability {
    /// In memory: lost with the process.
    Queued,
    /// On the disk of this machine; on its way to the store.
    Spooled,
    /// Committed by the store, as far as that store promises.
    Committed,
}

impl Durability {
    /// The word that policies and metrics use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Spooled => "spooled",
            Self::Committed => "committed",
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Durability {
    type Err = Error;

    /// # Errors
    /// The word is none of the three.
    fn from_str(word: &str) -> Result<Self, Error> {
        let all = [Self::Queued, Self::Spooled, Self::Committed];
        let found = all
            .into_iter()
            .find(|durability| durability.as_str() == word);
        found.ok_or_else(|| {
            let text = format!("`{word}` is no durability: it is queued, spooled or committed");
            Error::new(ErrorKind::Invalid, text)
        })
    }
}

/// What became of one event of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Receipt {
    /// The event was there before, with the same content; nothing was changed.
    AlreadyStored,
    /// The event will never be stored.
    Refused(Refusal),
    /// The event was stored by this append.
    Stored,
}

impl Receipt {
    /// Whether the store has the event now.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Stored | Self::AlreadyStored)
    }
}

/// Why a healthy store refuses an event. The reason holds neither payloads nor keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    kind: RefusalKind,
    reason: Cow<'static, str>,
}

/// The kinds of refusal that a caller can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The store holds the same id with other content.
    Conflict,
    /// The store cannot hold this event.
    Unstorable,
}

impl Refusal {
    /// The store holds the same id with other content.
    #[must_use]
    pub const fn conflict() -> Self {
        let reason = "the store holds the same id with other content";
        Self {
            kind: RefusalKind::Conflict,
            reason: Cow::Borrowed(reason),
        }
    }

    /// The store cannot hold this event, for the reason given.
    #[must_use]
    pub fn unstorable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: RefusalKind::Unstorable,
            reason: reason.into(),
        }
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> RefusalKind {
        self.kind
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Refusal {}

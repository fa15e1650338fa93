//! The error of sinks, readers and loggers.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::event::InvalidField;
use crate::sink::{Refusal, RefusalKind};

/// Why an operation of a sink, a reader or a logger failed.
///
/// A clone is cheap: one failed batch answers many callers. The text never holds payload or key
/// material, and says only its own level; the rest is behind [`source`](StdError::source).
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    is_not_permitted: bool,
}

/// The kinds of failure that a caller can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The sink, reader or logger was closed.
    Closed,
    /// What was stored cannot be read back.
    Corrupt,
    /// The store has no room and will not get any by waiting.
    Full,
    /// A bug or a panic behind the interface.
    Internal,
    /// The caller's own input cannot be used: a field, a limit, a cursor.
    Invalid,
    /// The queue is full, and the policy is not to wait longer.
    Overloaded,
    /// A healthy store refuses this event.
    Rejected,
    /// No answer in time; whether it was done is not known.
    Timeout,
    /// The store cannot be reached or does not work at the moment.
    Unavailable,
}

impl Error {
    /// An error of a kind. The message is in lower case, without a full stop, and names what
    /// failed; it must not hold payloads or keys.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            source: None,
            is_not_permitted: false,
        }))
    }

    /// An error of a kind, with what caused it. What the source displays must not hold payloads or
    /// keys either.
    #[must_use]
    pub fn with_source(
        kind: ErrorKind,
        message: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            source: Some(source.into()),
            is_not_permitted: false,
        }))
    }

    /// The same, of what the store does not permit whoever asks.
    #[must_use]
    pub fn not_permitted(
        kind: ErrorKind,
        message: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            source: Some(source.into()),
            is_not_permitted: true,
        }))
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same call may succeed later. For an append: whether it may have been stored
    /// all the same; appending it again is safe.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind(), ErrorKind::Timeout | ErrorKind::Unavailable)
    }

    /// Whether this very input was refused, and will be again.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        matches!(self.kind(), ErrorKind::Invalid | ErrorKind::Rejected)
    }

    /// Whether the store holds the same id with other content.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        let source = self.source();
        let refusal = source.and_then(|source| source.downcast_ref::<Refusal>());
        refusal.is_some_and(|refusal| refusal.kind() == RefusalKind::Conflict)
    }

    /// Whether rights are missing. What the kind says holds beside it: rights can be given while a
    /// logger waits.
    #[must_use]
    pub fn is_not_permitted(&self) -> bool {
        self.0.is_not_permitted
    }

    /// Whether the other side was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.kind() == ErrorKind::Closed
    }
}

impl fmt::Debug for Error {
    /// Shows sources by what they display: the `Debug` text of a database's error quotes rows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source().map(ToString::to_string);
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::with_source(ErrorKind::Rejected, "the store refuses the event", refusal)
    }
}

impl From<InvalidField> for Error {
    fn from(field: InvalidField) -> Self {
        Self::with_source(
            ErrorKind::Invalid,
            "the event cannot be recorded as it is",
            field,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_follow_the_kind() {
        let flags = |kind| {
            let error = Error::new(kind, "x");
            (error.is_retryable(), error.is_rejected(), error.is_closed())
        };
        assert_eq!(flags(ErrorKind::Closed), (false, false, true));
        assert_eq!(flags(ErrorKind::Rejected), (false, true, false));
        assert_eq!(flags(ErrorKind::Invalid), (false, true, false));
        assert_eq!(flags(ErrorKind::Unavailable), (true, false, false));
        assert_eq!(flags(ErrorKind::Timeout), (true, false, false));
        for kind in [
            ErrorKind::Corrupt,
            ErrorKind::Full,
            ErrorKind::Internal,
            ErrorKind::Overloaded,
        ] {
            assert_eq!(flags(kind), (false, false, false), "{kind:?}");
        }
    }

    #[test]
    fn the_source_stays_and_is_not_repeated() {
        let io = std::io::Error::other("disk on fire");
        let error = Error::with_source(ErrorKind::Unavailable, "the store does not answer", io);
        assert_eq!(error.to_string(), "the store does not answer");
        assert_eq!(error.source().unwrap().to_string(), "disk on fire");
    }

    #[test]
    fn debug_shows_of_a_source_what_it_displays() {
        #[derive(Debug)]
        struct Row(#[expect(dead_code, reason = "only `Debug` reads it")] &'static str);

        impl fmt::Display for Row {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row was refused")
            }
        }

        impl StdError for Row {}

        let row = Row("what stands in the row");
        let error = Error::with_source(ErrorKind::Rejected, "the store refuses the event", row);
        let shown = format!("{error:?}");
        assert!(!shown.contains("stands in"), "{shown}");
        assert!(
            shown.contains("Rejected") && shown.contains("a row was refused"),
            "{shown}"
        );
    }
}

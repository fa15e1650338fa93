use std::borrow::Cow;
use std::fmt;

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

/// The receipts of a batch, one for each event, in the order of the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a refused event is lost unless somebody looks"]
pub struct Appended {
    receipts: Vec<Receipt>,
}

impl Appended {
    /// One receipt for each event, in the order of the batch.
    pub const fn new(receipts: Vec<Receipt>) -> Self {
        Self { receipts }
    }

    /// Every event of a batch of `n_events` was stored.
    pub fn all_stored(n_events: usize) -> Self {
        Self::new(vec![Receipt::Stored; n_events])
    }

    /// The receipts.
    #[must_use]
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// The receipts, to keep.
    #[must_use]
    pub fn into_receipts(self) -> Vec<Receipt> {
        self.receipts
    }

    /// Whether the store has every event of the batch now.
    #[must_use]
    pub fn is_all_kept(&self) -> bool {
        self.receipts.iter().all(Receipt::is_kept)
    }
}

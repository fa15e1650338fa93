use super::receipt::Durability;
use crate::event::Timestamp;

/// What a sink that answers twice promises with its second answer, and what waits for it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forwarding {
    /// What the second answer means: the durability of the last store.
    pub durability: Durability,
    /// Events that the sink answered for and the last store has not.
    pub n_events: u64,
    /// Bytes that these take where the sink keeps them.
    pub bytes: u64,
    /// When the oldest of these calls began.
    pub oldest: Option<Timestamp>,
}

impl Forwarding {
    /// Nothing waits on its way to a store of this durability.
    #[must_use]
    pub const fn to(durability: Durability) -> Self {
        Self {
            durability,
            n_events: 0,
            bytes: 0,
            oldest: None,
        }
    }

    /// So many events wait, of so many bytes, the oldest since then.
    #[must_use]
    pub const fn waiting(mut self, n_events: u64, bytes: u64, oldest: Option<Timestamp>) -> Self {
        self.n_events = n_events;
        self.bytes = bytes;
        self.oldest = oldest;
        self
    }
}

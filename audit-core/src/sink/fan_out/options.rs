use std::time::Duration;

/// The bounds of one lane of a [`FanOut`](super::FanOut).
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use audit_core::sink::LaneOptions;
///
/// let of_a_far_store = LaneOptions::new().deadline(Duration::from_secs(60)).events(200_000);
/// # let _ = of_a_far_store;
/// ```
#[derive(Clone, Debug)]
pub struct LaneOptions {
    pub(super) deadline: Duration,
    pub(super) events: usize,
    pub(super) bytes: usize,
}

impl LaneOptions {
    /// Ten seconds, 65,536 events, 64 MiB.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            events: 65_536,
            bytes: 64 << 20,
        }
    }

    /// How long one append may take. A sink that takes longer is unavailable.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The most events that wait for the sink, those in flight among them.
    #[must_use]
    pub const fn events(mut self, n_events: usize) -> Self {
        self.events = n_events;
        self
    }

    /// The most bytes that these take in memory. Lanes share their events: what waits in two
    /// lanes is there once.
    #[must_use]
    pub const fn bytes(mut self, n_bytes: usize) -> Self {
        self.bytes = n_bytes;
        self
    }
}

impl Default for LaneOptions {
    fn default() -> Self {
        Self::new()
    }
}

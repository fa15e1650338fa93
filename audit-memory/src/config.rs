/// How much a store holds, and what it does when that is reached.
///
/// # Examples
/// ```
/// use audit_memory::{MemoryConfig, MemoryStore, WhenFull};
///
/// let recent = MemoryConfig::new()
///     .max_events(1_000)
///     .when_full(WhenFull::ForgetOldest);
/// let store = MemoryStore::with_config(recent);
/// # let _ = store;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a configuration is handed to `MemoryStore::with_config`"]
pub struct MemoryConfig {
    max_events: usize,
    max_bytes: usize,
    when_full: WhenFull,
}

/// What a store does with events for which it has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "without room something has to stay out: the old or the new"
)]
pub enum WhenFull {
    /// The events that were stored first make room, and are counted.
    ///
    /// A forgotten event is forgotten with its id: the store would take it again. The largest
    /// batch is taken too; what does not fit of it is forgotten as if it had come before. A
    /// follower that stood before what was forgotten is told so by an error.
    ForgetOldest,
    /// A batch that does not fit is an error of kind [`Full`](audit_core::ErrorKind::Full), and
    /// nothing of it is stored. Events that are there already need no room.
    #[default]
    Refuse,
}

impl MemoryConfig {
    /// A million events, 256 MiB, refusing what is more.
    pub const fn new() -> Self {
        Self {
            max_events: 1_000_000,
            max_bytes: 256 * 1024 * 1024,
            when_full: WhenFull::Refuse,
        }
    }

    /// At most so many events.
    pub const fn max_events(mut self, max_events: usize) -> Self {
        self.max_events = max_events;
        self
    }

    /// At most so many bytes, by [`AuditEvent::size_in_memory`]; the store's own index comes on
    /// top, some 60 bytes an event. An event that is larger than this alone is refused, and its
    /// neighbors are stored.
    ///
    /// [`AuditEvent::size_in_memory`]: audit_core::event::AuditEvent::size_in_memory
    pub const fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// What to do with events for which there is no room.
    pub const fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    pub(crate) const fn forgets(&self) -> bool {
        matches!(self.when_full, WhenFull::ForgetOldest)
    }

    pub(crate) const fn holds(&self, n_events: usize, bytes: usize) -> bool {
        n_events <= self.max_events && bytes <= self.max_bytes
    }

    /// Whether a tenth of the room or less is left.
    pub(crate) const fn is_nearly_reached(&self, n_events: usize, bytes: usize) -> bool {
        n_events >= self.max_events - self.max_events / 10
            || bytes >= self.max_bytes - self.max_bytes / 10
    }

    /// Whether nothing more fits for sure.
    pub(crate) const fn is_reached(&self, n_events: usize, bytes: usize) -> bool {
        n_events >= self.max_events || bytes >= self.max_bytes
    }

    pub(crate) const fn holds_alone(&self, bytes: usize) -> bool {
        bytes <= self.max_bytes
    }
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self::new()
    }
}

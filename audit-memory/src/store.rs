use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use audit_core::event::AuditEvent;
use tokio::sync::Notify;

use crate::config::MemoryConfig;
use crate::log::Log;
use crate::position::StoreKey;

/// A store in memory: a sink and a reader. A clone is another handle to the same store.
///
/// A handle goes where a sink is asked for, another stays with the test:
/// `let sink: Arc<dyn AuditSink> = Arc::new(store.clone());`.
///
/// Once [closed](audit_core::sink::AuditSink::close) it takes no more; what it holds can still be
/// read, so that a test can look at what a shutdown left behind.
#[derive(Clone)]
pub struct MemoryStore {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) key: StoreKey,
    pub(crate) config: MemoryConfig,
    state: RwLock<State>,
    /// Wakes whoever waits for events. A waiter asks for its wake-up before it looks, so that
    /// none is lost between looking and waiting.
    pub(crate) committed: Notify,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) log: Log,
    pub(crate) is_closed: bool,
}

impl MemoryStore {
    /// An empty store with the bounds of [`MemoryConfig::new`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_config(MemoryConfig::new())
    }

    /// An empty store with bounds of one's own.
    #[must_use]
    pub fn with_config(config: MemoryConfig) -> Self {
        Self {
            shared: Arc::new(Shared {
                key: StoreKey::random(),
                config,
                state: RwLock::default(),
                committed: Notify::new(),
            }),
        }
    }

    /// The events that are held, in the order in which they were committed.
    #[must_use]
    pub fn recorded(&self) -> Vec<AuditEvent> {
        self.read().log.iter().cloned().collect()
    }

    /// Waits until the events that are held, in the order in which they were committed, are as
    /// the condition says, and gives them back. The condition is asked at once, then behind every
    /// batch; no batch is missed.
    ///
    /// It waits for ever if that never happens: a test puts `tokio::time::timeout` around it.
    ///
    /// # Cancel safety
    /// Nothing is kept between calls.
    ///
    /// # Examples
    /// ```
    /// # use audit_memory::MemoryStore;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let store = MemoryStore::new();
    /// let events = store.wait_for(|events| events.is_empty()).await;
    /// assert!(events.is_empty());
    /// # }
    /// ```
    pub async fn wait_for(
        &self,
        mut is_met: impl FnMut(&[AuditEvent]) -> bool + Send,
    ) -> Vec<AuditEvent> {
        let mut seen = Vec::new();
        let mut begin = 0;
        loop {
            let committed = self.shared.committed.notified();
            self.catch_up(&mut begin, &mut seen);
            // The lock is not held: the condition may ask the store.
            if is_met(&seen) {
                return seen;
            }
            committed.await;
        }
    }

    /// How many events are held.
    #[must_use]
    pub fn n_events(&self) -> usize {
        self.read().log.n_events()
    }

    /// How many events were forgotten to make room, since the store was made.
    #[must_use]
    pub fn n_forgotten(&self) -> u64 {
        self.read().log.begin()
    }

    /// The bytes of the events that are held, by [`AuditEvent::size_in_memory`].
    #[must_use]
    pub fn size_in_memory(&self) -> usize {
        self.read().log.bytes()
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        // Nothing panics between two changes that belong together.
        let state = self.shared.state.read();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        let state = self.shared.state.write();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings a copy of the events, of which the first has the position `begin`, up to date.
    /// Copies only what is new: a waiter that sees every batch would else copy the square of it.
    fn catch_up(&self, begin: &mut u64, seen: &mut Vec<AuditEvent>) {
        let state = self.read();
        let n_forgotten = state.log.begin() - *begin;
        let n_gone = usize::try_from(n_forgotten).unwrap_or(usize::MAX);
        seen.drain(..std::cmp::min(n_gone, seen.len()));
        *begin = state.log.begin();
        let n_seen = seen.len();
        seen.extend(state.log.iter().skip(n_seen).cloned());
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.read();
        f.debug_struct("MemoryStore")
            .field("config", &self.shared.config)
            .field("n_events", &state.log.n_events())
            .field("n_forgotten", &state.log.begin())
            .field("bytes", &state.log.bytes())
            .field("is_closed", &state.is_closed)
            .finish()
    }
}

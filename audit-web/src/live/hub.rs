use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use audit_core::reader::{
    Filter, FollowFrom, FollowPosition, FollowRequest, Followed, FollowedEvent,
};
use audit_core::{AuditReader, Error};
use tokio::sync::{Mutex as AsyncMutex, Semaphore, watch};
use tokio::task::AbortHandle;

use super::ring::Ring;

/// The hub of a store, while somebody listens.
#[derive(Debug, Default)]
pub(crate) struct Hubs {
    current: AsyncMutex<Weak<Hub>>,
}

/// Follows a store for all streams. It ends with the last one of them.
#[derive(Debug)]
pub(super) struct Hub {
    reader: Arc<dyn AuditReader>,
    shared: Arc<Shared>,
    /// Streams that read the store themselves take turns, or they would take all its connections.
    turns: Semaphore,
    following: AbortHandle,
}

#[derive(Debug)]
pub(super) struct Shared {
    ring: Mutex<Ring>,
    /// Changes whenever the ring does.
    changes: watch::Sender<u64>,
}

/// How long the store may wait for an event before it answers without one.
const WAIT: Duration = Duration::from_secs(20);
/// How long to wait when the store does not answer.
const PAUSE: Duration = Duration::from_secs(1);
/// As many streams read the store at once.
const TURNS: usize = 2;

impl Hubs {
    /// The hub, which follows from now on if it did not before.
    ///
    /// # Errors
    /// The store does not say where its end is.
    pub(super) async fn join(&self, reader: &Arc<dyn AuditReader>) -> Result<Arc<Hub>, Error> {
        let mut current = self.current.lock().await;
        if let Some(hub) = current.upgrade() {
            return Ok(hub);
        }
        let hub = Arc::new(Hub::begin(Arc::clone(reader)).await?);
        *current = Arc::downgrade(&hub);
        Ok(hub)
    }
}

impl Hub {
    async fn begin(reader: Arc<dyn AuditReader>) -> Result<Self, Error> {
        let ring = Ring::new(end_of(&*reader).await?);
        let shared = Arc::new(Shared {
            ring: Mutex::new(ring),
            changes: watch::Sender::new(0),
        });
        let following = tokio::spawn(follow(Arc::clone(&reader), Arc::clone(&shared)));
        Ok(Self {
            reader,
            shared,
            turns: Semaphore::new(TURNS),
            following: following.abort_handle(),
        })
    }

    /// The ring; not to be held across an await.
    pub(super) fn ring(&self) -> MutexGuard<'_, Ring> {
        self.shared.ring()
    }

    /// Tells of every change of the ring from now on.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Reads the store from a position on, when it is the stream's turn.
    ///
    /// # Errors
    /// As [`AuditReader::follow`].
    pub(super) async fn read(
        &self,
        filter: Filter,
        from: FollowPosition,
        limit: usize,
    ) -> Result<Followed, Error> {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await.ok();
        let request = FollowRequest::new(filter)
            .from(FollowFrom::After(from))
            .limit(limit)?;
        self.reader.follow(&request).await
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.following.abort();
    }
}

impl Shared {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        // Nothing panics between two changes that belong together.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, events: Vec<FollowedEvent>, position: FollowPosition) {
        let has_more = !events.is_empty();
        self.ring().push(events, position);
        if has_more {
            self.changes.send_modify(|n| *n += 1);
        }
    }
}

async fn end_of(reader: &dyn AuditReader) -> Result<FollowPosition, Error> {
    let request = FollowRequest::new(Filter::all()).from(FollowFrom::Now);
    Ok(reader.follow(&request).await?.position)
}

/// Brings what is committed into the ring, for ever.
async fn follow(reader: Arc<dyn AuditReader>, shared: Arc<Shared>) {
    loop {
        let from = shared.ring().position().clone();
        let request = FollowRequest::new(Filter::all())
            .from(FollowFrom::After(from))
            .wait(WAIT);
        match reader.follow(&request).await {
            Ok(Followed {
                events, position, ..
            }) => shared.push(events, position),
            Err(error) => {
                tracing::warn!(%error, "the store cannot be followed for the live streams");
                if error.is_rejected() {
                    start_over(&*reader, &shared).await;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Begins anew at the end of the store: what lay before is not there any more. Streams find their
/// numbers overrun, ask the store themselves, and hear the same.
async fn start_over(reader: &dyn AuditReader, shared: &Shared) {
    if let Ok(position) = end_of(reader).await {
        shared.ring().restart(position);
        shared.changes.send_modify(|n| *n += 1);
    }
}

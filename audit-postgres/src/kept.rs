//! Connections that wait for the next statement of a sink.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// As long as the driver's pool lets a connection live: then it is made anew.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 60);

/// What the driver's pool does not get back between two appends.
///
/// It asks each connection that it gets back whether that is in order: a round trip for every
/// append, while which the next one finds no connection and opens another. Here only those come
/// back that are known to be in order: every answer was read and every transaction ended, since one
/// that is merely dropped is rolled back with the next statement, however late that comes.
pub(crate) struct Kept {
    room: Arc<Semaphore>,
    /// Nothing, once the pool was closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

pub(crate) struct Connection {
    pub(crate) inner: PoolConnection<Postgres>,
    pub(crate) since: Instant,
}

impl Kept {
    pub(crate) fn new(n_connections: u32) -> Self {
        let n_connections = usize::try_from(n_connections).unwrap_or(usize::MAX);
        Self {
            room: Arc::new(Semaphore::new(
                n_connections.clamp(1, Semaphore::MAX_PERMITS),
            )),
            idle: Mutex::new(Some(Vec::new())),
        }
    }

    /// Waits until fewer connections are in use than there may be.
    pub(crate) async fn room(
        &self,
        patience: Duration,
    ) -> Result<OwnedSemaphorePermit, sqlx::Error> {
        tokio::time::timeout(patience, Arc::clone(&self.room).acquire_owned())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?
            .map_err(|_| sqlx::Error::PoolClosed)
    }

    /// The one that was used last, whose statements are prepared.
    pub(crate) fn take(&self) -> Option<Connection> {
        self.idle().as_mut()?.pop()
    }

    /// Keeps a connection that is in order. Gives it back to the driver's pool if that was closed
    /// or the connection is old.
    pub(crate) fn put(&self, connection: Connection) {
        if let Some(idle) = self.idle().as_mut()
            && connection.since.elapsed() < LONGEST_LIFE
        {
            idle.push(connection);
        }
    }

    /// From here on nothing is kept.
    pub(crate) fn close(&self) {
        self.room.close();
        let idle = self.idle().take();
        drop(idle);
    }

    pub(crate) fn n_idle(&self) -> usize {
        self.idle().as_ref().map_or(0, Vec::len)
    }

    fn idle(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("n_idle", &self.n_idle())
            .finish_non_exhaustive()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner);
        for connection in idle.take().into_iter().flatten() {
            // Giving it back would take a runtime, and there may be none any more.
            drop(connection.inner.detach());
        }
    }
}

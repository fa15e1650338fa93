//! The connections of a reader, and a connection that is given back only if it is clean.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use audit_core::{Error, ErrorKind};
use sqlx::SqliteConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::SqliteConfig;
use crate::connection::Connector;
use crate::error::convert;
use crate::file::{DatabaseFile, Identity, failed};

/// The connections of a reader.
#[derive(Clone)]
pub(crate) struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    connector: Connector,
    query_timeout: Duration,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Open>>,
}

/// A connection that was made.
struct Open {
    connection: SqliteConnection,
    /// Which file it has open.
    identity: Identity,
    /// Ends the statement that runs.
    is_cancelled: Arc<AtomicBool>,
}

/// After how many steps of its machine SQLite asks whether to go on: some tens of microseconds.
const STEPS: i32 = 10_000;
const REACHING: &str = "the file cannot be read";

impl Pool {
    pub(crate) fn new(file: &DatabaseFile, config: &SqliteConfig) -> Self {
        let n_connections = usize::try_from(config.reader_connections);
        let n_connections = n_connections.unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            inner: Arc::new(Inner {
                connector: Connector::for_reader(file, config),
                query_timeout: config.query_timeout,
                permits: Arc::new(Semaphore::new(n_connections)),
                idle: Mutex::default(),
            }),
        }
    }

    /// Waits for an answer as long as a question may take.
    ///
    /// A question that takes longer, or that nobody waits for any more, is ended when its
    /// [`Lease`] is dropped.
    pub(crate) async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let answer = tokio::time::timeout(self.inner.query_timeout, answer).await;
        answer.unwrap_or_else(|_| {
            let text = "the question took longer than `query_timeout`: ask for a range of time, a \
                        key, a tool or a session";
            Err(Error::new(ErrorKind::Timeout, text))
        })
    }

    /// A connection that is closed instead of given back, unless it says that it is clean.
    pub(crate) async fn lease(&self) -> Result<Lease, Error> {
        let permits = Arc::clone(&self.inner.permits);
        let closed = |_| Error::new(ErrorKind::Closed, "the reader was closed");
        let permit = permits.acquire_owned().await.map_err(closed)?;
        let identity = self.inner.connector.file.identity();
        let identity = identity.map_err(|error| failed(REACHING, error))?;
        let open = match self.inner.take_idle(identity) {
            Some(open) => open,
            None => self.inner.open(identity).await?,
        };
        Ok(Lease {
            open: Some(open),
            pool: Arc::clone(&self.inner),
            is_clean: false,
            _permit: permit,
        })
    }
}

impl Inner {
    /// A connection to this very file: another one may have been put in its place.
    fn take_idle(&self, identity: Identity) -> Option<Open> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|open| open.identity == identity);
        idle.pop()
    }

    async fn open(&self, identity: Identity) -> Result<Open, Error> {
        let failed = |error| convert(REACHING, &error);
        let mut connection = self.connector.connect().await.map_err(failed)?;
        let is_cancelled = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&is_cancelled);
        connection
            .lock_handle()
            .await
            .map_err(failed)?
            .set_progress_handler(STEPS, move || !asked.load(Ordering::Relaxed));
        Ok(Open {
            connection,
            identity,
            is_cancelled,
        })
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("path", &self.inner.connector.file.path())
            .field("n_free", &self.inner.permits.available_permits())
            .field("query_timeout", &self.inner.query_timeout)
            .finish_non_exhaustive()
    }
}

/// A connection of the pool. What is dropped in the middle of a statement ends that statement, and
/// is closed.
pub(crate) struct Lease {
    open: Option<Open>,
    pool: Arc<Inner>,
    is_clean: bool,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// Gives the connection back: every answer was read, and no transaction is open.
    pub(crate) fn give_back(mut self) {
        self.is_clean = true;
    }
}

impl Deref for Lease {
    type Target = SqliteConnection;

    #[expect(clippy::expect_used, reason = "only dropping takes the connection out")]
    fn deref(&self) -> &SqliteConnection {
        let open = self.open.as_ref();
        &open.expect("a lease has its connection").connection
    }
}

impl DerefMut for Lease {
    #[expect(clippy::expect_used, reason = "only dropping takes the connection out")]
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        let open = self.open.as_mut();
        &mut open.expect("a lease has its connection").connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        if self.is_clean {
            let idle = self.pool.idle.lock();
            idle.unwrap_or_else(PoisonError::into_inner).push(open);
            return;
        }
        open.is_cancelled.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether nobody reads from the log: then it is taken in whole.
    async fn is_log_free(connection: &mut SqliteConnection) -> bool {
        let checkpoint = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)");
        let (is_busy, _, _): (i64, i64, i64) = checkpoint.fetch_one(connection).await.unwrap();
        is_busy == 0
    }

    #[tokio::test]
    async fn a_statement_without_an_end_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let config = SqliteConfig::new(folder.path().join("audit.db"))
            .busy_timeout(Duration::from_millis(1))
            .query_timeout(Duration::from_millis(50));
        let file = DatabaseFile::new(&config.path).unwrap();
        file.create_if_missing().unwrap();
        let writer = Connector::for_writer(&file, &config);
        let mut writer = writer.connect().await.unwrap();
        let table = "CREATE TABLE one (n); INSERT INTO one VALUES (1)";
        sqlx::raw_sql(table).execute(&mut writer).await.unwrap();

        let pool = Pool::new(&file, &config);
        let ask = async {
            let mut lease = pool.lease().await?;
            let endless = "WITH RECURSIVE step (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM step)
                           SELECT count(*) FROM step, one";
            let done = sqlx::query(endless).execute(&mut *lease).await;
            done.map_err(|error| convert(REACHING, &error))?;
            lease.give_back();
            Ok(())
        };
        let error = pool.within(ask).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        let until_free = async { while !is_log_free(&mut writer).await {} };
        let freed = tokio::time::timeout(Duration::from_secs(20), until_free).await;
        freed.expect("the statement ends with its lease");
        let lease = pool.within(pool.lease()).await.unwrap();
        lease.give_back();
    }
}

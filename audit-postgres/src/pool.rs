//! Pools of connections, and a connection that is given back only if it is clean.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use audit_core::{Error, ErrorKind};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, Postgres, Row as _, Transaction};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::config::{Pooler, PostgresConfig};
use crate::error::convert;
use crate::kept::{Connection, Kept};

/// What the server may take beyond its own timeout until the client gives up on it.
const GRACE: Duration = Duration::from_secs(5);

/// A pool for one kind of work, with the timeout of its statements.
#[derive(Clone)]
pub(crate) struct Pool {
    inner: PgPool,
    /// Of a sink.
    kept: Option<Arc<Kept>>,
    pooler: Pooler,
    purpose: Purpose,
    acquire_timeout: Duration,
    statement_timeout: Duration,
}

/// What the statements of a pool are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Questions. None reads a whole table, whatever the planner makes of it: of a summary of
    /// pages it believes that it leads to all of them, so that it would read them without it.
    Questions,
    /// Everything else.
    Changes,
}

/// What becomes of a connection that was not used for a while.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Idle {
    /// It is asked whether it still lives, for whoever has nobody to try again.
    Asked,
    /// It is used, and asked only as it is given back.
    Trusted,
    /// It is used, and kept: asking would double the round trips of every append, and an append
    /// that meets a dead one is tried again.
    Kept,
}

impl Pool {
    /// The pool of a sink: commits wait for the server's disk.
    pub(crate) fn for_sink(config: &PostgresConfig) -> Self {
        let timeout = config.statement_timeout;
        Self::new(
            config,
            config.sink_connections,
            timeout,
            Idle::Kept,
            Purpose::Changes,
        )
    }

    /// The pool of a reader, apart from the sink's.
    pub(crate) fn for_reader(config: &PostgresConfig) -> Self {
        let timeout = config.query_timeout;
        Self::new(
            config,
            config.reader_connections,
            timeout,
            Idle::Asked,
            Purpose::Questions,
        )
    }

    /// The connection of whoever changes the schema, which takes the time it takes.
    pub(crate) fn for_maintainer(config: &PostgresConfig) -> Self {
        Self::new(config, 1, Duration::ZERO, Idle::Trusted, Purpose::Changes)
    }

    fn new(
        config: &PostgresConfig,
        n_connections: u32,
        statement_timeout: Duration,
        idle: Idle,
        purpose: Purpose,
    ) -> Self {
        let server = config.server.clone();
        let pooler = config.pooler;
        // Nothing is compiled: it would take longer than the statements do, which read little of
        // much and are estimated by all of it. And there is memory for a large batch, and for a
        // day's latencies in order: the server's default is 4 MB, and beyond it files are written.
        //
        // A pooler in transaction mode takes no settings at the beginning of a session, and gives
        // the next transaction to another one.
        let server = match pooler {
            Pooler::None => {
                let millis = statement_timeout.as_millis().to_string();
                let server = server.options([
                    ("statement_timeout", millis.as_str()),
                    ("jit", "off"),
                    ("work_mem", "32MB"),
                ]);
                match purpose {
                    Purpose::Questions => server.options([("enable_seqscan", "off")]),
                    Purpose::Changes => server,
                }
            }
            Pooler::Transaction => server.statement_cache_capacity(0).extra_float_digits(None),
        };
        let inner = PgPoolOptions::new()
            .max_connections(n_connections)
            .acquire_timeout(config.acquire_timeout)
            .test_before_acquire(idle == Idle::Asked)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    // A session behind a pooler is somebody else's as well: there it is the
                    // transactions that insist.
                    if pooler == Pooler::None {
                        sqlx::raw_sql(WAIT_FOR_THE_DISK).execute(connection).await?;
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(server);
        let kept = (idle == Idle::Kept).then(|| Arc::new(Kept::new(n_connections)));
        Self {
            inner,
            kept,
            pooler,
            purpose,
            acquire_timeout: config.acquire_timeout,
            statement_timeout,
        }
    }

    /// A connection that is closed instead of given back, unless it says that it is clean.
    pub(crate) async fn lease(&self) -> Result<Lease, Error> {
        let lease = self.try_lease().await;
        lease.map_err(|error| convert("the database cannot be reached", &error))
    }

    async fn try_lease(&self) -> Result<Lease, sqlx::Error> {
        let room = match &self.kept {
            Some(kept) => Some(kept.room(self.acquire_timeout).await?),
            None => None,
        };
        let connection = match self.kept.as_ref().and_then(|kept| kept.take()) {
            Some(connection) => connection,
            None => Connection {
                inner: self.inner.acquire().await?,
                since: Instant::now(),
            },
        };
        Ok(Lease {
            connection: Some(connection),
            is_clean: false,
            kept: self.kept.clone(),
            _room: room,
        })
    }

    /// Waits for an answer as long as the server may take, and somewhat longer.
    pub(crate) async fn within<T>(
        &self,
        n_statements: u32,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let patience = self.acquire_timeout + self.statement_timeout * n_statements + GRACE;
        tokio::time::timeout(patience, answer)
            .await
            .unwrap_or_else(|_| {
                let text = format!("the database gave no answer within {patience:?}");
                Err(Error::new(ErrorKind::Timeout, text))
            })
    }

    /// Whether statements have to run in transactions that are opened for them.
    pub(crate) fn needs_transactions(&self) -> bool {
        self.pooler == Pooler::Transaction
    }

    /// Whether a statement that was prepared is still there when it is wanted again. A pooler in
    /// transaction mode may give it to another client; statements without a name live as long as
    /// their transaction.
    pub(crate) fn keeps_statements(&self) -> bool {
        self.pooler == Pooler::None
    }

    /// Begins a transaction whose statements have their settings, whatever stands in between.
    pub(crate) async fn begin<'c>(
        &self,
        connection: &'c mut PgConnection,
    ) -> Result<Transaction<'c, Postgres>, sqlx::Error> {
        if !self.needs_transactions() {
            return connection.begin().await;
        }
        // One message, and hence one round trip. Put together from constants and a number.
        let millis = self.statement_timeout.as_millis();
        let walks = match self.purpose {
            Purpose::Questions => "SET LOCAL enable_seqscan = off;",
            Purpose::Changes => "",
        };
        let begin = format!(
            "BEGIN; SET LOCAL statement_timeout = {millis}; SET LOCAL jit = off; \
             SET LOCAL work_mem = '32MB'; {walks} {WAIT_FOR_THE_DISK_NOW}"
        );
        connection.begin_with(AssertSqlSafe(begin)).await
    }

    /// Whether the server takes writes now.
    pub(crate) async fn is_writable(&self) -> Result<bool, Error> {
        let mut lease = self.lease().await?;
        let ask = async {
            let setting = sqlx::raw_sql("SELECT current_setting('transaction_read_only')");
            let row = setting.fetch_one(&mut *lease).await?;
            row.try_get::<String, _>(0)
        };
        let answer = self.within(1, async {
            ask.await
                .map_err(|error| convert("the database does not answer", &error))
        });
        let setting = answer.await?;
        lease.give_back();
        Ok(setting == "off")
    }

    fn n_idle(&self) -> usize {
        self.inner.num_idle() + self.kept.as_ref().map_or(0, |kept| kept.n_idle())
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    pub(crate) async fn close(&self) {
        // It counts as closed from here on, and waits for the connections that are kept.
        let closed = self.inner.close();
        if let Some(kept) = &self.kept {
            kept.close();
        }
        closed.await;
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("n_connections", &self.inner.size())
            .field("n_idle", &self.n_idle())
            .field("pooler", &self.pooler)
            .field("is_closed", &self.inner.is_closed())
            .finish_non_exhaustive()
    }
}

/// `Ok` means durable, so a commit must wait at least for the server's own disk. What is stricter
/// than that was chosen by the operator and stays. Said by the session itself, so that no change of
/// the server's configuration takes it away from a session that lives.
const WAIT_FOR_THE_DISK: &str = "SELECT set_config('synchronous_commit', CASE setting WHEN 'off' THEN 'on' ELSE setting END, false)
    FROM current_setting('synchronous_commit') AS setting";

/// The same for one transaction.
const WAIT_FOR_THE_DISK_NOW: &str = "SELECT set_config('synchronous_commit', CASE setting WHEN 'off' THEN 'on' ELSE setting END, true)
    FROM current_setting('synchronous_commit') AS setting";

/// A connection of the pool.
///
/// What was dropped in the middle of a statement is closed: the server ends that statement as a
/// whole or not at all, and nobody reads its answer for their own.
pub(crate) struct Lease {
    connection: Option<Connection>,
    is_clean: bool,
    kept: Option<Arc<Kept>>,
    /// Free again behind the connection.
    _room: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// Gives the connection back: every answer was read.
    pub(crate) fn give_back(mut self) {
        self.is_clean = true;
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    #[expect(clippy::expect_used, reason = "only dropping takes the connection out")]
    fn deref(&self) -> &PgConnection {
        let connection = self.connection.as_ref();
        &connection.expect("a lease has its connection").inner
    }
}

impl DerefMut for Lease {
    #[expect(clippy::expect_used, reason = "only dropping takes the connection out")]
    fn deref_mut(&mut self) -> &mut PgConnection {
        let connection = self.connection.as_mut();
        &mut connection.expect("a lease has its connection").inner
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if !self.is_clean {
            // Closes the socket without waiting for the other side.
            drop(connection.inner.detach());
        } else if let Some(kept) = &self.kept {
            kept.put(connection);
        }
    }
}

use std::sync::Arc;

use async_trait::async_trait;
use audit_core::event::{AuditEvent, EventId, EventSummary, WriterId};
use audit_core::reader::{
    AuditReader, Count, Filter, FollowRequest, Followed, Page, PageRequest, SeqGap, Statistics,
    StatisticsRequest,
};
use audit_core::{Clock as _, Error, SystemClock};
use sqlx::SqliteConnection;
use tokio::sync::Notify;

use crate::config::SqliteConfig;
use crate::connection::Connector;
use crate::damage::{Damage, SetAside};
use crate::dead_letter::DeadLetters;
use crate::error::convert;
use crate::file::{DatabaseFile, failed};
use crate::hold::Holds;
use crate::lock::Lock;
use crate::reader::SqliteReader;
use crate::retention::Retention;
use crate::schema;
use crate::sink::Writer;

/// A store in a SQLite file: a sink and a reader. A clone is another handle to the same store.
///
/// One task writes; it takes the batches of all callers that wait into one transaction, which is
/// one flush of the disk. An append that is dropped half-way is stored whole or not at all. A
/// batch with an event that was there, or that the file refuses, takes some further statements of
/// the same transaction; the refused ones go to `audit_dead_letters`.
///
/// Several processes may have one file open: who writes waits for the others, up to
/// [`busy_timeout`](SqliteConfig::busy_timeout), and is then told with an error that [is
/// retryable](Error::is_retryable).
///
/// The reader has connections of its own. Once the sink is
/// [closed](audit_core::AuditSink::close), what is stored can still be read.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    writer: Writer,
    reader: SqliteReader,
    set_aside: Option<SetAside>,
}

/// Why a file is not open.
enum Unopened {
    /// It has to be set aside first.
    Damaged(Damage),
    Failed(Error),
}

impl SqliteStore {
    /// Opens the file, or begins a new one; brings its schema to this version. A file that is
    /// damaged is set aside, and a new one begun: see [`set_aside`](Self::set_aside).
    ///
    /// Must be called within a tokio runtime, on which the task that writes then runs.
    ///
    /// # Errors
    /// The file cannot be reached, used or locked; it is the database of something else, or that of
    /// a newer version; it is damaged, and another process has it open. The text says what to do.
    ///
    /// # Cancel safety
    /// Dropped half-way, it goes on where it was with the next call.
    pub async fn open(config: &SqliteConfig) -> Result<Self, Error> {
        let file = DatabaseFile::new(&config.path)?;
        let mut lock = Lock::shared(&file, config.busy_timeout).await?;
        let mut set_aside = None;
        let connection = match open(&file, config, None).await {
            Ok(connection) => connection,
            Err(Unopened::Failed(error)) => return Err(error),
            Err(Unopened::Damaged(_)) => {
                drop(lock);
                let alone = Lock::exclusive(&file, config.busy_timeout).await?;
                let connection = set_aside_and_open(&file, config, &mut set_aside).await?;
                lock = alone.into_shared(config.busy_timeout).await?;
                connection
            }
        };
        let identity = file.identity();
        let identity = identity.map_err(|error| failed("the file was moved or removed", error))?;
        let committed = Arc::new(Notify::new());
        let reader = SqliteReader::of_store(&file, config, Arc::clone(&committed));
        let connector = Connector::for_writer(&file, config);
        let writer = Writer::start(connector, identity, connection, committed, lock);
        Ok(Self {
            shared: Arc::new(Shared {
                writer,
                reader,
                set_aside,
            }),
        })
    }

    /// The damaged file in whose place this one was begun, if it was.
    #[must_use]
    pub fn set_aside(&self) -> Option<&SetAside> {
        self.shared.set_aside.as_ref()
    }

    /// The reader alone.
    #[must_use]
    pub fn reader(&self) -> &SqliteReader {
        &self.shared.reader
    }

    /// Legal holds: placing, releasing, listing.
    #[must_use]
    pub fn holds(&self) -> Holds<'_> {
        Holds::new(self)
    }

    /// Retention: a plan, and applying it.
    #[must_use]
    pub fn retention(&self) -> Retention<'_> {
        Retention::new(self)
    }

    /// What the store refused: listing, trying again, taking out.
    #[must_use]
    pub fn dead_letters(&self) -> DeadLetters<'_> {
        DeadLetters::new(self)
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.shared.writer
    }
}

async fn open(
    file: &DatabaseFile,
    config: &SqliteConfig,
    set_aside: Option<&SetAside>,
) -> Result<SqliteConnection, Unopened> {
    if file.is_log_alone() {
        let reason = "the database is gone and its log is there".to_owned();
        return Err(Unopened::Damaged(Damage(reason)));
    }
    file.create_if_missing()?;
    let connected = Connector::for_writer(file, config).connect().await;
    let mut connection = connected.map_err(|error| match Damage::of(&error) {
        Some(damage) => Unopened::Damaged(damage),
        None => Unopened::Failed(convert("the file cannot be opened", &error)),
    })?;
    if config.check_on_open
        && let Some(damage) = Damage::find(&mut connection).await?
    {
        return Err(Unopened::Damaged(damage));
    }
    schema::migrate(&mut connection, file, set_aside).await?;
    Ok(connection)
}

/// For who has the lock alone.
async fn set_aside_and_open(
    file: &DatabaseFile,
    config: &SqliteConfig,
    set_aside: &mut Option<SetAside>,
) -> Result<SqliteConnection, Error> {
    // Somebody may have done it meanwhile.
    let damage = match open(file, config, None).await {
        Ok(connection) => return Ok(connection),
        Err(Unopened::Failed(error)) => return Err(error),
        Err(Unopened::Damaged(damage)) => damage,
    };
    let aside = damage.set_aside(file, SystemClock::new().now())?;
    let opened = open(file, config, Some(&aside)).await;
    *set_aside = Some(aside);
    opened.map_err(|error| match error {
        Unopened::Failed(error) => error,
        Unopened::Damaged(Damage(reason)) => Error::with_source(
            audit_core::ErrorKind::Corrupt,
            "a new file is damaged at once: check the disk",
            reason,
        ),
    })
}

impl From<Error> for Unopened {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

#[async_trait]
impl AuditReader for SqliteStore {
    async fn get(&self, id: EventId) -> Result<Option<AuditEvent>, Error> {
        self.reader().get(id).await
    }

    async fn page(&self, request: &PageRequest) -> Result<Page<EventSummary>, Error> {
        self.reader().page(request).await
    }

    async fn page_with_payloads(&self, request: &PageRequest) -> Result<Page<AuditEvent>, Error> {
        self.reader().page_with_payloads(request).await
    }

    async fn count(&self, filter: &Filter, cap: u64) -> Result<Count, Error> {
        self.reader().count(filter, cap).await
    }

    async fn statistics(&self, request: &StatisticsRequest) -> Result<Statistics, Error> {
        self.reader().statistics(request).await
    }

    async fn gaps(&self, writer: &WriterId, limit: usize) -> Result<Vec<SeqGap>, Error> {
        self.reader().gaps(writer, limit).await
    }

    async fn follow(&self, request: &FollowRequest) -> Result<Followed, Error> {
        self.reader().follow(request).await
    }
}

mod columns;
mod condition;
mod filter;
mod follow;
mod gaps;
mod lead;
mod page;
mod pattern;
mod sql;
mod statistics;

use std::sync::Arc;

use async_trait::async_trait;
use audit_core::Error;
use audit_core::event::{AuditEvent, EventId, EventSummary, WriterId};
use audit_core::reader::{
    AuditReader, Count, Filter, FollowRequest, Followed, Page, PageRequest, SeqGap, Statistics,
    StatisticsRequest,
};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use tokio::sync::Notify;

use self::page::Shown;
pub(crate) use self::sql::Sql;
use crate::config::SqliteConfig;
use crate::error::convert;
use crate::file::DatabaseFile;
use crate::pool::Pool;
use crate::row;
use crate::schema;

/// Answers questions about `audit_events`.
///
/// Its connections are its own and can only read, and each question has a time
/// ([`query_timeout`](SqliteConfig::query_timeout)). A follower that waits holds no connection; it
/// is woken by what the process itself commits, and looks for what others do ten times a second.
///
/// A clone shares the connections.
///
/// # What is fast
/// The list by id, from any cursor; an event by its id; a range of time, which is one of ids; the
/// events of a key, a tool or a session, and those of any outcome but `ok`, whether there are any
/// or none. What has no index is looked for along the list: a filter by role alone that matches
/// nothing reads the whole range of time that was asked for, and ends with
/// [`Timeout`](audit_core::ErrorKind::Timeout) if that is too much. Asked together with one of the former, or
/// within a range of time, it is fast too.
#[derive(Clone, Debug)]
pub struct SqliteReader {
    pool: Pool,
    /// Wakes followers when this process has committed.
    committed: Arc<Notify>,
}

impl SqliteReader {
    /// Opens a file that is there, to look at it: nothing of it is changed, also not its schema,
    /// and a damaged one is left as it is. SQLite itself wants to write beside it, to `…-shm`, so
    /// the rights of its owner are needed all the same.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// There is no such file, it cannot be used, or it holds no store of this version. The text
    /// says what to do.
    pub async fn open(config: &SqliteConfig) -> Result<Self, Error> {
        let file = DatabaseFile::new(&config.path)?;
        let reader = Self::of_store(&file, config, Arc::default());
        let check = async {
            let mut lease = reader.pool.lease().await?;
            schema::check(&mut lease).await?;
            lease.give_back();
            Ok(())
        };
        reader.pool.within(check).await?;
        Ok(reader)
    }

    pub(crate) fn of_store(
        file: &DatabaseFile,
        config: &SqliteConfig,
        committed: Arc<Notify>,
    ) -> Self {
        Self {
            pool: Pool::new(file, config),
            committed,
        }
    }

    /// How SQLite would read a page, in the words of its EXPLAIN QUERY PLAN: for whoever wonders why
    /// one is slow. Nothing is read.
    ///
    /// # Errors
    /// As [`page`](AuditReader::page).
    pub async fn explain_page(&self, request: &PageRequest) -> Result<String, Error> {
        let mut sql = Sql::new("EXPLAIN QUERY PLAN\n");
        page::push_page(&mut sql, request, Shown::Summary)?;
        let rows = self.rows(sql).await?;
        let lines = rows.iter().map(|row| row.try_get::<&str, _>("detail"));
        let lines: Result<Vec<&str>, _> = lines.collect();
        Ok(lines.map_err(|error| unreadable(&error))?.join("\n"))
    }

    pub(crate) async fn rows(&self, mut sql: Sql) -> Result<Vec<SqliteRow>, Error> {
        sql.check()?;
        let answer = async {
            let mut lease = self.pool.lease().await?;
            let rows = sql.query().fetch_all(&mut *lease).await;
            let rows = rows.map_err(|error| unreadable(&error))?;
            lease.give_back();
            Ok(rows)
        };
        self.pool.within(answer).await
    }
}

#[async_trait]
impl AuditReader for SqliteReader {
    async fn get(&self, id: EventId) -> Result<Option<AuditEvent>, Error> {
        let rows = self.rows(page::get(id)).await?;
        rows.first().map(row::event).transpose()
    }

    async fn page(&self, request: &PageRequest) -> Result<Page<EventSummary>, Error> {
        let mut sql = Sql::new("");
        page::push_page(&mut sql, request, Shown::Summary)?;
        let rows = self.rows(sql).await?;
        let summaries: Result<_, _> = rows.iter().map(row::summary).collect();
        Ok(Page::assemble(request, summaries?))
    }

    async fn page_with_payloads(&self, request: &PageRequest) -> Result<Page<AuditEvent>, Error> {
        let mut sql = Sql::new("");
        page::push_page(&mut sql, request, Shown::Event)?;
        let rows = self.rows(sql).await?;
        let events: Result<_, _> = rows.iter().map(row::event).collect();
        Ok(Page::assemble(request, events?))
    }

    async fn count(&self, filter: &Filter, cap: u64) -> Result<Count, Error> {
        let rows = self.rows(page::count(filter, cap)?).await?;
        let counted = rows.first().map(|row| row.try_get::<i64, _>(0));
        let counted = counted.unwrap_or(Err(sqlx::Error::RowNotFound));
        let counted = counted.map_err(|error| unreadable(&error))?;
        Ok(Count::capped(counted.unsigned_abs(), cap))
    }

    async fn statistics(&self, request: &StatisticsRequest) -> Result<Statistics, Error> {
        let rows = self.rows(statistics::statistics(request)?).await?;
        statistics::answer(request, &rows)
    }

    async fn gaps(&self, writer: &WriterId, limit: usize) -> Result<Vec<SeqGap>, Error> {
        let rows = self.rows(gaps::gaps(writer, limit)).await?;
        rows.iter().map(gaps::gap).collect()
    }

    async fn follow(&self, request: &FollowRequest) -> Result<Followed, Error> {
        follow::follow(self, request).await
    }
}

/// What a question failed of.
fn unreadable(error: &sqlx::Error) -> Error {
    convert("the events cannot be read", error)
}

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

use async_trait::async_trait;
use audit_core::event::{AuditEvent, EventId, EventSummary, WriterId};
use audit_core::reader::{
    AuditReader, Count, Filter, FollowRequest, Followed, Page, PageRequest, SeqGap, Statistics,
    StatisticsRequest,
};
use audit_core::{Error, ErrorKind};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use self::page::Shown;
use self::sql::Sql;
use crate::config::PostgresConfig;
use crate::error::convert;
use crate::pool::Pool;
use crate::row;

/// The plan as text: with the columns that are read, without guesses.
const EXPLAIN: &str = "EXPLAIN (VERBOSE, COSTS OFF)\n";

/// Answers questions about `audit_events`, with the rights of the reader.
///
/// Its connections are its own, and each statement has a time that the server keeps
/// ([`query_timeout`](PostgresConfig::query_timeout)), so that no question keeps an event waiting.
/// A follower that waits holds no connection.
///
/// A clone shares the connections.
///
/// # What is fast
/// The list by id, from any cursor; an event by its id; a range of time, which is one of ids and
/// hence of partitions; the events of a key, a tool or a session, and those of any outcome but
/// `ok`, whether there are any or none; the events of a writer.
///
/// A trace, a request id, a role, method, upstream, status, client's name or version are looked for
/// along the list if there are many of them, and in summaries of the pages if there are few or none.
///
/// Everything else has no index: latencies, verdicts and reasons, span ids, client addresses, free
/// text, what was redacted, patterns other than a prefix of a key, tool or session. It is looked
/// for along the list, and where nothing matches, the whole range of time that was asked for is
/// read, ending with [`Timeout`](ErrorKind::Timeout) if that is too much. Asked together with one of
/// the former, or within a range of time, it is fast too. The same holds for a value that was
/// common once and is not any more, where it is none of a key, tool, session or outcome.
#[derive(Clone, Debug)]
pub struct PostgresReader {
    pool: Pool,
    gathered_latencies: u32,
}

impl PostgresReader {
    /// Connects, and makes sure that the schema is there.
    ///
    /// # Errors
    /// The server cannot be reached, or the migrations did not run: the text says what to do.
    pub async fn connect(config: &PostgresConfig) -> Result<Self, Error> {
        let reader = Self::connect_lazily(config);
        let sql = Sql::new("SELECT FROM audit_store, audit_events LIMIT 0");
        reader.rows(sql).await?;
        Ok(reader)
    }

    /// Connects with the first question.
    ///
    /// Must be called within a tokio runtime.
    #[must_use]
    pub fn connect_lazily(config: &PostgresConfig) -> Self {
        Self {
            pool: Pool::for_reader(config),
            gathered_latencies: config.gathered_latencies,
        }
    }

    /// How the server would read a page, in the words of its EXPLAIN: for whoever wonders why one
    /// is slow. Nothing is read.
    ///
    /// # Errors
    /// As [`page`](AuditReader::page).
    pub async fn explain_page(&self, request: &PageRequest) -> Result<String, Error> {
        let mut sql = Sql::new(EXPLAIN);
        page::push_page(&mut sql, request, Shown::Summary)?;
        self.plan(sql).await
    }

    /// The same for statistics.
    ///
    /// # Errors
    /// As [`statistics`](AuditReader::statistics).
    pub async fn explain_statistics(&self, request: &StatisticsRequest) -> Result<String, Error> {
        let mut sql = Sql::new(EXPLAIN);
        statistics::gathered::push(&mut sql, request, self.gathered_latencies)?;
        self.plan(sql).await
    }

    /// The id that an event of the tool's predecessor has now, by the random one that it had.
    ///
    /// # Errors
    /// As [`get`](AuditReader::get).
    pub async fn find_legacy(&self, legacy_id: &str) -> Result<Option<EventId>, Error> {
        if !condition::is_storable(legacy_id) {
            return Ok(None);
        }
        let mut sql = Sql::new("SELECT id FROM audit_legacy_ids WHERE legacy_id = ");
        sql.bind(legacy_id.to_owned());
        let rows = self.rows(sql).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let id: Uuid = row.try_get(0).map_err(|error| unreadable(&error))?;
        let id = EventId::from_uuid(id).map_err(|error| {
            let text = "an id of an event of the predecessor is none";
            Error::with_source(ErrorKind::Corrupt, text, error)
        })?;
        Ok(Some(id))
    }

    async fn plan(&self, sql: Sql) -> Result<String, Error> {
        let rows = self.rows(sql).await?;
        let lines = rows.iter().map(|row| row.try_get::<&str, _>(0));
        let lines: Result<Vec<&str>, _> = lines.collect();
        Ok(lines.map_err(|error| unreadable(&error))?.join("\n"))
    }

    /// The number below which every transaction has ended.
    async fn watermark(&self) -> Result<i64, Error> {
        let sql = Sql::new("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint");
        self.number(sql).await
    }

    async fn number(&self, sql: Sql) -> Result<i64, Error> {
        let rows = self.rows(sql).await?;
        let number = rows.first().map(|row| row.try_get(0));
        let number = number.unwrap_or(Err(sqlx::Error::RowNotFound));
        number.map_err(|error| unreadable(&error))
    }

    async fn rows(&self, mut sql: Sql) -> Result<Vec<PgRow>, Error> {
        sql.check()?;
        let mut lease = self.pool.lease().await?;
        let answer = async {
            let answer = async {
                if !self.pool.needs_transactions() {
                    return sql.query().fetch_all(&mut *lease).await;
                }
                let mut transaction = self.pool.begin(&mut lease).await?;
                let rows = sql.query().fetch_all(&mut *transaction).await?;
                transaction.commit().await?;
                Ok(rows)
            };
            answer.await.map_err(|error| unreadable(&error))
        };
        let rows = self.pool.within(1, answer).await?;
        lease.give_back();
        Ok(rows)
    }
}

#[async_trait]
impl AuditReader for PostgresReader {
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
        let counted = self.number(page::count(filter, cap)?).await?;
        Ok(Count::capped(counted.unsigned_abs(), cap))
    }

    async fn statistics(&self, request: &StatisticsRequest) -> Result<Statistics, Error> {
        let most = self.gathered_latencies;
        if most > 0 {
            let mut sql = Sql::new("");
            statistics::gathered::push(&mut sql, request, most)?;
            let rows = self.rows(sql).await?;
            if let Some(answer) = statistics::gathered::answer(request, &rows, most)? {
                return Ok(answer);
            }
        }
        let rows = self.rows(statistics::ranked::statistics(request)?).await?;
        statistics::ranked::answer(request, &rows)
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
    let error = convert("the events cannot be read", error);
    if error.kind() != ErrorKind::Timeout {
        return error;
    }
    Error::with_source(
        ErrorKind::Timeout,
        "the question took longer than `query_timeout`: ask for a range of time, a key, a tool or \
         a session",
        error,
    )
}

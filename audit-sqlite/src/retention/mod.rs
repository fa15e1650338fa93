//! Removing what is old: a plan to look at, and its execution.

mod plan;
mod slice;

use std::time::Duration;

use audit_core::event::{EventId, Timestamp};
use audit_core::{Error, ErrorKind};
use sqlx::Row as _;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub use plan::{Fate, PlannedStretch, RetentionPlan, RetentionPolicy};
use slice::Slice;

use crate::error::convert;
use crate::reader::Sql;
use crate::store::SqliteStore;

/// Retention: what [`SqliteStore::retention`](crate::SqliteStore::retention) hands out.
///
/// ```no_run
/// use audit_core::{Clock, SystemClock};
/// use audit_sqlite::{RetentionPolicy, SqliteStore};
///
/// # async fn clean(store: &SqliteStore) -> Result<(), audit_core::Error> {
/// let retention = store.retention();
/// let plan = retention.plan(RetentionPolicy::keep_days(90), SystemClock::new().now()).await?;
/// println!("{plan}");
/// let done = retention.apply(&plan).await?;
/// println!("{} events are gone", done.n_events);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Retention<'a> {
    store: &'a SqliteStore,
}

/// What applying a plan did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetentionReport {
    /// How many events were removed.
    pub n_events: u64,
}

const READING: &str = "the plan of retention cannot be made";

impl<'a> Retention<'a> {
    pub(crate) const fn new(store: &'a SqliteStore) -> Self {
        Self { store }
    }

    /// Says which stretches of time may go, and which not, and why. Changes nothing. `now` is the
    /// caller's clock.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn plan(
        &self,
        policy: RetentionPolicy,
        now: Timestamp,
    ) -> Result<RetentionPlan, Error> {
        let holds = self.store.holds().list().await?;
        let oldest = self.oldest().await?;
        let mut plan = RetentionPlan::new(policy, now, oldest, &holds);
        for stretch in plan.stretches_mut() {
            stretch.n_events = self.count(stretch).await?;
        }
        plan.drop_empty();
        Ok(plan)
    }

    /// Removes what the plan says, some hundred events a transaction, and leaves others as much
    /// time in between: writers and readers go on.
    ///
    /// Each transaction looks at the holds again: one that was placed since the plan was made wins.
    /// What the plan keeps is kept, also if its hold was released since. Followers who have not seen
    /// an event that is removed are told so.
    ///
    /// # Errors
    /// The file cannot be written to. What was removed until then stays removed.
    ///
    /// # Cancel safety
    /// Dropped half-way, a part is removed; the next call removes the rest.
    pub async fn apply(&self, plan: &RetentionPlan) -> Result<RetentionReport, Error> {
        let mut report = RetentionReport::default();
        for stretch in plan.to_delete() {
            let mut slice = Some(Slice::first(stretch.from, stretch.to));
            while let Some(next) = slice.take() {
                let begin = Instant::now();
                let remove = self.store.writer().run(|connection, now| {
                    Box::pin(async move { next.remove(connection, now).await })
                });
                let (n_removed, rest) = remove.await?;
                report.n_events += n_removed;
                slice = rest;
                pause(begin.elapsed()).await;
            }
        }
        Ok(report)
    }

    async fn oldest(&self) -> Result<Option<Timestamp>, Error> {
        let rows = self
            .store
            .reader()
            .rows(Sql::new("SELECT min(id) AS id FROM audit_events"))
            .await?;
        let id = rows.first().map(|row| row.try_get("id")).transpose();
        let id: Option<Option<Uuid>> = id.map_err(|error| convert(READING, &error))?;
        let id = id.flatten().map(EventId::from_uuid).transpose();
        let id = id.map_err(|error| Error::with_source(ErrorKind::Corrupt, READING, error))?;
        Ok(id.map(|id| id.timestamp()))
    }

    /// By whole milliseconds, which the index of ids alone can count.
    async fn count(&self, stretch: &PlannedStretch) -> Result<u64, Error> {
        let (first, last) = stretch.ids();
        let mut sql = Sql::new("SELECT count(*) FROM audit_events WHERE id >= ");
        sql.bind(*first.as_uuid())
            .text(" AND id <= ")
            .bind(*last.as_uuid());
        let rows = self.store.reader().rows(sql).await?;
        let counted = rows.first().map(|row| row.try_get::<i64, _>(0));
        let counted = counted.unwrap_or(Err(sqlx::Error::RowNotFound));
        Ok(counted
            .map_err(|error| convert(READING, &error))?
            .unsigned_abs())
    }
}

/// SQLite gives its lock to whoever asks at the right moment: somebody who waits in another process
/// asks only now and then.
async fn pause(taken: Duration) {
    sleep(std::cmp::max(taken, Duration::from_millis(1))).await;
}

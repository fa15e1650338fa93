//! Removing what is old: a plan to look at, and its execution.

mod plan;
mod record;
mod removal;

use std::time::Duration;

use audit_core::event::Timestamp;
use audit_core::{Error, ErrorKind};
use sqlx::PgConnection;

pub use plan::{Fate, PlannedPartition, RetentionPlan, RetentionPolicy};
use removal::Removal;

use crate::error::convert;
use crate::partition::{list, server_time};
use crate::pool::{Lease, Pool};

/// Retention: what [`PostgresMaintainer::retention`](crate::PostgresMaintainer::retention) hands
/// out.
///
/// ```no_run
/// use audit_core::{Clock, SystemClock};
/// use audit_postgres::{PostgresMaintainer, RetentionPolicy};
///
/// # async fn clean(maintainer: &PostgresMaintainer) -> Result<(), audit_core::Error> {
/// let retention = maintainer.retention();
/// let plan = retention.plan(RetentionPolicy::keep_days(90), SystemClock::new().now()).await?;
/// println!("{plan}");
/// let done = retention.apply(&plan).await?;
/// println!("{} partitions are gone", done.removed.len());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Retention<'a> {
    pool: &'a Pool,
    lock_timeout: Duration,
}

/// What applying a plan did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetentionReport {
    /// What was removed, what an earlier run had left included.
    pub removed: Vec<RemovedPartition>,
    /// Partitions that the plan would have removed and that stay, by name: a hold was placed
    /// since, or somebody else removed them.
    pub kept: Vec<String>,
}

/// A partition that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemovedPartition {
    /// The name that its table had.
    pub name: String,
    /// How many events were in it, counted.
    pub n_events: u64,
}

impl<'a> Retention<'a> {
    pub(crate) const fn new(pool: &'a Pool) -> Self {
        Self {
            pool,
            lock_timeout: Duration::from_secs(10),
        }
    }

    /// How long to wait for transactions that are still in a partition, and for another
    /// maintainer; 10 s by default.
    #[must_use]
    pub const fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// Says of each partition whether it may go, and why not. Changes nothing.
    ///
    /// `now` is the caller's clock; where it is ahead of the server's, the server's counts.
    ///
    /// # Errors
    /// The server cannot be reached, or the migrations did not run.
    pub async fn plan(
        &self,
        policy: RetentionPolicy,
        now: Timestamp,
    ) -> Result<RetentionPlan, Error> {
        let mut lease = self.pool.lease().await?;
        let now = std::cmp::min(now, server_time(&mut lease).await?);
        let partitions = list(&mut lease).await?;
        lease.give_back();
        Ok(RetentionPlan::new(policy, now, partitions))
    }

    /// Removes what the plan says, one partition after the other, and what an interrupted run left
    /// half removed. Writers and readers go on: a partition is detached `CONCURRENTLY`, then
    /// dropped, and `audit_retention` has a row of it before.
    ///
    /// Each step looks again: a hold that was placed since wins, also over a partition that is
    /// detached already, which is then attached again. Of two maintainers one waits.
    ///
    /// # Cancel safety
    /// Dropped half-way, or ended by a crash, it is finished by the next call.
    ///
    /// # Errors
    /// A transaction stays in a partition for longer than the lock timeout, another maintainer is
    /// at work, or the server cannot be reached. What was
    /// removed until then stays removed.
    pub async fn apply(&self, plan: &RetentionPlan) -> Result<RetentionReport, Error> {
        let mut lease = self.pool.lease().await?;
        self.prepare(&mut lease).await?;
        let mut report = RetentionReport::default();
        for removal in Removal::unfinished(&mut lease).await? {
            report.note(removal.resume(&mut lease, plan.cutoff()).await?);
        }
        for partition in plan.to_drop().filter(|partition| !partition.is_detaching) {
            match Removal::begin(&mut lease, partition.table, plan.cutoff()).await? {
                Some(removal) => report.note(removal.resume(&mut lease, plan.cutoff()).await?),
                None => report.kept.push(partition.name.clone()),
            }
        }
        self.release(lease).await?;
        Ok(report)
    }

    /// One maintainer at a time, and no lock is waited for without an end.
    async fn prepare(&self, connection: &mut PgConnection) -> Result<(), Error> {
        const PAUSE: Duration = Duration::from_millis(50);
        sqlx::query("SELECT set_config('lock_timeout', $1, false)")
            .bind(self.lock_timeout.as_millis().to_string())
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
        let mut waited = Duration::ZERO;
        // Asked for again and again: who waits within a statement has a snapshot, and detaching
        // waits for the end of snapshots.
        while !self.try_lock(connection).await? {
            if waited >= self.lock_timeout {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    "another maintainer is removing partitions: wait until that is done",
                ));
            }
            tokio::time::sleep(PAUSE).await;
            waited += PAUSE;
        }
        Ok(())
    }

    async fn try_lock(&self, connection: &mut PgConnection) -> Result<bool, Error> {
        sqlx::query_scalar(
            "SELECT pg_try_advisory_lock(hashtextextended('audit retention', 'audit_retention'::regclass::oid::bigint))",
        )
        .fetch_one(connection)
        .await
        .map_err(failed)
    }

    /// The lock also ends with the connection, which is closed wherever this is not reached.
    async fn release(&self, mut lease: Lease) -> Result<(), Error> {
        sqlx::query(
            "SELECT pg_advisory_unlock(hashtextextended('audit retention', 'audit_retention'::regclass::oid::bigint)),
                    set_config('lock_timeout', '0', false)",
        )
        .execute(&mut *lease)
        .await
        .map_err(failed)?;
        lease.give_back();
        Ok(())
    }
}

impl RetentionReport {
    fn note(&mut self, end: removal::End) {
        match end {
            removal::End::Kept(name) => self.kept.push(name),
            removal::End::Removed(partition) => self.removed.push(partition),
        }
    }
}

fn failed(error: sqlx::Error) -> Error {
    convert("a partition cannot be removed", &error)
}

//! Partitions: which there are, and making them before they are needed.

use std::fmt;
use std::str::FromStr;

use audit_core::event::Timestamp;
use audit_core::{Error, ErrorKind};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};

use crate::error::convert;
use crate::pool::Pool;

/// The partitions of `audit_events`: what
/// [`PostgresMaintainer::partitions`](crate::PostgresMaintainer::partitions) hands out.
#[derive(Debug)]
pub struct Partitions<'a> {
    pool: &'a Pool,
}

/// A partition: a range of time, and the table that holds its events.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Partition {
    /// The name of the table.
    pub name: String,
    /// Where its range begins.
    pub from: Timestamp,
    /// Where its range ends; not in it, unless it is the last moment of all.
    pub to: Timestamp,
    /// Bytes on the disk, with indexes.
    pub n_bytes: u64,
    /// Events in it, as the server's statistics estimate.
    pub n_events: u64,
    /// It is being taken off, or that was interrupted: no query sees its events any more. If it
    /// was retention, the next [`apply`](crate::Retention::apply) finishes it.
    pub is_detaching: bool,
    /// The names of the holds that keep it.
    pub held_by: Vec<String>,
    pub(crate) table: TableId,
    /// Retention has a record of it.
    pub(crate) is_going: bool,
}

impl Partition {
    /// Whether a hold keeps it.
    #[must_use]
    pub fn is_held(&self) -> bool {
        !self.held_by.is_empty()
    }
}

/// A table of the server, whatever has its name later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableId(pub(crate) i64);

/// How much time a new partition holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PartitionWidth {
    /// For millions of events a day, or where a day more than the policy asks for is too much.
    Day,
    /// For everything else.
    #[default]
    Month,
}

impl PartitionWidth {
    /// The most that can be made ahead: farther from now a partition holds a year.
    const fn most_ahead(self) -> u32 {
        match self {
            Self::Day => 366,
            Self::Month => 12,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

impl fmt::Display for PartitionWidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for PartitionWidth {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "day" => Ok(Self::Day),
            "month" => Ok(Self::Month),
            _ => Err(Error::new(
                ErrorKind::Invalid,
                "the width of partitions is neither `day` nor `month`",
            )),
        }
    }
}

/// Beside what is attached, what retention took off and did not drop yet.
pub(crate) const LIST: &str = "
WITH listed AS (
    SELECT name, from_ts, to_ts, is_detaching, table_oid
    FROM audit_partitions
    UNION ALL
    SELECT r.partition_name, r.from_ts, r.to_ts, true, r.table_oid
    FROM audit_retention AS r
    JOIN pg_class ON pg_class.oid = r.table_oid AND pg_class.relname = r.partition_name
    WHERE r.removed_at IS NULL
      AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = r.table_oid)
)
SELECT
    listed.name, listed.from_ts, listed.to_ts, listed.is_detaching, listed.table_oid::bigint AS table_oid,
    coalesce(pg_total_relation_size(listed.table_oid), 0) AS n_bytes,
    CASE
        WHEN pg_class.reltuples >= 0 THEN pg_class.reltuples::bigint
        ELSE pg_stat_get_live_tuples(listed.table_oid)
    END AS n_events,
    ARRAY(
        SELECT audit_holds.name FROM audit_holds
        WHERE (audit_holds.from_ts IS NULL OR audit_holds.from_ts < listed.to_ts)
          AND (audit_holds.to_ts IS NULL OR audit_holds.to_ts >= listed.from_ts)
        ORDER BY 1
    ) AS held_by,
    EXISTS (
        SELECT FROM audit_retention
        WHERE audit_retention.table_oid = listed.table_oid AND audit_retention.removed_at IS NULL
    ) AS is_going
FROM listed
JOIN pg_class ON pg_class.oid = listed.table_oid
ORDER BY listed.from_ts, listed.name";

impl<'a> Partitions<'a> {
    pub(crate) const fn new(pool: &'a Pool) -> Self {
        Self { pool }
    }

    /// All of them, the oldest first.
    ///
    /// # Errors
    /// The server cannot be reached, or the migrations did not run.
    pub async fn list(&self) -> Result<Vec<Partition>, Error> {
        let mut lease = self.pool.lease().await?;
        let partitions = list(&mut lease).await?;
        lease.give_back();
        Ok(partitions)
    }

    /// Makes the partition of now and `n` behind it, where they are missing; gives back the names
    /// of the new ones. Appends make what is missing too, but then wait for it.
    ///
    /// # Errors
    /// `n` is more than 12 months or 366 days, the server cannot be reached, or the role may not
    /// make partitions.
    pub async fn create_ahead(&self, n: u32) -> Result<Vec<String>, Error> {
        let mut lease = self.pool.lease().await?;
        let width = width(&mut lease).await?;
        if n > width.most_ahead() {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "no more than {} partitions of a {width} can be made ahead",
                    width.most_ahead()
                ),
            ));
        }
        let query = sqlx::query_scalar::<_, Option<String>>(
            "SELECT audit_ensure_partition(audit_id_at(begin AT TIME ZONE 'UTC'))
             FROM generate_series(0, $1) AS n,
                  LATERAL (SELECT date_trunc($2, now() AT TIME ZONE 'UTC') + n * ('1 ' || $2)::interval)
                  AS of (begin)",
        )
        .bind(i32::try_from(n).unwrap_or(i32::MAX))
        .bind(width.as_str());
        let made = query
            .fetch_all(&mut *lease)
            .await
            .map_err(|error| convert("the partitions cannot be made", &error))?;
        lease.give_back();
        Ok(made.into_iter().flatten().collect())
    }

    /// How much time a new partition holds.
    ///
    /// # Errors
    /// The server cannot be reached, or the migrations did not run.
    pub async fn width(&self) -> Result<PartitionWidth, Error> {
        let mut lease = self.pool.lease().await?;
        let width = width(&mut lease).await?;
        lease.give_back();
        Ok(width)
    }

    /// Sets how much time a new partition holds. Those that are there stay as they are; a new one
    /// takes what they leave.
    ///
    /// # Errors
    /// The server cannot be reached, or the role is not that of the maintainer.
    pub async fn set_width(&self, width: PartitionWidth) -> Result<(), Error> {
        let mut lease = self.pool.lease().await?;
        sqlx::query("UPDATE audit_store SET partition_width = $1 WHERE partition_width <> $1")
            .bind(width.as_str())
            .execute(&mut *lease)
            .await
            .map_err(|error| convert("the width of partitions cannot be set", &error))?;
        lease.give_back();
        Ok(())
    }
}

async fn width(connection: &mut PgConnection) -> Result<PartitionWidth, Error> {
    let word: String = sqlx::query_scalar("SELECT partition_width FROM audit_store")
        .fetch_one(connection)
        .await
        .map_err(|error| convert("the width of partitions cannot be read", &error))?;
    word.parse()
}

/// The partitions, the oldest first.
pub(crate) async fn list(connection: &mut PgConnection) -> Result<Vec<Partition>, Error> {
    let rows = sqlx::query(LIST).fetch_all(connection).await;
    rows.and_then(|rows| rows.iter().map(from_row).collect())
        .map_err(|error| convert("the partitions cannot be listed", &error))
}

fn from_row(row: &PgRow) -> Result<Partition, sqlx::Error> {
    let moment = |column| row.try_get(column).map(Timestamp::saturating);
    let number = |column| {
        row.try_get::<i64, _>(column)
            .map(|n| u64::try_from(n).unwrap_or(0))
    };
    Ok(Partition {
        name: row.try_get("name")?,
        from: moment("from_ts")?,
        to: moment("to_ts")?,
        n_bytes: number("n_bytes")?,
        n_events: number("n_events")?,
        is_detaching: row.try_get("is_detaching")?,
        held_by: row.try_get("held_by")?,
        table: TableId(row.try_get("table_oid")?),
        is_going: row.try_get("is_going")?,
    })
}

/// For whoever counts back from now: a clock of the client's that is ahead must not make young
/// what is old.
pub(crate) async fn server_time(connection: &mut PgConnection) -> Result<Timestamp, Error> {
    let now: DateTime<Utc> = sqlx::query_scalar("SELECT now()")
        .fetch_one(connection)
        .await
        .map_err(|error| convert("the server does not say the time", &error))?;
    Ok(Timestamp::saturating(now))
}

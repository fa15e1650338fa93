use audit_core::Error;
use audit_core::event::Timestamp;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::record::{MAY_GO, State, last_place_of_partition};
use super::{RemovedPartition, failed};
use crate::error::convert;
use crate::partition::TableId;

/// A partition on its way out: there is a row of it in `audit_retention`.
#[derive(Debug)]
pub(super) struct Removal {
    pub(super) table_oid: i64,
    pub(super) partition_name: String,
}

/// How a removal ended.
#[derive(Debug)]
pub(super) enum End {
    Kept(String),
    Removed(RemovedPartition),
}

impl Removal {
    /// What earlier runs began and did not end. What somebody else detaches, say to archive it, is
    /// none of it.
    pub(super) async fn unfinished(connection: &mut PgConnection) -> Result<Vec<Self>, Error> {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT table_oid::bigint AS table_oid, partition_name FROM audit_retention
             WHERE removed_at IS NULL ORDER BY retention_id",
        )
        .fetch_all(connection)
        .await
        .map_err(failed)?;
        Ok(rows.into_iter().map(Self::from).collect())
    }

    /// Writes down what is to go; nothing, if it may not go or is no partition any more.
    pub(super) async fn begin(
        connection: &mut PgConnection,
        table: TableId,
        cutoff: Timestamp,
    ) -> Result<Option<Self>, Error> {
        // Followers learn of it before the first event is out of sight.
        let Some(last) = last_place_of_partition(connection, table).await? else {
            return Ok(None);
        };
        let sql = format!(
            "INSERT INTO audit_retention
                 (partition_name, table_oid, from_id, to_id, from_ts, to_ts, n_events,
                  last_xact, last_xact_order)
             SELECT name, table_oid, from_id, to_id, from_ts, to_ts, 0, $3, $4
             FROM audit_partitions AS r
             WHERE table_oid::bigint = $1 AND {MAY_GO}
             RETURNING table_oid::bigint AS table_oid, partition_name"
        );
        // Put together from constants alone.
        let row: Option<(i64, String)> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(table.0)
            .bind(cutoff.to_datetime())
            .bind(last.map(|(xact, _)| xact))
            .bind(last.map(|(_, order)| order))
            .fetch_optional(connection)
            .await
            .map_err(failed)?;
        Ok(row.map(Self::from))
    }

    /// Goes on from wherever the table stands.
    pub(super) async fn resume(
        self,
        connection: &mut PgConnection,
        cutoff: Timestamp,
    ) -> Result<End, Error> {
        if self.state(connection).await? == State::Attached {
            if !self.may_go(connection, cutoff).await? {
                return self.give_up(connection).await;
            }
            self.detach(connection, "CONCURRENTLY").await?;
        }
        if self.state(connection).await? == State::Detaching {
            self.detach(connection, "FINALIZE").await?;
        }
        match self.state(connection).await? {
            State::Gone => {
                self.mark_removed(connection).await?;
                Ok(End::Kept(self.partition_name))
            }
            State::Detached => self.drop_or_attach(connection, cutoff).await,
            State::Attached | State::Detaching => self.give_up(connection).await,
        }
    }

    /// Takes it off. Whoever appends to its range meanwhile may have done the last step: then that
    /// is no failure.
    async fn detach(&self, connection: &mut PgConnection, how: &str) -> Result<(), Error> {
        let template = format!("ALTER TABLE audit_events DETACH PARTITION %1$I.%2$I {how}");
        let done = self.run(connection, &template).await;
        let Err(error) = done else {
            return Ok(());
        };
        match self.state(connection).await? {
            State::Detached => Ok(()),
            State::Attached => {
                // It did not begin: followers were told too much.
                self.forget(connection).await?;
                Err(detach_failed(error))
            }
            _ => Err(detach_failed(error)),
        }
    }

    /// The end, in one transaction that no hold can be placed during.
    async fn drop_or_attach(
        self,
        connection: &mut PgConnection,
        cutoff: Timestamp,
    ) -> Result<End, Error> {
        // Nothing is appended to it any more, so this holds.
        let n_events = self.count(connection).await?;
        let mut transaction = connection.begin().await.map_err(failed)?;
        sqlx::query("LOCK TABLE audit_holds IN SHARE MODE")
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        if !self.may_go(&mut transaction, cutoff).await? {
            self.attach(&mut transaction).await?;
            self.forget(&mut transaction).await?;
            transaction.commit().await.map_err(failed)?;
            return Ok(End::Kept(self.partition_name));
        }
        self.run(&mut transaction, "DROP TABLE %1$I.%2$I")
            .await
            .map_err(failed)?;
        self.mark_removed(&mut transaction).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(End::Removed(RemovedPartition {
            name: self.partition_name,
            n_events,
        }))
    }

    /// Puts it back. Where its range was given away meanwhile, its events go where they belong.
    async fn attach(&self, connection: &mut PgConnection) -> Result<(), Error> {
        let is_taken: bool = sqlx::query_scalar(
            "SELECT EXISTS (
                 SELECT FROM audit_partitions AS p, audit_retention AS r
                 WHERE r.table_oid::bigint = $1 AND r.removed_at IS NULL
                   AND p.from_id < r.to_id AND r.from_id < p.to_id
             )",
        )
        .bind(self.table_oid)
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
        let steps: &[&str] = if is_taken {
            &[
                "SELECT audit_ensure_partition(id) FROM (
                     SELECT DISTINCT ON (date_trunc('day', audit_time_of(id), 'UTC')) id
                     FROM %1$I.%2$I
                 ) AS of_each_day",
                "INSERT INTO audit_events SELECT * FROM %1$I.%2$I",
                "DROP TABLE %1$I.%2$I",
            ]
        } else {
            &[
                "ALTER TABLE audit_events ATTACH PARTITION %1$I.%2$I FOR VALUES FROM (%3$L) TO (%4$L)",
            ]
        };
        for step in steps {
            self.run(connection, step).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn give_up(self, connection: &mut PgConnection) -> Result<End, Error> {
        self.forget(connection).await?;
        Ok(End::Kept(self.partition_name))
    }
}

impl From<(i64, String)> for Removal {
    fn from((table_oid, partition_name): (i64, String)) -> Self {
        Self {
            table_oid,
            partition_name,
        }
    }
}

fn detach_failed(error: sqlx::Error) -> Error {
    convert(
        "a partition cannot be detached: a transaction that uses the table goes on for too long; apply again",
        &error,
    )
}

//! What a removal asks and tells the server.

use audit_core::Error;
use audit_core::event::Timestamp;
use sqlx::{AssertSqlSafe, PgConnection};

use super::failed;
use super::removal::Removal;
use crate::partition::TableId;

/// Where a table stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Attached,
    Detaching,
    Detached,
    Gone,
}

/// Whether the policy and the holds of this moment let `r` go; `$2` is the cutoff.
pub(super) const MAY_GO: &str = "r.to_ts <= $2 AND NOT EXISTS (
    SELECT FROM audit_holds AS h
    WHERE (h.from_ts IS NULL OR h.from_ts < r.to_ts) AND (h.to_ts IS NULL OR h.to_ts >= r.from_ts)
)";

impl Removal {
    pub(super) async fn forget(&self, connection: &mut PgConnection) -> Result<(), Error> {
        self.change(
            connection,
            "DELETE FROM audit_retention WHERE table_oid::bigint = $1 AND removed_at IS NULL",
        )
        .await
    }

    pub(super) async fn mark_removed(&self, connection: &mut PgConnection) -> Result<(), Error> {
        self.change(
            connection,
            "UPDATE audit_retention SET removed_at = now()
             WHERE table_oid::bigint = $1 AND removed_at IS NULL",
        )
        .await
    }

    async fn change(
        &self,
        connection: &mut PgConnection,
        statement: &'static str,
    ) -> Result<(), Error> {
        sqlx::query(statement)
            .bind(self.table_oid)
            .execute(connection)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Counts what is in it, for the record.
    pub(super) async fn count(&self, connection: &mut PgConnection) -> Result<u64, Error> {
        let template = "UPDATE audit_retention
             SET n_events = (SELECT count(*) FROM %1$I.%2$I),
                 (last_xact, last_xact_order) = (
                     SELECT xact, xact_order FROM %1$I.%2$I
                     ORDER BY xact DESC, xact_order DESC LIMIT 1
                 )
             WHERE table_oid = %5$L AND removed_at IS NULL RETURNING n_events";
        let sql = self.statement(connection, template).await.map_err(failed)?;
        // The server quoted the names.
        let n_events: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(connection)
            .await
            .map_err(failed)?;
        Ok(u64::try_from(n_events).unwrap_or(0))
    }

    pub(super) async fn may_go(
        &self,
        connection: &mut PgConnection,
        cutoff: Timestamp,
    ) -> Result<bool, Error> {
        let sql = format!(
            "SELECT {MAY_GO} FROM audit_retention AS r
             WHERE r.table_oid::bigint = $1 AND r.removed_at IS NULL"
        );
        // Put together from constants alone.
        let may_go: Option<bool> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(self.table_oid)
            .bind(cutoff.to_datetime())
            .fetch_optional(connection)
            .await
            .map_err(failed)?;
        Ok(may_go == Some(true))
    }

    pub(super) async fn state(&self, connection: &mut PgConnection) -> Result<State, Error> {
        let is_detaching: Option<Option<bool>> = sqlx::query_scalar(
            "SELECT pg_inherits.inhdetachpending
             FROM pg_class
             LEFT JOIN pg_inherits ON pg_inherits.inhrelid = pg_class.oid
             WHERE pg_class.oid::bigint = $1 AND pg_class.relname = $2",
        )
        .bind(self.table_oid)
        .bind(&self.partition_name)
        .fetch_optional(connection)
        .await
        .map_err(failed)?;
        Ok(match is_detaching {
            None => State::Gone,
            Some(None) => State::Detached,
            Some(Some(true)) => State::Detaching,
            Some(Some(false)) => State::Attached,
        })
    }

    pub(super) async fn run(
        &self,
        connection: &mut PgConnection,
        template: &str,
    ) -> Result<(), sqlx::Error> {
        let sql = self.statement(&mut *connection, template).await?;
        // The server quoted the names. Unprepared: detaching wants to be alone in its message.
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(connection)
            .await?;
        Ok(())
    }

    /// A statement with the names of the table and its bounds, quoted by the server: schema,
    /// table, lower end, upper end, number of the table.
    async fn statement(
        &self,
        connection: &mut PgConnection,
        template: &str,
    ) -> Result<String, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT format($2, pg_namespace.nspname, pg_class.relname, r.from_id, r.to_id, r.table_oid)
             FROM pg_class
             JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
             JOIN audit_retention AS r ON r.table_oid = pg_class.oid AND r.removed_at IS NULL
             WHERE pg_class.oid::bigint = $1 AND pg_class.relname = r.partition_name",
        )
        .bind(self.table_oid)
        .bind(template)
        .fetch_one(connection)
        .await
    }
}

/// The last place in the order of commits that an event of a partition has, if it holds one;
/// nothing, if there is no such partition.
pub(super) async fn last_place_of_partition(
    connection: &mut PgConnection,
    table: TableId,
) -> Result<Option<Option<(i64, i32)>>, Error> {
    let sql: Option<String> = sqlx::query_scalar(
        "SELECT format(
             'SELECT xact, xact_order FROM %I.%I ORDER BY xact DESC, xact_order DESC LIMIT 1',
             pg_namespace.nspname, pg_class.relname
         )
         FROM audit_partitions
         JOIN pg_class ON pg_class.oid = audit_partitions.table_oid
         JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
         WHERE table_oid::bigint = $1",
    )
    .bind(table.0)
    .fetch_optional(&mut *connection)
    .await
    .map_err(failed)?;
    let Some(sql) = sql else {
        return Ok(None);
    };
    // The server quoted the names.
    let last = sqlx::query_as(AssertSqlSafe(sql)).fetch_optional(connection);
    Ok(Some(last.await.map_err(failed)?))
}

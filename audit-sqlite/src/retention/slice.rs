use audit_core::Error;
use audit_core::event::{EventId, Timestamp};
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;

use crate::error::convert;

/// A part of a stretch, to be removed in one transaction.
#[derive(Debug)]
pub(super) struct Slice {
    from: Timestamp,
    /// Not in it.
    to: Timestamp,
    /// Where the part begins: behind this id.
    after: Option<Uuid>,
    /// The row of `audit_retention` about the stretch.
    record: Option<i64>,
}

/// How many events go in one transaction: a few milliseconds.
const N_EVENTS: usize = 500;
const REMOVING: &str = "the events cannot be removed";

impl Slice {
    /// The beginning of a stretch.
    pub(super) fn first(from: Timestamp, to: Timestamp) -> Self {
        Self {
            from,
            to,
            after: None,
            record: None,
        }
    }

    /// Removes what no hold keeps; says how many that were, and gives back the rest of the stretch,
    /// if there is one.
    pub(super) async fn remove(
        self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<(u64, Option<Self>), Error> {
        let removed = self.try_remove(connection, now).await;
        removed.map_err(|error| convert(REMOVING, &error))
    }

    async fn try_remove(
        mut self,
        connection: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<(u64, Option<Self>), sqlx::Error> {
        let rows = self.find(connection).await?;
        let Some(last) = rows.last() else {
            return Ok((0, None));
        };
        self.after = Some(last.1);
        let last_position = rows.iter().map(|(position, _)| *position).max();
        let positions: Vec<String> = rows.iter().map(|(it, _)| it.to_string()).collect();
        let done = sqlx::query(
            "DELETE FROM audit_events WHERE position IN (SELECT value FROM json_each(?))",
        )
        .bind(format!("[{}]", positions.join(",")))
        .execute(&mut *connection)
        .await?;
        let n_removed = done.rows_affected();
        self.write_down(connection, n_removed, last_position.unwrap_or(0), now)
            .await?;
        let rest = (rows.len() == N_EVENTS).then_some(self);
        Ok((n_removed, rest))
    }

    /// Positions and ids of what goes, in the order of ids.
    async fn find(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<(i64, Uuid)>, sqlx::Error> {
        let first = *EventId::first_of_millisecond(self.from).as_uuid();
        let query = sqlx::query(
            "SELECT position, id FROM audit_events INDEXED BY audit_events_id
             WHERE id >= ?1 AND id > ?2 AND id <= ?3 AND ts >= ?4 AND ts < ?5
               AND NOT EXISTS (
                   SELECT 1 FROM audit_holds
                   WHERE (from_ts IS NULL OR from_ts <= ts) AND (to_ts IS NULL OR to_ts >= ts)
               )
             ORDER BY id
             LIMIT ?6",
        )
        .bind(first)
        .bind(self.after.unwrap_or(Uuid::nil()))
        .bind(*EventId::last_of_millisecond(self.to).as_uuid())
        .bind(self.from.as_micros())
        .bind(self.to.as_micros())
        .bind(i64::try_from(N_EVENTS).unwrap_or(i64::MAX));
        let rows = query.fetch_all(connection).await?;
        let row =
            |row: &sqlx::sqlite::SqliteRow| Ok((row.try_get("position")?, row.try_get("id")?));
        rows.iter().map(row).collect()
    }

    /// Followers learn of it with the same commit.
    async fn write_down(
        &mut self,
        connection: &mut SqliteConnection,
        n_removed: u64,
        last_position: i64,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let n_removed = i64::try_from(n_removed).unwrap_or(i64::MAX);
        if let Some(record) = self.record {
            sqlx::query(
                "UPDATE audit_retention
                 SET n_events = n_events + ?, last_position = max(last_position, ?), ended_at = ?
                 WHERE retention_id = ?",
            )
            .bind(n_removed)
            .bind(last_position)
            .bind(now.as_micros())
            .bind(record)
            .execute(connection)
            .await?;
            return Ok(());
        }
        let done = sqlx::query(
            "INSERT INTO audit_retention (from_ts, to_ts, n_events, last_position, begun_at, ended_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        )
        .bind(self.from.as_micros())
        .bind(self.to.as_micros())
        .bind(n_removed)
        .bind(last_position)
        .bind(now.as_micros())
        .execute(connection)
        .await?;
        self.record = Some(done.last_insert_rowid());
        Ok(())
    }
}

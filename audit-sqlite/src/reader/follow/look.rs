use audit_core::reader::{Filter, FollowedEvent};
use audit_core::{Error, ErrorKind};
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, SqliteConnection};
use uuid::Uuid;

use super::position::Position;
use crate::reader::page::Shown;
use crate::reader::sql::Sql;
use crate::reader::{SqliteReader, filter, unreadable};
use crate::row;

/// How many positions a filter is held against in one look: a filter that matches nothing costs
/// some hundredths of a second, and the follower has moved on by so many.
const WINDOW: i64 = 10_000;

/// What lies behind a position, as far as one look goes.
pub(super) struct Looked {
    pub(super) events: Vec<FollowedEvent>,
    /// Behind the last event, or behind the last row that was held against the filter.
    pub(super) position: Position,
    /// Whether that is the end.
    pub(super) is_at_end: bool,
}

/// What a follower has to know of the store before it believes a row.
struct Store {
    id: Uuid,
    /// The first position that is there behind the follower's.
    first: Option<i64>,
    /// The last position that was ever given away. SQLite has one writer, so nothing can appear
    /// below it any more.
    end: i64,
    /// The last position of which retention removed a row; 0, if it did not.
    removed: i64,
}

/// Where a follower stands who begins with the first row, or behind the last.
pub(super) async fn begin(reader: &SqliteReader, from_now: bool) -> Result<Position, Error> {
    let ask = async {
        let mut lease = reader.pool.lease().await?;
        let store = Store::read(&mut lease, 0).await?;
        lease.give_back();
        Ok(store)
    };
    let store = reader.pool.within(ask).await?;
    Ok(Position {
        store: store.id,
        row: if from_now { store.end } else { 0 },
    })
}

/// Looks once at what lies behind a position: the rows and the state of the store with one
/// snapshot, so that nothing comes in between.
pub(super) async fn look(
    reader: &SqliteReader,
    filter: &Filter,
    from: Position,
    limit: usize,
) -> Result<Looked, Error> {
    let ask = async {
        let mut lease = reader.pool.lease().await?;
        let failed = |error| unreadable(&error);
        let mut snapshot = lease.begin().await.map_err(failed)?;
        let store = Store::read(&mut snapshot, from.row).await?;
        store.check(from)?;
        let to = store.window(from);
        let mut rows = Vec::new();
        if store.first.is_some() {
            let mut sql = rows_between(filter, (from.row, to), limit)?;
            rows = sql
                .query()
                .fetch_all(&mut *snapshot)
                .await
                .map_err(failed)?;
        }
        snapshot.commit().await.map_err(failed)?;
        lease.give_back();
        answer(&rows, from, (to, store.end), limit)
    };
    reader.pool.within(ask).await
}

/// The matching rows of a window, along the table itself.
fn rows_between(filter: &Filter, (from, to): (i64, i64), limit: usize) -> Result<Sql, Error> {
    let mut sql = Sql::new("SELECT position, ");
    Shown::Event.push(&mut sql);
    sql.text("\nFROM audit_events NOT INDEXED\nWHERE position > ")
        .bind(from)
        .text(" AND position <= ")
        .bind(to);
    filter::push(&mut sql, filter)?;
    sql.text("\nORDER BY position LIMIT ").bind_rows(limit);
    sql.check()?;
    Ok(sql)
}

fn answer(
    rows: &[SqliteRow],
    from: Position,
    (to, end): (i64, i64),
    limit: usize,
) -> Result<Looked, Error> {
    let mut position = from;
    let mut events = Vec::new();
    for row in rows {
        position.row = row
            .try_get("position")
            .map_err(|error| unreadable(&error))?;
        events.push(FollowedEvent::new(position.write()?, row::event(row)?));
    }
    // An answer that is not full has seen the whole window.
    if events.len() < limit {
        position.row = to;
    }
    Ok(Looked {
        events,
        is_at_end: position.row >= end,
        position,
    })
}

impl Store {
    async fn read(connection: &mut SqliteConnection, behind: i64) -> Result<Self, Error> {
        let query = sqlx::query(
            "SELECT
                 store_id,
                 (SELECT min(position) FROM audit_events WHERE position > ?) AS first,
                 coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit_events'), 0) AS last,
                 coalesce((SELECT max(last_position) FROM audit_retention), 0) AS removed
             FROM audit_store",
        )
        .bind(behind);
        let row = query.fetch_optional(connection).await;
        let Some(row) = row.map_err(|error| unreadable(&error))? else {
            return Err(Error::new(
                ErrorKind::Corrupt,
                "the table `audit_store` has lost its row: restore it from a backup",
            ));
        };
        let read = || {
            Ok(Self {
                id: row.try_get("store_id")?,
                first: row.try_get("first")?,
                end: row.try_get("last")?,
                removed: row.try_get("removed")?,
            })
        };
        read().map_err(|error: sqlx::Error| unreadable(&error))
    }

    /// Makes sure that it is possible to go on from a position.
    fn check(&self, from: Position) -> Result<(), Error> {
        let invalid = |text| Err(Error::new(ErrorKind::Invalid, text));
        if from.store != self.id {
            return invalid("the position to follow from is of another store: begin anew");
        }
        if from.row > self.end {
            return invalid(
                "the position to follow from lies ahead of the store, which was restored from an \
                 older backup: begin anew",
            );
        }
        // Who stands at the beginning has seen nothing, and takes what there is.
        if from.row > 0 && from.row < self.removed {
            return invalid(
                "retention removed events behind the position to follow from: begin anew",
            );
        }
        Ok(())
    }

    /// How far a look goes: from the first row that is there, since retention may have left a wide
    /// gap before it.
    fn window(&self, from: Position) -> i64 {
        let begin = self.first.map_or(from.row, |first| first - 1);
        std::cmp::min(begin.saturating_add(WINDOW), self.end)
    }
}

/// The last position that was given away, cheaply.
pub(super) async fn end(reader: &SqliteReader) -> Result<i64, Error> {
    let sql = Sql::new(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit_events'), 0)",
    );
    let rows = reader.rows(sql).await?;
    let end = rows.first().map(|row| row.try_get(0));
    let end = end.unwrap_or(Err(sqlx::Error::RowNotFound));
    end.map_err(|error| unreadable(&error))
}

use audit_core::Error;
use audit_core::reader::{Filter, FollowedEvent};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::position::{Past, Position};
use super::store::{STORE, Store};
use crate::reader::page::Shown;
use crate::reader::sql::Sql;
use crate::reader::{filter, unreadable};
use crate::row;

/// How many rows a filter is held against in one look: a filter that matches nothing costs some
/// hundredths of a second, and the follower has moved on by so many.
const WINDOW: i64 = 10_000;

/// What lies behind a position, as far as one look goes.
pub(super) struct Looked {
    pub(super) store: Store,
    pub(super) events: Vec<FollowedEvent>,
    /// Behind the last event, or behind the last row that was held against the filter.
    pub(super) position: Position,
}

/// Asks for what lies behind a position: the rows and the watermark with one snapshot, so that
/// nothing comes in between.
///
/// The rows come in the order of the index on `(xact, xact_order)`, which is read no further than
/// needed.
pub(super) fn look(filter: &Filter, position: &Position, limit: usize) -> Result<Sql, Error> {
    let mut sql = Sql::new("WITH store AS MATERIALIZED (");
    sql.text(STORE).text(
        "
)
SELECT store.*, last.xact AS last_xact, last.xact_order AS last_order, event.*
FROM store
LEFT JOIN LATERAL (
    SELECT xact, xact_order FROM (
        SELECT xact, xact_order",
    );
    push_window(&mut sql, position);
    sql.text(
        "
    ) AS looked_at
    ORDER BY xact DESC, xact_order DESC
    LIMIT 1
) AS last ON ",
    );
    // Without a filter the last event is the last row.
    sql.bind(is_selective(filter, position));
    sql.text("\nLEFT JOIN LATERAL (\n    SELECT xact, xact_order, ");
    Shown::Event.push(&mut sql);
    sql.text("\n    FROM (\n        SELECT *");
    push_window(&mut sql, position);
    sql.text("\n    ) AS audit_events\n    WHERE true");
    if let Some(Past { last, running }) = &position.past {
        sql.text("\n    AND (xact > ").bind(*last);
        sql.text(" OR xact = ANY(").bind(running.clone()).text("))");
    }
    filter::push(&mut sql, filter)?;
    sql.text("\n    ORDER BY xact, xact_order\n    LIMIT ")
        .bind_rows(limit)
        .text("\n) AS event ON true\nORDER BY event.xact, event.xact_order");
    Ok(sql)
}

/// Whether there may be rows in the window that are not handed over.
fn is_selective(filter: &Filter, position: &Position) -> bool {
    !filter.terms().is_empty() || position.past.is_some()
}

fn push_window(sql: &mut Sql, position: &Position) {
    sql.text(
        "
        FROM audit_events
        WHERE (xact, xact_order) > (",
    );
    sql.bind(position.xact).text(", ").bind(position.order);
    sql.text(
        ")
            AND xact < (SELECT watermark FROM store)
        ORDER BY xact, xact_order
        LIMIT ",
    );
    sql.bind(WINDOW);
}

/// What [`look`] found, behind a position of the store with this id.
pub(super) fn answer(
    rows: &[PgRow],
    of: Option<Uuid>,
    from: &Position,
    limit: usize,
) -> Result<Looked, Error> {
    let store = Store::of_row(rows.first())?;
    store.check(of.unwrap_or(store.id), from)?;
    let mut position = from.clone();
    let mut events = Vec::new();
    for row in rows {
        // Without an event there is one row all the same, about the store.
        if let Some((xact, order)) = place(row, "xact", "xact_order")? {
            position = from.behind(xact, order);
            events.push(FollowedEvent::new(
                position.write(store.id)?,
                row::event(row)?,
            ));
        }
    }
    let last = rows
        .first()
        .map(|row| place(row, "last_xact", "last_order"));
    if let Some((xact, order)) = last.transpose()?.flatten()
        && events.len() < limit
    {
        position = from.behind(xact, order);
    }
    Ok(Looked {
        store,
        events,
        position,
    })
}

/// A place in the order of commits, if there is one.
pub(super) fn place(row: &PgRow, xact: &str, order: &str) -> Result<Option<(i64, i32)>, Error> {
    let read = || {
        let xact: Option<i64> = row.try_get(xact)?;
        let order: Option<i32> = row.try_get(order)?;
        Ok(xact.zip(order))
    };
    read().map_err(|error: sqlx::Error| unreadable(&error))
}

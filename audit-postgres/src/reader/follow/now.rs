use audit_core::{Error, ErrorKind};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::look::place;
use super::position::{Past, Position};
use super::store::{STORE, Store};
use crate::reader::sql::Sql;
use crate::reader::unreadable;

/// Asks where now is: behind the last row below the watermark.
///
/// Above it there may be rows that are committed, and hence of the past, beside transactions that
/// still run, and hence are of the future: the position remembers which.
pub(super) fn now() -> Sql {
    let mut sql = Sql::new("WITH store AS MATERIALIZED (");
    sql.text(STORE).text(
        "
)
SELECT
    store.*,
    last.xact AS last_xact,
    last.xact_order AS last_order,
    (SELECT xact FROM audit_events ORDER BY xact DESC, xact_order DESC LIMIT 1) AS newest
FROM store
LEFT JOIN LATERAL (
    SELECT xact, xact_order
    FROM audit_events
    WHERE xact < (SELECT watermark FROM store)
    ORDER BY xact DESC, xact_order DESC
    LIMIT 1
) AS last ON true",
    );
    sql
}

/// What [`now`] found.
pub(super) fn answer(row: Option<&PgRow>) -> Result<Position, Error> {
    let store = Store::of_row(row)?;
    let Some(row) = row else {
        return Ok(Position::default());
    };
    let read = || {
        let newest: Option<i64> = row.try_get("newest")?;
        let snapshot: String = row.try_get("snapshot")?;
        Ok((newest, snapshot))
    };
    let (newest, snapshot) = read().map_err(|error: sqlx::Error| unreadable(&error))?;
    let (xact, order) = place(row, "last_xact", "last_order")?.unwrap_or_default();
    let past = match newest.filter(|newest| *newest >= store.watermark) {
        // A standby does not tell what runs: then what is committed above the watermark is given.
        Some(last) if !store.is_standby => Some(Past {
            last,
            running: running(&snapshot, last)?,
        }),
        _ => None,
    };
    Ok(Position { xact, order, past })
}

/// The transactions that run according to a snapshot's text, `xmin:xmax:running,…`, below a
/// certain one.
fn running(snapshot: &str, below: i64) -> Result<Vec<i64>, Error> {
    let list = snapshot.rsplit(':').next().unwrap_or_default();
    let numbers = list.split(',').filter(|number| !number.is_empty());
    let numbers: Result<Vec<i64>, _> = numbers.map(str::parse).collect();
    let Ok(mut numbers) = numbers else {
        let text = "the server's snapshot has a form that this version does not know";
        return Err(Error::new(ErrorKind::Internal, text));
    };
    numbers.retain(|xact| *xact < below);
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_names_what_runs() {
        assert!(running("10:10:", 99).unwrap().is_empty());
        assert_eq!(running("10:20:10,14,15", 15).unwrap(), [10_i64, 14]);
        let error = running("10:20:x", 99).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
    }
}

use audit_core::Error;
use audit_core::event::{Seq, WriterId};
use audit_core::reader::SeqGap;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::sql::Sql;
use super::unreadable;

/// The gaps of a writer. SQLite goes along the index of numbers and hands over the gaps alone,
/// each as the numbers on either side of it.
pub(super) fn gaps(writer: &WriterId, limit: usize) -> Sql {
    let mut sql = Sql::new(
        "SELECT before, behind FROM (
    SELECT coalesce(lag(seq) OVER (ORDER BY seq), 0) AS before, seq AS behind
    FROM audit_events
    WHERE writer = ",
    );
    sql.bind(writer.as_str().to_owned()).text(
        "
) AS step
WHERE before < behind - 1
ORDER BY behind
LIMIT ",
    );
    sql.bind_rows(limit);
    sql
}

pub(super) fn gap(row: &SqliteRow) -> Result<SeqGap, Error> {
    let number = |column| row.try_get::<i64, &str>(column);
    let numbers = || Ok((number("before")?, number("behind")?));
    let (before, behind) = numbers().map_err(|error: sqlx::Error| unreadable(&error))?;
    // Both lie between numbers that the table has checked.
    let seq = |number: i64| Seq::new(number.unsigned_abs()).unwrap_or(Seq::FIRST);
    Ok(SeqGap::new(seq(before + 1), seq(behind - 1)))
}

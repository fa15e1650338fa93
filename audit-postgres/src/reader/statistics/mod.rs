//! Calls, outcomes and latencies by group, in two ways that answer alike.

pub(super) mod gathered;
pub(super) mod ranked;

use audit_core::event::Timestamp;
use audit_core::reader::{GroupBy, GroupKey, TimeBucket};
use audit_core::{Error, ErrorKind};
use chrono::{DateTime, Utc};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::{columns, unreadable};

fn key(group_by: GroupBy) -> Result<&'static str, Error> {
    match group_by {
        GroupBy::Nothing => Ok("''::text"),
        GroupBy::Outcome => Ok("outcome"),
        GroupBy::Reason(check) => columns::reason(check),
        GroupBy::Text(field) => columns::of_text(field),
        GroupBy::Time(TimeBucket::Day) => Ok("date_bin('1 day', ts, timestamptz 'epoch')"),
        GroupBy::Time(TimeBucket::Hour) => Ok("date_bin('1 hour', ts, timestamptz 'epoch')"),
        GroupBy::Time(TimeBucket::Minute) => Ok("date_bin('1 minute', ts, timestamptz 'epoch')"),
        GroupBy::Verdict(check) => columns::verdict(check),
        _ => Err(columns::unknown()),
    }
}

fn key_of(group_by: GroupBy, row: &PgRow) -> Result<GroupKey, Error> {
    match group_by {
        GroupBy::Nothing => Ok(GroupKey::All),
        GroupBy::Time(_) => {
            let begin: DateTime<Utc> = get(row, "key")?;
            Ok(GroupKey::Time(Timestamp::new(begin).map_err(corrupt)?))
        }
        _ => {
            let text: Option<String> = get(row, "key")?;
            Ok(text.map_or(GroupKey::Absent, |text| GroupKey::Text(text.into())))
        }
    }
}

fn get<'r, T>(row: &'r PgRow, column: &'static str) -> Result<T, Error>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(column).map_err(|error| unreadable(&error))
}

fn corrupt(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    let text = "a stored event cannot be counted: it holds what this version does not know";
    Error::with_source(ErrorKind::Corrupt, text, source)
}

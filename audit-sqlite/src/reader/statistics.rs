use std::collections::BTreeMap;

use audit_core::event::{Latency, Outcome, Timestamp};
use audit_core::reader::{
    GroupBy, GroupKey, LatencyPercentiles, Statistics, StatisticsRequest, StatisticsRow, TimeBucket,
};
use audit_core::{Error, ErrorKind};
use sqlx::Row as _;
use sqlx::sqlite::{Sqlite, SqliteRow};

use super::sql::Sql;
use super::{columns, filter, unreadable};

/// Counts by group. The table is read once; what is cut off is cut off by SQLite, in the order
/// of [`Statistics::assemble`], and one group more than asked for tells that something was.
///
/// The rank of a percentile is the smallest whole number that is not below the share. A row for
/// each group and outcome comes back.
pub(super) fn statistics(request: &StatisticsRequest) -> Result<Sql, Error> {
    let group_by = request.grouping();
    let mut sql = Sql::new("WITH matching AS MATERIALIZED (\n    SELECT ");
    push_key(&mut sql, group_by)?;
    sql.text(" AS key, outcome, latency_ms FROM audit_events WHERE true");
    filter::push(&mut sql, request.filter())?;
    sql.text(
        "
), counted AS MATERIALIZED (
    SELECT key, outcome, count(*) AS n_events FROM matching GROUP BY key, outcome
), shown AS MATERIALIZED (
    SELECT key, sum(n_events) AS n_events
    FROM counted
    GROUP BY key
    ORDER BY ",
    );
    sql.text(match group_by {
        GroupBy::Time(_) => "key DESC",
        _ => "sum(n_events) DESC, key",
    });
    sql.text("\n    LIMIT ")
        .bind_rows(request.max_rows() + 1)
        .text(
            "
), ranked AS (
    SELECT key, latency_ms, row_number() OVER (PARTITION BY key ORDER BY latency_ms) AS place
    FROM matching
    WHERE key IN (SELECT key FROM shown)
), latencies AS MATERIALIZED (
    SELECT
        shown.key,
        min(CASE WHEN place >= (n_events * 50 + 99) / 100 THEN latency_ms END) AS p50,
        min(CASE WHEN place >= (n_events * 95 + 99) / 100 THEN latency_ms END) AS p95,
        min(CASE WHEN place >= (n_events * 99 + 99) / 100 THEN latency_ms END) AS p99,
        max(latency_ms) AS longest
    FROM shown
    JOIN ranked ON ranked.key = shown.key
    GROUP BY shown.key
)
SELECT counted.key, outcome, n_events, p50, p95, p99, longest
FROM latencies
JOIN counted ON counted.key = latencies.key",
        );
    Ok(sql)
}

pub(super) fn answer(request: &StatisticsRequest, rows: &[SqliteRow]) -> Result<Statistics, Error> {
    let mut groups: BTreeMap<GroupKey, Group> = BTreeMap::new();
    for row in rows {
        let key = key_of(request.grouping(), row)?;
        let latency = |column| {
            let millis: f64 = get(row, column)?;
            Latency::from_millis(millis).map_err(corrupt)
        };
        let latencies = LatencyPercentiles::new(
            latency("p50")?,
            latency("p95")?,
            latency("p99")?,
            latency("longest")?,
        );
        let outcome: Outcome = get::<&str>(row, "outcome")?.parse().map_err(corrupt)?;
        let n_events: i64 = get(row, "n_events")?;
        let group = groups.entry(key).or_insert_with(|| Group {
            outcomes: BTreeMap::new(),
            latencies,
        });
        group.outcomes.insert(outcome, n_events.unsigned_abs());
    }
    let rows = groups
        .into_iter()
        .map(|(key, group)| StatisticsRow::new(key, group.outcomes, group.latencies));
    Ok(Statistics::assemble(request, rows.collect()))
}

struct Group {
    outcomes: BTreeMap<Outcome, u64>,
    latencies: LatencyPercentiles,
}

/// Writes the key of an event's group, which is never null: a text has a sign before it, one that is
/// not there has none. That keeps the order of texts, the absent one first.
fn push_key(sql: &mut Sql, group_by: GroupBy) -> Result<(), Error> {
    let text = match group_by {
        GroupBy::Nothing => {
            sql.text("''");
            return Ok(());
        }
        GroupBy::Time(bucket) => {
            // The table has no moment before 1970, so the rest is that of the bucket's beginning.
            let bucket = match bucket {
                TimeBucket::Day | TimeBucket::Hour | TimeBucket::Minute => bucket.micros(),
                _ => return Err(columns::unknown()),
            };
            sql.text("ts - ts % ").bind(bucket);
            return Ok(());
        }
        GroupBy::Outcome => "outcome",
        GroupBy::Reason(check) => columns::reason(check)?,
        GroupBy::Text(field) => columns::of_text(field)?,
        GroupBy::Verdict(check) => columns::verdict(check)?,
        _ => return Err(columns::unknown()),
    };
    sql.text("coalesce('=' || ").text(text).text(", '')");
    Ok(())
}

fn key_of(group_by: GroupBy, row: &SqliteRow) -> Result<GroupKey, Error> {
    match group_by {
        GroupBy::Nothing => Ok(GroupKey::All),
        GroupBy::Time(_) => {
            let begin = Timestamp::from_micros(get(row, "key")?);
            Ok(GroupKey::Time(begin.map_err(corrupt)?))
        }
        _ => {
            let key: &str = get(row, "key")?;
            let text = key.strip_prefix('=');
            Ok(text.map_or(GroupKey::Absent, |text| GroupKey::Text(text.into())))
        }
    }
}

fn get<'r, T>(row: &'r SqliteRow, column: &'static str) -> Result<T, Error>
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
{
    row.try_get(column).map_err(|error| unreadable(&error))
}

fn corrupt(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    let text = "a stored event cannot be counted: it holds what this version does not know";
    Error::with_source(ErrorKind::Corrupt, text, source)
}

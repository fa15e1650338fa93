//! Statistics that the server works out, for whatever number of events.

use std::collections::BTreeMap;

use audit_core::event::{Latency, Outcome};
use audit_core::reader::{
    GroupBy, LatencyPercentiles, Statistics, StatisticsRequest, StatisticsRow,
};
use audit_core::{Error, ErrorKind};
use sqlx::postgres::PgRow;

use super::{corrupt, get, key, key_of};
use crate::reader::filter;
use crate::reader::sql::Sql;

/// Counts by group. The table is read once; what is cut off is cut off by the server, in the order
/// of [`Statistics::assemble`], and one group more than asked for tells that something was.
pub(in crate::reader) fn statistics(request: &StatisticsRequest) -> Result<Sql, Error> {
    let group_by = request.grouping();
    let mut sql = Sql::new("WITH matching AS MATERIALIZED (\n    SELECT ");
    sql.text(key(group_by)?)
        .text(" AS key, outcome, latency_ms FROM audit_events WHERE true");
    filter::push(&mut sql, request.filter())?;
    sql.text(
        "
), counted AS (
    SELECT key, outcome, count(*) AS n_events FROM matching GROUP BY key, outcome
), shown AS (
    SELECT key, array_agg(outcome) AS outcomes, array_agg(n_events) AS counts
    FROM counted
    GROUP BY key
    ORDER BY ",
    );
    sql.text(match group_by {
        GroupBy::Time(_) => "key DESC",
        _ => r#"sum(n_events) DESC, key COLLATE "C" NULLS FIRST"#,
    });
    sql.text("\n    LIMIT ")
        .bind_rows(request.max_rows() + 1)
        .text(
            "
), ranked AS (
    SELECT
        key,
        percentile_disc(ARRAY[0.5, 0.95, 0.99, 1]::float8[])
            WITHIN GROUP (ORDER BY latency_ms) AS latencies
    FROM matching
    GROUP BY key
)
SELECT shown.key, outcomes, counts, latencies
FROM shown
JOIN ranked ON ",
        );
    // A comparison that takes nulls for equal could not be hashed.
    sql.text(match group_by {
        GroupBy::Time(_) => "ranked.key = shown.key",
        _ => {
            "coalesce(ranked.key, '') = coalesce(shown.key, '') \
             AND (ranked.key IS NULL) = (shown.key IS NULL)"
        }
    });
    Ok(sql)
}

pub(in crate::reader) fn answer(
    request: &StatisticsRequest,
    rows: &[PgRow],
) -> Result<Statistics, Error> {
    let rows: Result<_, _> = rows.iter().map(|row| group(request, row)).collect();
    Ok(Statistics::assemble(request, rows?))
}

fn group(request: &StatisticsRequest, row: &PgRow) -> Result<StatisticsRow, Error> {
    let outcomes: Vec<String> = get(row, "outcomes")?;
    let counts: Vec<i64> = get(row, "counts")?;
    let outcomes: Result<BTreeMap<_, _>, Error> = outcomes
        .iter()
        .zip(counts)
        .map(|(outcome, count)| {
            let outcome: Outcome = outcome.parse().map_err(corrupt)?;
            Ok((outcome, count.unsigned_abs()))
        })
        .collect();
    let latencies: Vec<f64> = get(row, "latencies")?;
    let latencies: Result<Vec<_>, Error> = latencies
        .into_iter()
        .map(|millis| Latency::from_millis(millis).map_err(corrupt))
        .collect();
    let [p50, p95, p99, max] = latencies?[..] else {
        let text = "the server answered with another number of percentiles than was asked for";
        return Err(Error::new(ErrorKind::Internal, text));
    };
    Ok(StatisticsRow::new(
        key_of(request.grouping(), row)?,
        outcomes?,
        LatencyPercentiles::new(p50, p95, p99, max),
    ))
}

//! Statistics of a few hundred thousand events: the server sorts nothing and hands out the latencies
//! of each group as one array.

use std::collections::BTreeMap;

use audit_core::Error;
use audit_core::event::{Latency, Outcome};
use audit_core::reader::{
    GroupKey, LatencyPercentiles, Statistics, StatisticsRequest, StatisticsRow,
};
use sqlx::postgres::PgRow;

use super::{corrupt, get, key, key_of};
use crate::reader::filter;
use crate::reader::sql::Sql;

/// The most groups, each with an outcome, that are brought here: where nearly every event has a
/// group of its own, the server had better choose.
const MAX_GROUPS: usize = 20_000;

/// Reads the table once, and no further than to see that there are more than `most`.
pub(in crate::reader) fn push(
    sql: &mut Sql,
    request: &StatisticsRequest,
    most: u32,
) -> Result<(), Error> {
    sql.text("SELECT key, outcome, array_agg(latency_ms) AS latencies\nFROM (\n    SELECT ")
        .text(key(request.grouping())?)
        .text(" AS key, outcome, latency_ms FROM audit_events WHERE true");
    filter::push(sql, request.filter())?;
    sql.text("\n    LIMIT ")
        .bind_rows(i64::from(most) + 1)
        .text("\n) AS matching\nGROUP BY key, outcome\nLIMIT ")
        .bind_rows(MAX_GROUPS + 1);
    Ok(())
}

/// The answer; `None` if there is more than was brought.
pub(in crate::reader) fn answer(
    request: &StatisticsRequest,
    rows: &[PgRow],
    most: u32,
) -> Result<Option<Statistics>, Error> {
    if rows.len() > MAX_GROUPS {
        return Ok(None);
    }
    let mut groups: BTreeMap<GroupKey, (BTreeMap<Outcome, u64>, Vec<Latency>)> = BTreeMap::new();
    let mut n_events = 0;
    for row in rows {
        let outcome: String = get(row, "outcome")?;
        let outcome: Outcome = outcome.parse().map_err(corrupt)?;
        let millis: Vec<f64> = get(row, "latencies")?;
        let n_of_row = u64::try_from(millis.len()).unwrap_or(u64::MAX);
        n_events += n_of_row;
        if n_events > u64::from(most) {
            return Ok(None);
        }
        let (outcomes, latencies) = groups.entry(key_of(request.grouping(), row)?).or_default();
        *outcomes.entry(outcome).or_default() += n_of_row;
        for millis in millis {
            latencies.push(Latency::from_millis(millis).map_err(corrupt)?);
        }
    }
    let rows = groups.into_iter().map(|(key, (outcomes, mut latencies))| {
        StatisticsRow::new(key, outcomes, LatencyPercentiles::of(&mut latencies))
    });
    Ok(Some(Statistics::assemble(request, rows.collect())))
}

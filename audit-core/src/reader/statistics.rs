use std::collections::BTreeMap;

use super::field::TextField;
use super::filter::Filter;
use crate::error::{Error, ErrorKind};
use crate::event::{AuditEvent, CheckName, Latency, Outcome, Timestamp};

/// Which events to count, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatisticsRequest {
    filter: Filter,
    group_by: GroupBy,
    limit: usize,
}

/// By what events are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupBy {
    /// A row for each outcome.
    Outcome,
    /// A row for each reason that a check gave.
    Reason(CheckName),
    /// A row for each answer of a check.
    Verdict(CheckName),
    /// All in one row.
    #[default]
    Nothing,
    /// A row for each text: tool, key, role, …
    Text(TextField),
    /// A row for each stretch of time in which calls began.
    Time(TimeBucket),
}

/// A stretch of time, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeBucket {
    /// A day.
    Day,
    /// An hour.
    Hour,
    /// A minute.
    Minute,
}

/// What the events of a row have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum GroupKey {
    /// Nothing: the row of all events.
    All,
    /// The text is not there.
    Absent,
    /// The text.
    Text(Box<str>),
    /// The beginning of the stretch of time.
    Time(Timestamp),
}

/// The answer: rows with the most calls first, or in the order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// One row for each group that has events, as many as were asked for.
    pub rows: Vec<StatisticsRow>,
    /// Whether there were more groups than rows.
    pub is_capped: bool,
}

/// What is known of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatisticsRow {
    /// What the events have in common.
    pub key: GroupKey,
    /// How many there are.
    pub n_events: u64,
    /// How many there are of each outcome that occurs.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// How long they took.
    pub latency_ms: LatencyPercentiles,
}

/// Latencies at ranks: the smallest latency that is not below the given share of all (SQL's
/// `percentile_disc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LatencyPercentiles {
    /// Half of the calls took at most this long.
    pub p50: Latency,
    /// 95 of 100 calls took at most this long.
    pub p95: Latency,
    /// 99 of 100 calls took at most this long.
    pub p99: Latency,
    /// No call took longer.
    pub max: Latency,
}

impl StatisticsRequest {
    /// The most rows of an answer.
    pub const MAX_LIMIT: usize = 10_000;

    /// One row over the events that match.
    #[must_use]
    pub fn new(filter: Filter) -> Self {
        Self {
            filter,
            group_by: GroupBy::default(),
            limit: 100,
        }
    }

    /// A row for each group.
    #[must_use]
    pub fn group_by(mut self, group_by: GroupBy) -> Self {
        self.group_by = group_by;
        self
    }

    /// At most so many rows.
    ///
    /// # Errors
    /// The limit is 0 or above [`MAX_LIMIT`](Self::MAX_LIMIT).
    pub fn limit(mut self, limit: usize) -> Result<Self, Error> {
        if !(1..=Self::MAX_LIMIT).contains(&limit) {
            let text = format!("statistics have 1 to {} rows, not {limit}", Self::MAX_LIMIT);
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        self.limit = limit;
        Ok(self)
    }

    /// Which events are counted.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// By what they are counted.
    #[must_use]
    pub fn grouping(&self) -> GroupBy {
        self.group_by
    }

    /// The most rows of the answer.
    #[must_use]
    pub fn max_rows(&self) -> usize {
        self.limit
    }
}

impl TimeBucket {
    /// The length in microseconds.
    #[must_use]
    pub const fn micros(self) -> i64 {
        let minute = 60 * 1_000_000;
        match self {
            Self::Day => 24 * 60 * minute,
            Self::Hour => 60 * minute,
            Self::Minute => minute,
        }
    }

    /// The beginning of the stretch in which a moment lies.
    #[must_use]
    pub fn begin_of(self, ts: Timestamp) -> Timestamp {
        let micros = ts.as_micros();
        // A smaller number of a range that begins with 0 lies in it too.
        Timestamp::from_micros(micros - micros % self.micros()).unwrap_or(Timestamp::MIN)
    }
}

impl GroupBy {
    /// The group of an event.
    #[must_use]
    pub fn key_of(self, event: &AuditEvent) -> GroupKey {
        match self {
            Self::Nothing => GroupKey::All,
            Self::Outcome => GroupKey::Text(event.outcome.as_str().into()),
            Self::Reason(check) => {
                let reason = event.decision.check(check).reason.as_ref();
                reason.map_or(GroupKey::Absent, |reason| {
                    GroupKey::Text(reason.as_str().into())
                })
            }
            Self::Verdict(check) => {
                GroupKey::Text(event.decision.check(check).verdict.as_str().into())
            }
            Self::Text(field) => field
                .of(event)
                .map_or(GroupKey::Absent, |text| GroupKey::Text(text.into())),
            Self::Time(bucket) => GroupKey::Time(bucket.begin_of(event.ts)),
        }
    }
}

impl Statistics {
    /// Counts the events that match the request. This is the meaning of the numbers; every store
    /// answers alike.
    #[must_use]
    pub fn collect<'a>(
        request: &StatisticsRequest,
        events: impl IntoIterator<Item = &'a AuditEvent>,
    ) -> Self {
        let mut groups: BTreeMap<GroupKey, Group> = BTreeMap::new();
        for event in events
            .into_iter()
            .filter(|event| request.filter.matches(event))
        {
            let group = groups.entry(request.group_by.key_of(event)).or_default();
            *group.outcomes.entry(event.outcome).or_default() += 1;
            group.latencies.push(event.latency_ms);
        }
        let rows = groups
            .into_iter()
            .map(|(key, group)| group.into_row(key))
            .collect();
        Self::assemble(request, rows)
    }

    /// Puts the rows of all groups into the order of the answer and cuts them to its limit: the
    /// groups with the most calls stay, or the latest stretches of time.
    #[must_use]
    pub fn assemble(request: &StatisticsRequest, mut rows: Vec<StatisticsRow>) -> Self {
        rows.sort_by(|a, b| match request.group_by {
            GroupBy::Time(_) => a.key.cmp(&b.key),
            _ => b.n_events.cmp(&a.n_events).then_with(|| a.key.cmp(&b.key)),
        });
        let n_over = rows.len().saturating_sub(request.limit);
        let is_capped = n_over > 0;
        match request.group_by {
            GroupBy::Time(_) => drop(rows.drain(..n_over)),
            _ => rows.truncate(request.limit),
        }
        Self { rows, is_capped }
    }
}

impl StatisticsRow {
    /// What a store counted of one group.
    #[must_use]
    pub fn new(
        key: GroupKey,
        outcomes: BTreeMap<Outcome, u64>,
        latency_ms: LatencyPercentiles,
    ) -> Self {
        let n_events = outcomes.values().sum();
        Self {
            key,
            n_events,
            outcomes,
            latency_ms,
        }
    }
}

impl LatencyPercentiles {
    /// What a store computed.
    #[must_use]
    pub const fn new(p50: Latency, p95: Latency, p99: Latency, max: Latency) -> Self {
        Self { p50, p95, p99, max }
    }

    /// Those of these latencies, which it puts into order.
    #[must_use]
    pub fn of(latencies: &mut [Latency]) -> Self {
        latencies.sort_unstable();
        let sorted = &*latencies;
        let at = |percent: usize| {
            // The rank is the smallest whole number that is not below the share, counted from 1.
            let rank = (sorted.len() * percent).div_ceil(100);
            sorted
                .get(rank.saturating_sub(1))
                .copied()
                .unwrap_or_default()
        };
        Self {
            p50: at(50),
            p95: at(95),
            p99: at(99),
            max: at(100),
        }
    }
}

#[derive(Default)]
struct Group {
    outcomes: BTreeMap<Outcome, u64>,
    latencies: Vec<Latency>,
}

impl Group {
    fn into_row(mut self, key: GroupKey) -> StatisticsRow {
        let percentiles = LatencyPercentiles::of(&mut self.latencies);
        StatisticsRow::new(key, self.outcomes, percentiles)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn percentiles(millis: impl IntoIterator<Item = u64>) -> [u128; 4] {
        let mut latencies: Vec<_> = millis
            .into_iter()
            .map(|ms| Latency::new(Duration::from_millis(ms)))
            .collect();
        let found = LatencyPercentiles::of(&mut latencies);
        [found.p50, found.p95, found.p99, found.max]
            .map(|latency| latency.as_duration().as_millis())
    }

    #[test]
    fn percentiles_are_latencies_that_occurred() {
        assert_eq!(percentiles([]), [0, 0, 0, 0]);
        assert_eq!(percentiles([7]), [7, 7, 7, 7]);
        assert_eq!(percentiles([2, 1]), [1, 2, 2, 2]);
        assert_eq!(percentiles(1..=100), [50, 95, 99, 100]);
        assert_eq!(percentiles(1..=201), [101, 191, 199, 201]);
    }

    #[test]
    fn a_bucket_begins_in_utc() {
        let ts = Timestamp::from_micros(1_700_000_123_456_789).unwrap();
        let begins = [TimeBucket::Minute, TimeBucket::Hour, TimeBucket::Day]
            .map(|it| it.begin_of(ts).to_string());
        assert_eq!(
            begins,
            [
                "2023-11-14T22:15:00.000000Z",
                "2023-11-14T22:00:00.000000Z",
                "2023-11-14T00:00:00.000000Z"
            ]
        );
    }
}

use std::collections::BTreeMap;

use audit_core::event::Timestamp;
use audit_core::reader::{
    Condition, Filter, GroupBy, GroupKey, Span, Statistics, StatisticsRequest, TimeBucket,
};

use super::asked::Asked;
use super::class::Class;
use super::counts::Counts;
use super::range::{Cut, bucket_of};
use crate::problem::Problem;
use crate::state::Web;

/// Fewer bars than this look like an error.
const FEW_BARS: i64 = 14;

/// The calls of a filter over time, by class.
#[derive(Debug)]
pub(super) struct Bars {
    pub(super) cut: Cut,
    pub(super) bars: Vec<Bar>,
}

/// The calls that began in one stretch of time.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) begin: Timestamp,
    /// The last microsecond of it.
    pub(super) end: Timestamp,
    /// As many as there are of each of [`Class::ALL`].
    pub(super) n_events: [u64; 3],
}

impl Bars {
    /// Counts them.
    ///
    /// # Errors
    /// The store does not answer.
    pub(super) async fn count(web: &Web, counts: &Counts, asked: &Asked) -> Result<Self, Problem> {
        let bucket = bucket_of(asked.span(), asked.at);
        let group_by = GroupBy::Time(bucket);
        let limit = StatisticsRequest::MAX_LIMIT;
        let counted = counts.of(web, &asked.filter, group_by, limit).await?;
        Ok(Self::of(&counted, bucket, asked))
    }

    /// Puts the rows of an answer together to bars without a hole between them.
    fn of(counted: &Statistics, bucket: TimeBucket, asked: &Asked) -> Self {
        let mut found: Vec<(Timestamp, [u64; 3])> = Vec::new();
        for row in &counted.rows {
            let GroupKey::Time(begin) = row.key else {
                continue;
            };
            found.push((begin, Class::ALL.map(|class| class.n_of(&row.outcomes))));
        }
        let span = asked.span();
        let earliest = found.first().map_or(asked.at, |(begin, _)| *begin);
        let latest = found.last().map_or(Timestamp::MIN, |(begin, _)| *begin);
        let first = span
            .min
            .unwrap_or_else(|| some_before(bucket, asked.at, earliest));
        // What began after the page's moment is counted too.
        let last = std::cmp::max(span.max.unwrap_or(asked.at), latest);
        let cut = Cut::of(bucket, first, std::cmp::max(first, last));
        let mut sums: BTreeMap<i64, [u64; 3]> = BTreeMap::new();
        for (begin, n_events) in found {
            let sum = sums.entry(cut.begin_of(begin)).or_default();
            for (sum, n) in sum.iter_mut().zip(n_events) {
                *sum += n;
            }
        }
        let mut bars = Vec::new();
        let mut micros = cut.begin_of(first);
        while micros <= last.as_micros() {
            let n_events = sums.get(&micros).copied().unwrap_or_default();
            bars.extend(Bar::new(micros, cut.step, n_events));
            micros += cut.step;
        }
        Self { cut, bars }
    }

    /// The most events of a bar.
    pub(super) fn peak(&self) -> u64 {
        let totals = self.bars.iter().map(Bar::n_all);
        totals.max().unwrap_or_default()
    }

    /// The events of all bars.
    pub(super) fn n_all(&self) -> u64 {
        self.bars.iter().map(Bar::n_all).sum()
    }
}

/// Where an open range begins: early enough for a few bars.
fn some_before(bucket: TimeBucket, at: Timestamp, earliest: Timestamp) -> Timestamp {
    let micros = at.as_micros() - (FEW_BARS - 1) * bucket.micros();
    let begin = Timestamp::from_micros(micros).unwrap_or(Timestamp::MIN);
    std::cmp::min(begin, earliest)
}

impl Bar {
    /// `None`: no event can lie there.
    fn new(begin: i64, step: i64, n_events: [u64; 3]) -> Option<Self> {
        let last = std::cmp::min(begin + step - 1, Timestamp::MAX.as_micros());
        Some(Self {
            begin: Timestamp::from_micros(begin).ok()?,
            end: Timestamp::from_micros(last).ok()?,
            n_events,
        })
    }

    pub(super) fn n_all(&self) -> u64 {
        self.n_events.iter().sum()
    }

    /// The events of the bar.
    pub(super) fn filter(&self) -> Filter {
        let span = Span::between(self.begin, self.end);
        Filter::all().with(Condition::Time(span))
    }

    /// Those of one class.
    pub(super) fn filter_of(&self, class: Class) -> Filter {
        class.narrow(self.filter())
    }
}

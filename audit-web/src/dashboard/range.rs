use audit_core::event::Timestamp;
use audit_core::reader::{Span, TimeBucket};

/// How a stretch of time is cut into bars: what the store counts by, and how many of those make a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// What the store counts by.
    pub(super) bucket: TimeBucket,
    /// The length of a bar in microseconds: a multiple of the bucket's.
    pub(super) step: i64,
}

/// As many bars can be told apart on a small screen.
const MOST_BARS: i64 = 62;

const MINUTE: i64 = TimeBucket::Minute.micros();
const HOUR: i64 = TimeBucket::Hour.micros();
const DAY: i64 = TimeBucket::Day.micros();

/// Lengths of bars that people can name.
const MINUTES: [i64; 6] = [1, 2, 5, 10, 15, 30];
const HOURS: [i64; 5] = [1, 2, 3, 6, 12];
const DAYS: [i64; 7] = [1, 2, 7, 14, 30, 90, 365];

/// What the store counts by in a range that ends at `end`, if it is open.
pub(super) fn bucket_of(span: Span<Timestamp>, end: Timestamp) -> TimeBucket {
    let end = span.max.unwrap_or(end).as_micros();
    let length = span.min.map(|begin| end - begin.as_micros());
    match length {
        Some(length) if length <= 6 * HOUR => TimeBucket::Minute,
        Some(length) if length <= 45 * DAY => TimeBucket::Hour,
        _ => TimeBucket::Day,
    }
}

impl Cut {
    /// Cuts what lies from the first to the last moment.
    pub(super) fn of(bucket: TimeBucket, first: Timestamp, last: Timestamp) -> Self {
        let length = last.as_micros() - first.as_micros();
        let (unit, steps): (i64, &[i64]) = match bucket {
            TimeBucket::Minute => (MINUTE, &MINUTES),
            TimeBucket::Hour => (HOUR, &HOURS),
            _ => (DAY, &DAYS),
        };
        let mut lengths = steps.iter().map(|step| step * unit);
        let fitting = lengths.find(|step| length / step < MOST_BARS);
        let step = fitting.unwrap_or_else(|| (length / MOST_BARS / unit + 1) * unit);
        Self { bucket, step }
    }

    /// The beginning of the bar in which a moment lies.
    pub(super) fn begin_of(self, ts: Timestamp) -> i64 {
        let micros = ts.as_micros();
        micros - micros % self.step
    }

    /// The length of a bar in words.
    pub(super) fn in_words(self) -> String {
        let (n, unit) = match self.step {
            step if step % DAY == 0 => (step / DAY, "day"),
            step if step % HOUR == 0 => (step / HOUR, "hour"),
            step => (step / MINUTE, "minute"),
        };
        match n {
            1 => unit.to_owned(),
            _ => format!("{n} {unit}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    #[test]
    fn a_range_becomes_a_readable_number_of_bars() {
        for (length, words) in [
            (HOUR, "minute"),
            (6 * HOUR, "10 minutes"),
            (DAY, "hour"),
            (7 * DAY, "3 hours"),
            (30 * DAY, "12 hours"),
            (60 * DAY, "day"),
            (365 * DAY, "7 days"),
            (50 * 365 * DAY, "365 days"),
        ] {
            let (first, last) = (at(1_000), at(1_000 + length));
            let bucket = bucket_of(Span::at_least(first), last);
            let cut = Cut::of(bucket, first, last);
            assert_eq!(cut.in_words(), words);
            assert!(length / cut.step < MOST_BARS, "{words}");
            assert_eq!(cut.step % bucket.micros(), 0, "{words}");
        }
    }

    #[test]
    fn all_of_time_is_few_bars_too() {
        let cut = Cut::of(TimeBucket::Day, Timestamp::MIN, Timestamp::MAX);
        let n_bars = Timestamp::MAX.as_micros() / cut.step;
        assert!(n_bars <= MOST_BARS && cut.step % DAY == 0, "{n_bars}");
    }
}

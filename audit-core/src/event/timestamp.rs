use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use super::error::{FieldProblem, InvalidField};

/// A moment in UTC, in whole microseconds from 1970-01-01 to 9999-12-31.
///
/// Stores keep microseconds; a finer clock would give back another moment than was written. The
/// years are those that RFC 3339 can write and a UUIDv7 can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const MIN: Self = Self(0);
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// A moment, cut to microseconds.
    ///
    /// # Errors
    /// The moment lies before 1970 or after 9999.
    pub fn new(moment: DateTime<Utc>) -> Result<Self, InvalidField> {
        Self::from_micros(moment.timestamp_micros())
    }

    /// A moment by its microseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// The moment lies before 1970 or after 9999.
    pub fn from_micros(micros: i64) -> Result<Self, InvalidField> {
        if (Self::MIN.0..=Self::MAX.0).contains(&micros) {
            return Ok(Self(micros));
        }
        Err(InvalidField::new(
            "ts",
            FieldProblem::Malformed {
                expected: "a moment between 1970-01-01 and 9999-12-31",
            },
        ))
    }

    /// A moment, moved to the nearest that a timestamp can hold.
    #[must_use]
    pub fn saturating(moment: DateTime<Utc>) -> Self {
        Self(moment.timestamp_micros().clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The same moment for chrono and whatever speaks it.
    #[must_use]
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    pub(super) fn parse(field: &'static str, text: &str) -> Result<Self, InvalidField> {
        let malformed = InvalidField::new(
            field,
            FieldProblem::Malformed {
                expected: "an RFC 3339 timestamp",
            },
        );
        let moment = DateTime::parse_from_rfc3339(text).map_err(|_| malformed)?;
        Self::new(moment.with_timezone(&Utc))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with six digits of a second: one spelling for each moment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            &self
                .to_datetime()
                .to_rfc3339_opts(SecondsFormat::Micros, true),
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_are_cut_and_not_rounded() {
        let moment = DateTime::from_timestamp(1_700_000_000, 123_456_999).unwrap();
        let ts = Timestamp::new(moment).unwrap();
        assert_eq!(ts.to_string(), "2023-11-14T22:13:20.123456Z");
    }

    #[test]
    fn the_ends_of_the_range_are_written_and_read() {
        for ts in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(Timestamp::parse("ts", &ts.to_string()).unwrap(), ts);
        }
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::from_micros(-1).unwrap_err().field(), "ts");
        assert_eq!(
            Timestamp::saturating(DateTime::<Utc>::MAX_UTC),
            Timestamp::MAX
        );
    }

    #[test]
    fn another_zone_is_the_same_moment() {
        let ts = Timestamp::parse("ts", "2026-02-28T23:30:00.5-01:00").unwrap();
        assert_eq!(ts.to_string(), "2026-03-01T00:30:00.500000Z");
    }
}

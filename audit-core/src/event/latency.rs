use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::error::{FieldProblem, InvalidField};

/// How long something took: whole microseconds, written as milliseconds with a fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Latency(u64);

impl Latency {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Ten years of 365 days. Every microsecond below is exact in the milliseconds of a double.
    pub const MAX: Self = Self(10 * 365 * 24 * 3600 * 1_000_000);

    /// A duration, cut to microseconds and to [`Latency::MAX`].
    #[must_use]
    pub fn new(duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(Self::MAX.0);
        Self(micros.clamp(0, Self::MAX.0))
    }

    /// A duration in milliseconds, rounded to the nearest microsecond.
    ///
    /// # Errors
    /// The number is negative, above [`Latency::MAX`] or not a number.
    pub fn from_millis(millis: f64) -> Result<Self, InvalidField> {
        Self::parse("latency_ms", millis)
    }

    pub(super) fn parse(field: &'static str, millis: f64) -> Result<Self, InvalidField> {
        let max = Self::MAX.as_duration();
        Duration::try_from_secs_f64(millis / 1_000.0)
            .ok()
            // A double's error stays far below half a microsecond within the range.
            .map(|exact| exact.saturating_add(Duration::from_nanos(500)))
            .filter(|rounded| *rounded < max + Duration::from_micros(1))
            .map(Self::new)
            .ok_or_else(|| {
                InvalidField::new(
                    field,
                    FieldProblem::OutOfRange {
                        min: 0,
                        max: Self::MAX.0 / 1_000,
                    },
                )
            })
    }

    /// Whole microseconds.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Milliseconds with a fraction.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "the range lies within the exact integers of a double"
    )]
    pub fn as_millis(self) -> f64 {
        self.0 as f64 / 1_000.0
    }

    /// The same time as a duration.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_micros(self.0)
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.as_millis())
    }
}

impl Serialize for Latency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_latency_is_refused() {
        let too_long = Latency::MAX.as_millis() + 1.0;
        for millis in [
            -0.001,
            -1.0,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            1e300,
            too_long,
        ] {
            let error = Latency::from_millis(millis).unwrap_err();
            assert_eq!(error.field(), "latency_ms", "{millis}");
            assert_eq!(
                error.problem(),
                FieldProblem::OutOfRange {
                    min: 0,
                    max: 315_360_000_000
                }
            );
        }
    }

    #[test]
    fn a_longer_duration_is_the_maximum() {
        assert_eq!(Latency::new(Duration::MAX), Latency::MAX);
        assert_eq!(
            Latency::from_millis(Latency::MAX.as_millis()).unwrap(),
            Latency::MAX
        );
    }

    proptest! {
        #[test]
        fn every_microsecond_survives_its_milliseconds(micros in 0..=Latency::MAX.0) {
            let latency = Latency(micros);
            prop_assert_eq!(Latency::from_millis(latency.as_millis()).unwrap(), latency);
        }
    }
}

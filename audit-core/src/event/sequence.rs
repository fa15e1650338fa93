use std::fmt;

use serde::{Serialize, Serializer};

use super::error::{FieldProblem, InvalidField};

/// The number of an event within its writer: 1, 2, 3, … without a gap.
///
/// A number that is missing from a store is an event that was lost, or that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Seq(u64);

impl Seq {
    /// The number of a writer's first event.
    pub const FIRST: Self = Self(1);
    /// The largest number: what a signed 64-bit column holds.
    pub const MAX: Self = Self(i64::MAX.unsigned_abs());

    /// Takes a number.
    ///
    /// # Errors
    /// The number is 0 or above [`Seq::MAX`].
    pub fn new(number: u64) -> Result<Self, InvalidField> {
        if (Self::FIRST.0..=Self::MAX.0).contains(&number) {
            return Ok(Self(number));
        }
        Err(InvalidField::new(
            "seq",
            FieldProblem::OutOfRange {
                min: Self::FIRST.0,
                max: Self::MAX.0,
            },
        ))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number behind this one. The last one is its own successor: at a million events a
    /// second a writer gets there in 292,000 years.
    #[must_use]
    pub const fn next(self) -> Self {
        if self.0 < Self::MAX.0 {
            Self(self.0 + 1)
        } else {
            self
        }
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Seq {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_at_one_and_end_with_the_column() {
        assert_eq!(Seq::new(1).unwrap(), Seq::FIRST);
        assert_eq!(Seq::FIRST.next().get(), 2);
        assert_eq!(Seq::MAX.next(), Seq::MAX);
        for wrong in [0, u64::MAX, Seq::MAX.get() + 1] {
            assert_eq!(Seq::new(wrong).unwrap_err().field(), "seq");
        }
    }
}

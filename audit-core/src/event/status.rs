use std::fmt;

use serde::{Serialize, Serializer};

use super::error::{FieldProblem, InvalidField};

/// A status from 0 to 999 as HTTP counts them; 0 says that no status was ever sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusCode(u16);

impl StatusCode {
    /// No status was sent.
    pub const NONE: Self = Self(0);
    /// The largest status.
    pub const MAX: Self = Self(999);

    /// Takes a status.
    ///
    /// # Errors
    /// The number lies outside 0 to 999.
    pub fn new(status: impl Into<i64>) -> Result<Self, InvalidField> {
        u16::try_from(status.into())
            .ok()
            .filter(|status| *status <= Self::MAX.0)
            .map(Self)
            .ok_or_else(|| {
                InvalidField::new("status_code", FieldProblem::OutOfRange { min: 0, max: 999 })
            })
    }

    /// The status as a number.
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    pub(super) const fn known(status: u16) -> Self {
        assert!(
            status <= Self::MAX.0,
            "a status of this crate's own is in range"
        );
        Self(status)
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for StatusCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_lies_between_0_and_999() {
        for status in [0, 1, 200, 999] {
            assert_eq!(
                i64::from(StatusCode::new(status).unwrap().as_u16()),
                i64::from(status)
            );
        }
        for status in [-1, 1_000, i64::MIN, i64::MAX, 65_736] {
            let error = StatusCode::new(status).unwrap_err();
            assert_eq!(error.field(), "status_code");
            assert_eq!(error.to_string(), "`status_code` lies outside 0 to 999");
        }
    }
}

/// A range with both ends in it; an end that is missing is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a range has two ends")]
pub struct Span<T> {
    /// The smallest value in the range.
    pub min: Option<T>,
    /// The largest value in the range.
    pub max: Option<T>,
}

impl<T: Ord + Copy> Span<T> {
    /// One value.
    pub const fn exactly(value: T) -> Self {
        Self {
            min: Some(value),
            max: Some(value),
        }
    }

    /// This value and every larger one.
    pub const fn at_least(min: T) -> Self {
        Self {
            min: Some(min),
            max: None,
        }
    }

    /// This value and every smaller one.
    pub const fn at_most(max: T) -> Self {
        Self {
            min: None,
            max: Some(max),
        }
    }

    /// The values from the first to the second.
    pub const fn between(min: T, max: T) -> Self {
        Self {
            min: Some(min),
            max: Some(max),
        }
    }

    /// Whether the value lies in the range.
    pub fn contains(&self, value: T) -> bool {
        self.min.is_none_or(|min| min <= value) && self.max.is_none_or(|max| value <= max)
    }
}

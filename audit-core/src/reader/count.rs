use std::cmp;

/// How many events match, as far as was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Count {
    /// The number that was counted.
    pub n_events: u64,
    /// Whether there are more: the counting ended at its cap.
    pub is_capped: bool,
}

impl Count {
    /// From a count that went one beyond the cap, if there were as many.
    #[must_use]
    pub fn capped(counted: u64, cap: u64) -> Self {
        Self {
            n_events: cmp::min(counted, cap),
            is_capped: counted > cap,
        }
    }
}

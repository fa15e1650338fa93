//! What metrics are made of.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows, for whoever asks its owner and for whoever collects metrics.
pub(crate) struct Counter {
    own: AtomicU64,
    exported: metrics::Counter,
}

impl Counter {
    pub(crate) const fn new(exported: metrics::Counter) -> Self {
        Self {
            own: AtomicU64::new(0),
            exported,
        }
    }

    pub(crate) fn add_one(&self) {
        self.add(1);
    }

    /// Nothing happened, nothing is told.
    pub(crate) fn add(&self, number: u64) {
        if number > 0 {
            self.own.fetch_add(number, Ordering::Relaxed);
            self.exported.increment(number);
        }
    }

    pub(crate) fn get(&self) -> u64 {
        self.own.load(Ordering::Relaxed)
    }
}

/// A gauge is a float; what it cannot tell apart any more, above 2⁵³, no queue holds.
pub(crate) fn float<T>(number: T) -> f64
where
    u64: TryFrom<T>,
{
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    let high = u32::try_from(number >> 32).unwrap_or(u32::MAX);
    let low = u32::try_from(number & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

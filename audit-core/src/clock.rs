//! Where time comes from.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;

use crate::event::Timestamp;

/// Tells the time: the moment for the record, and a running time for latencies.
///
/// The two differ on purpose: the wall clock may be set, and a latency must not notice.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The moment, by the wall clock.
    fn now(&self) -> Timestamp;

    /// A time that only moves forward, from any beginning.
    fn monotonic(&self) -> Duration;
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    begin: Instant,
}

impl SystemClock {
    /// The clocks of the operating system.
    #[must_use]
    pub fn new() -> Self {
        Self {
            begin: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everybody else uses"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::saturating(Utc::now())
    }

    fn monotonic(&self) -> Duration {
        self.begin.elapsed()
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }
}

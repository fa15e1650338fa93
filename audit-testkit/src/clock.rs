use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use audit_core::event::{EventId, Timestamp};
use audit_core::{Clock, IdSource};

use crate::fixture;

/// A clock that moves only when a test moves it. A clone is another handle to the same clock.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use audit_core::Clock as _;
/// use audit_testkit::ManualClock;
///
/// let clock = ManualClock::default();
/// let (before, begin) = (clock.now(), clock.monotonic());
/// clock.advance(Duration::from_millis(250));
/// assert_eq!(clock.now().as_micros() - before.as_micros(), 250_000);
/// assert_eq!(clock.monotonic() - begin, Duration::from_millis(250));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    hands: Arc<Mutex<Hands>>,
}

#[derive(Clone, Copy, Debug)]
struct Hands {
    wall: Timestamp,
    monotonic: Duration,
}

impl ManualClock {
    /// A clock that shows this moment.
    #[must_use]
    pub fn new(wall: Timestamp) -> Self {
        let monotonic = Duration::ZERO;
        Self {
            hands: Arc::new(Mutex::new(Hands { wall, monotonic })),
        }
    }

    /// Lets time go by, to the end of what a timestamp can hold.
    pub fn advance(&self, by: Duration) {
        self.read(|hands| {
            let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            let later = hands.wall.as_micros().saturating_add(micros);
            hands.wall = Timestamp::from_micros(later).unwrap_or(Timestamp::MAX);
            hands.monotonic = hands.monotonic.saturating_add(by);
        });
    }

    /// Sets the wall clock, forward or back, as an administrator or a leap does; no time goes by.
    pub fn set(&self, wall: Timestamp) {
        self.read(|hands| hands.wall = wall);
    }

    fn read<T>(&self, look: impl FnOnce(&mut Hands) -> T) -> T {
        look(&mut self.hands.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.read(|hands| hands.wall)
    }

    /// The time that the test let go by.
    fn monotonic(&self) -> Duration {
        self.read(|hands| hands.monotonic)
    }
}

impl Default for ManualClock {
    /// A clock that shows the moment of the first fixture.
    fn default() -> Self {
        Self::new(fixture::moment(0))
    }
}

/// Ids that a test can foresee: the moment that is asked for, and 1, 2, 3, … behind it. A clone
/// goes on with the same numbers.
#[derive(Clone, Debug, Default)]
pub struct SequentialIds {
    n_given: Arc<AtomicU64>,
}

impl SequentialIds {
    /// Ids that begin with 1.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many ids were given.
    #[must_use]
    pub fn n_given(&self) -> u64 {
        self.n_given.load(Ordering::Relaxed)
    }
}

impl IdSource for SequentialIds {
    fn event_id(&self, ts: Timestamp) -> EventId {
        EventId::new(ts, self.n_given.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

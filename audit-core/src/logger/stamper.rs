use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::event::{EventId, Timestamp};
use crate::ids::IdSource;

/// Gives calls their moment and their id, in order.
pub(super) struct Stamper {
    clock: Box<dyn Clock>,
    ids: Box<dyn IdSource>,
    last: Mutex<Timestamp>,
}

/// A clock that is set back by less than this stands still instead: time that NTP corrects in
/// small steps keeps ids rising. A larger step is followed, since a record must not carry an hour
/// that nobody's clock showed.
const LARGEST_STEP_HIDDEN: i64 = 1_000_000;

impl Stamper {
    pub(super) fn new(clock: Box<dyn Clock>, ids: Box<dyn IdSource>) -> Self {
        Self {
            clock,
            ids,
            last: Mutex::new(Timestamp::MIN),
        }
    }

    /// The moment and a new id of it; or a new id of the moment that is given.
    pub(super) fn stamp(&self, given: Option<Timestamp>) -> (Timestamp, EventId) {
        if let Some(ts) = given {
            return (ts, self.ids.event_id(ts));
        }
        // The id is made under the lock, or two calls could swap theirs.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let step_back = last.as_micros() - now.as_micros();
        let ts = if (0..LARGEST_STEP_HIDDEN).contains(&step_back) {
            *last
        } else {
            now
        };
        *last = ts;
        (ts, self.ids.event_id(ts))
    }

    /// The clock's time of day, for ages.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}

impl fmt::Debug for Stamper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stamper")
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::thread;

    use super::*;

    /// Every look at it is a microsecond later.
    #[derive(Debug)]
    struct Ticking(AtomicI64);

    impl Clock for Ticking {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.fetch_add(1, Ordering::SeqCst)).unwrap_or(Timestamp::MAX)
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[test]
    fn ids_are_asked_for_in_the_order_of_their_moments() {
        let asked: Arc<Mutex<Vec<Timestamp>>> = Arc::default();
        let ids = {
            let asked = Arc::clone(&asked);
            move |ts| {
                // Whoever does not hold the lock is overtaken here.
                thread::yield_now();
                asked.lock().unwrap().push(ts);
                EventId::new(ts, 0)
            }
        };
        let stamper = Stamper::new(Box::new(Ticking(AtomicI64::new(0))), Box::new(ids));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        stamper.stamp(None);
                    }
                });
            }
        });
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 4_000);
        assert!(asked.is_sorted());
    }

    #[test]
    fn a_moment_that_is_given_does_not_move_the_clock() {
        let ids: fn(Timestamp) -> EventId = |ts| EventId::new(ts, 0);
        let stamper = Stamper::new(Box::new(Ticking(AtomicI64::new(5))), Box::new(ids));
        let given = stamper.stamp(Some(Timestamp::MAX));
        assert_eq!(given, (Timestamp::MAX, EventId::new(Timestamp::MAX, 0)));
        assert_eq!(stamper.stamp(None).0.as_micros(), 5);
    }
}

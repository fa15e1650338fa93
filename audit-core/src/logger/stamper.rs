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

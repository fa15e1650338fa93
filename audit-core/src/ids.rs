//! Where event ids come from.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use rand::Rng as _;

use crate::event::{EventId, Timestamp};

/// Makes the ids of events.
///
/// A closure from a moment to an id is a source too.
pub trait IdSource: Send + Sync + 'static {
    /// An id of the moment's millisecond that was never given before.
    fn event_id(&self, ts: Timestamp) -> EventId;
}

impl<F: Fn(Timestamp) -> EventId + Send + Sync + 'static> IdSource for F {
    fn event_id(&self, ts: Timestamp) -> EventId {
        self(ts)
    }
}

/// Random ids; while the moment stays the same, they rise in the order in which they are made.
///
/// Within a microsecond each id is the one before plus a random step (RFC 9562, section 6.2,
/// method 2), so that writers who know nothing of each other do not meet.
#[derive(Default)]
pub struct MonotonicIds {
    last: Mutex<Option<(Timestamp, u64)>>,
}

impl MonotonicIds {
    /// A source of its own sequence.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl IdSource for MonotonicIds {
    fn event_id(&self, ts: Timestamp) -> EventId {
        let mut rng = rand::rng();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let random = match *last {
            Some((moment, random)) if moment == ts => behind(random, rng.next_u32()),
            _ => rng.next_u64() >> 3,
        };
        *last = Some((ts, random));
        EventId::new(ts, random)
    }
}

/// The number of the next id of a moment: a step of at least 1 and at most 2³², from below 2⁶¹ on.
/// A microsecond has room for half a billion ids.
const fn behind(last: u64, random: u32) -> u64 {
    last + 1 + random as u64
}

impl fmt::Debug for MonotonicIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonotonicIds").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_moment_rise() {
        let ids = MonotonicIds::new();
        let ts = Timestamp::from_micros(1_700_000_000_000_000).unwrap();
        let made: Vec<_> = (0..10_000).map(|_| ids.event_id(ts)).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
        assert!(made.iter().all(|id| id.is_of(ts)));
    }

    #[test]
    fn no_id_comes_twice_whatever_the_random_numbers_are() {
        assert_eq!(behind(7, 0), 8);
        assert_eq!(behind(7, u32::MAX), 7 + (1 << 32));
    }

    #[test]
    fn two_sources_do_not_meet() {
        let ts = Timestamp::MIN;
        let (one, other) = (MonotonicIds::new(), MonotonicIds::new());
        let made: std::collections::BTreeSet<_> = (0..1_000)
            .flat_map(|_| [one.event_id(ts), other.event_id(ts)])
            .collect();
        assert_eq!(made.len(), 2_000);
    }
}

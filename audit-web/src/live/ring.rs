use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use audit_core::event::{AuditEvent, EventId};
use audit_core::reader::{Filter, FollowPosition, FollowedEvent};

use super::frame;

/// The events that were committed last, in the order of the store, each with a number in that order.
#[derive(Debug)]
pub(super) struct Ring {
    events: VecDeque<Kept>,
    /// The number of each event.
    numbers: HashMap<EventId, u64>,
    /// The number of the first event that is kept.
    begin: u64,
    n_bytes: usize,
    /// Behind everything that was looked at.
    position: FollowPosition,
}

/// An event, and what every stream sends of it.
#[derive(Clone, Debug)]
struct Kept {
    event: AuditEvent,
    position: FollowPosition,
    frame: Arc<str>,
}

/// What a stream takes from a ring at once.
#[derive(Debug)]
pub(super) struct Taken {
    /// What to send.
    pub(super) frames: Vec<Arc<str>>,
    /// The number behind what was looked at.
    pub(super) next: u64,
    /// The position behind what was looked at.
    pub(super) position: FollowPosition,
}

/// A number that the ring has no more: so many events were committed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overrun {
    pub(super) n_events: u64,
}

/// The most events that are kept.
const MOST_EVENTS: usize = 2_048;
/// The most bytes of the events that are kept.
const MOST_BYTES: usize = 16 << 20;
/// The most events that are looked at before a stream lets others have their turn.
const MOST_AT_ONCE: usize = 256;

impl Ring {
    /// Keeps what comes behind this position.
    pub(super) fn new(position: FollowPosition) -> Self {
        Self {
            events: VecDeque::new(),
            numbers: HashMap::new(),
            begin: 0,
            n_bytes: 0,
            position,
        }
    }

    /// Takes what the store gave next.
    pub(super) fn push(&mut self, events: Vec<FollowedEvent>, position: FollowPosition) {
        for FollowedEvent {
            position, event, ..
        } in events
        {
            self.numbers.insert(event.id, self.end());
            self.n_bytes += event.size_in_memory();
            let frame = frame::event(&position, &event).into();
            self.events.push_back(Kept {
                event,
                position,
                frame,
            });
        }
        self.position = position;
        while self.events.len() > MOST_EVENTS || self.n_bytes > MOST_BYTES {
            self.forget_oldest();
        }
    }

    /// Forgets everything and goes on behind this position. Every number that was given before is
    /// overrun by that.
    pub(super) fn restart(&mut self, position: FollowPosition) {
        let behind_all = self.end() + 1;
        *self = Self {
            begin: behind_all,
            ..Self::new(position)
        };
    }

    /// The number that the next event gets.
    pub(super) fn end(&self) -> u64 {
        // What is in memory can be counted.
        self.begin + u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }

    /// Behind everything that was looked at.
    pub(super) fn position(&self) -> &FollowPosition {
        &self.position
    }

    /// The number of an event that is kept.
    pub(super) fn number_of(&self, id: EventId) -> Option<u64> {
        self.numbers.get(&id).copied()
    }

    /// The number behind a position that is known.
    pub(super) fn behind(&self, position: &FollowPosition) -> Option<u64> {
        if self.position == *position {
            return Some(self.end());
        }
        let at = self.events.iter().rposition(|it| it.position == *position);
        at.and_then(|at| u64::try_from(at).ok())
            .map(|at| self.begin + at + 1)
    }

    /// The matching events from this number on; `None` where nothing more is there.
    ///
    /// # Errors
    /// The ring has no more what comes first.
    pub(super) fn take(&self, from: u64, filter: &Filter) -> Result<Option<Taken>, Overrun> {
        let Some(skipped) = from.checked_sub(self.begin) else {
            return Err(Overrun {
                n_events: self.end() - from,
            });
        };
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        let rest = self.events.iter().skip(skipped).take(MOST_AT_ONCE);
        let mut taken: Option<Taken> = None;
        for (kept, next) in rest.zip(from + 1..) {
            let taken = taken.get_or_insert_with(|| Taken {
                frames: Vec::new(),
                next,
                position: kept.position.clone(),
            });
            taken.next = next;
            taken.position = kept.position.clone();
            if filter.matches(&kept.event) {
                taken.frames.push(Arc::clone(&kept.frame));
            }
        }
        Ok(taken)
    }

    fn forget_oldest(&mut self) {
        let Some(kept) = self.events.pop_front() else {
            return;
        };
        self.numbers.remove(&kept.event.id);
        self.n_bytes -= kept.event.size_in_memory();
        self.begin += 1;
    }
}

#[cfg(test)]
mod tests {
    use audit_testkit::fixture;

    use super::*;

    fn position(number: u64) -> FollowPosition {
        FollowPosition::new(format!("p{number}")).unwrap()
    }

    fn followed(number: u64) -> FollowedEvent {
        FollowedEvent::new(position(number), fixture::event(number))
    }

    fn ring(numbers: std::ops::RangeInclusive<u64>) -> Ring {
        let mut ring = Ring::new(position(0));
        let end = position(*numbers.end());
        ring.push(numbers.map(followed).collect(), end);
        ring
    }

    #[test]
    fn a_stream_takes_what_is_behind_its_number() {
        let ring = ring(1..=3);
        let taken = ring.take(1, &Filter::all()).unwrap().unwrap();
        assert_eq!(taken.frames.len(), 2);
        assert_eq!((taken.next, taken.position), (3, position(3)));
        assert!(ring.take(3, &Filter::all()).unwrap().is_none());
        assert_eq!(ring.behind(&position(1)), Some(1));
        assert_eq!(ring.behind(&position(3)), Some(3));
        assert_eq!(ring.behind(&position(9)), None);
    }

    #[test]
    fn what_does_not_match_is_passed_over_and_not_looked_at_again() {
        let ring = ring(1..=3);
        let none = Filter::parse("tool:nothing", fixture::moment(0)).unwrap();
        let taken = ring.take(0, &none).unwrap().unwrap();
        assert_eq!((taken.frames.len(), taken.next), (0, 3));
    }

    #[test]
    fn a_stream_that_is_too_late_is_told_how_far_it_is_behind() {
        let most = u64::try_from(MOST_EVENTS).unwrap();
        let ring = ring(1..=most + 10);
        let overrun = ring.take(9, &Filter::all()).unwrap_err();
        assert_eq!(overrun.n_events, most + 1);
        let taken = ring.take(10, &Filter::all()).unwrap().unwrap();
        assert_eq!(taken.frames.len(), MOST_AT_ONCE);
        assert_eq!(ring.number_of(fixture::event_id(10)), None);
        assert_eq!(ring.number_of(fixture::event_id(11)), Some(10));
    }
}

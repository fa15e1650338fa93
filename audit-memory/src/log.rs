//! The events that are held: by commit for followers, by id for the list.

use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::vec_deque::{Iter, VecDeque};
use std::ops::Bound;

use audit_core::event::{AuditEvent, EventId};
use audit_core::reader::Scan;
use audit_core::sink::{Receipt, Refusal};

use crate::config::MemoryConfig;

/// The events in the order of commit, with an index by id.
///
/// A position counts the events that were ever committed before it, so it stays true when the
/// oldest are forgotten. The index holds positions: a second handle for each event would cost a
/// counter that all callers share.
#[derive(Default)]
pub(crate) struct Log {
    events: VecDeque<AuditEvent>,
    by_id: BTreeMap<EventId, u64>,
    n_forgotten: u64,
    bytes: usize,
}

impl Log {
    /// Takes one event, unless it is there or can never be held.
    pub(crate) fn insert(&mut self, bounds: &MemoryConfig, event: &AuditEvent) -> Receipt {
        let end = self.end();
        match self.by_id.entry(event.id) {
            Entry::Occupied(held) => {
                let index = index_of(*held.get(), self.n_forgotten);
                if self
                    .events
                    .get(index)
                    .is_some_and(|held| held.is_same_fact(event))
                {
                    return Receipt::AlreadyStored;
                }
                Receipt::Refused(Refusal::conflict())
            }
            Entry::Vacant(place) => {
                let bytes = event.size_in_memory();
                if !bounds.holds_alone(bytes) {
                    let reason = "the event is larger than the whole store";
                    return Receipt::Refused(Refusal::unstorable(reason));
                }
                place.insert(end);
                self.events.push_back(event.clone());
                self.bytes += bytes;
                Receipt::Stored
            }
        }
    }

    /// Takes back what was committed from a position on.
    pub(crate) fn roll_back(&mut self, position: u64) {
        while self.end() > position {
            let Some(event) = self.events.pop_back() else {
                return;
            };
            self.drop_index(&event);
        }
    }

    pub(crate) fn forget_oldest(&mut self) {
        if let Some(event) = self.events.pop_front() {
            self.n_forgotten += 1;
            self.drop_index(&event);
        }
    }

    pub(crate) fn get(&self, id: EventId) -> Option<&AuditEvent> {
        let position = *self.by_id.get(&id)?;
        self.events.get(index_of(position, self.n_forgotten))
    }

    /// The events in the order of commit.
    pub(crate) fn iter(&self) -> Iter<'_, AuditEvent> {
        self.events.iter()
    }

    /// The events behind a position, each with the position behind it.
    pub(crate) fn behind(&self, position: u64) -> impl Iterator<Item = (u64, &AuditEvent)> {
        let index = index_of(position, self.n_forgotten);
        let rest = self.events.iter().skip(index);
        (position + 1..).zip(rest)
    }

    /// The events in the order of a list.
    pub(crate) fn scan(&self, scan: Scan) -> Box<dyn Iterator<Item = &AuditEvent> + '_> {
        let from = scan.bound.map_or(Bound::Unbounded, Bound::Excluded);
        let event = |(_, position): (_, &u64)| {
            let index = index_of(*position, self.n_forgotten);
            self.events.get(index)
        };
        if scan.is_ascending {
            let rising = self.by_id.range((from, Bound::Unbounded));
            return Box::new(rising.filter_map(event));
        }
        let falling = self.by_id.range((Bound::Unbounded, from)).rev();
        Box::new(falling.filter_map(event))
    }

    /// The position of the oldest event that is held.
    pub(crate) const fn begin(&self) -> u64 {
        self.n_forgotten
    }

    /// The position behind everything that was committed.
    pub(crate) fn end(&self) -> u64 {
        // A count of what is in memory fits.
        self.n_forgotten + u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }

    pub(crate) fn n_events(&self) -> usize {
        self.events.len()
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn drop_index(&mut self, event: &AuditEvent) {
        self.by_id.remove(&event.id);
        self.bytes -= event.size_in_memory();
    }
}

/// Where an event of a position stands among those that are held.
fn index_of(position: u64, n_forgotten: u64) -> usize {
    // Beyond the address space there is nothing held.
    usize::try_from(position.saturating_sub(n_forgotten)).unwrap_or(usize::MAX)
}

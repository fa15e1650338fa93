use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::acknowledgement::Answers;
use super::loss::{Loss, LossReason};
use super::room::{self, Reservation, Room};
use crate::error::Error;
use crate::event::{AuditEvent, Seq};

/// Records on their way to the sink, numbered as they enter.
///
/// A record holds its room until the sink has answered: what a batch in flight holds counts too.
#[derive(Debug)]
pub(super) struct Queue {
    room: Arc<Room>,
    state: Mutex<State>,
    changed: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    entries: VecDeque<Entry>,
    next: Seq,
    phase: Phase,
    usage: Usage,
    /// When the first record of each batch in flight entered.
    in_flight: Vec<Duration>,
}

/// Whether the queue takes records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Calls may begin.
    Open,
    /// No call may begin; those that have begun may enter.
    Draining,
    /// Nothing may enter.
    Closed,
}

/// A record in the queue, with the room it takes.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) event: AuditEvent,
    pub(super) answers: Answers,
    /// What it takes in memory.
    bytes: usize,
    pub(super) origin: Origin,
    /// When it entered, by the logger's monotonic clock.
    pub(super) entered: Duration,
}

/// What a record takes in the queue beside itself: its entry, the batch's handle to it, and the
/// channel to whoever waits for its answer.
pub(super) const ENTRY: usize = size_of::<Entry>() + size_of::<AuditEvent>() + 128;

/// What the batcher does next.
#[derive(Debug)]
pub(super) enum Next {
    /// Store these.
    Batch(Vec<Entry>),
    /// Look again at what may be there beside the queue.
    Changed,
    /// The queue is empty, and no call can enter it any more.
    Drained,
}

/// Where a record comes from.
#[derive(Debug)]
pub(super) enum Origin {
    /// From a call, with what it holds of its reservation.
    Call {
        reserved_bytes: usize,
        /// Whether it was on record before its tool ran.
        is_announced: bool,
    },
    /// From the log of intents: a call of a logger that died.
    Interrupted,
    /// From the logger itself: it tells this loss.
    Loss(LossReason, Loss),
}

/// What the queue and the batch in flight hold.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    pub(super) events: usize,
    pub(super) bytes: usize,
    pub(super) most_events: usize,
    pub(super) most_bytes: usize,
    /// When the oldest of them entered.
    pub(super) oldest: Option<Duration>,
}

/// A record on its way into the queue.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) event: AuditEvent,
    pub(super) answers: Answers,
    pub(super) entered: Duration,
}

impl Queue {
    pub(super) fn new(max_events: usize, max_bytes: usize) -> Self {
        let changed = Arc::new(Notify::new());
        Self {
            room: Room::new(max_events, max_bytes, Arc::clone(&changed)),
            state: Mutex::new(State {
                entries: VecDeque::new(),
                next: Seq::FIRST,
                phase: Phase::Open,
                usage: Usage::default(),
                in_flight: Vec::new(),
            }),
            changed,
        }
    }

    /// Where calls reserve room.
    pub(super) fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// Numbers a record and takes it in.
    pub(super) fn push(
        &self,
        arrival: Arrival,
        reservation: Reservation,
        is_announced: bool,
    ) -> Result<(), Error> {
        let bytes = arrival.event.size_in_memory() + ENTRY;
        let entered = reservation.spend(bytes, |reserved_bytes| {
            let origin = Origin::Call {
                reserved_bytes,
                is_announced,
            };
            self.lock().enter(arrival.into_entry(bytes, origin))
        });
        match entered {
            Ok(was_empty) => {
                if was_empty {
                    self.changed.notify_one();
                }
                Ok(())
            }
            Err(entry) => {
                self.give_back([&entry]);
                Err(room::closed())
            }
        }
    }

    /// Takes in a record of the logger's own, beside the limits: there is one for each reason of
    /// loss at the most, and a batch of calls that were interrupted. `false` if the queue was
    /// closed.
    pub(super) fn push_own(&self, event: AuditEvent, origin: Origin, entered: Duration) -> bool {
        let bytes = event.size_in_memory() + ENTRY;
        let arrival = Arrival {
            event,
            answers: Answers::default(),
            entered,
        };
        self.lock().enter(arrival.into_entry(bytes, origin)).is_ok()
    }

    /// What there is to do next, as soon as there is something.
    ///
    /// Cancel safe: nothing is taken out before it is returned.
    pub(super) async fn next(&self, max_events: usize, max_bytes: usize) -> Next {
        if let Some(next) = self.ready(max_events, max_bytes) {
            return next;
        }
        // Whatever changes from here on leaves a permit.
        self.changed.notified().await;
        self.ready(max_events, max_bytes).unwrap_or(Next::Changed)
    }

    /// Tells whoever waits for the next batch that something happened beside it.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    /// A batch is over, of which the first record entered then. Takes back its open records, before
    /// all others.
    pub(super) fn put_back(&self, since: Option<Duration>, open: Vec<Entry>) {
        let mut state = self.lock();
        let place = state.in_flight.iter().position(|it| Some(*it) == since);
        if let Some(place) = place {
            state.in_flight.swap_remove(place);
        }
        for entry in open.into_iter().rev() {
            state.entries.push_front(entry);
        }
    }

    /// Forgets records that the sink answered for, and gives back their room.
    pub(super) fn release(&self, settled: &[Entry]) {
        {
            let usage = &mut self.lock().usage;
            usage.events -= settled.len();
            usage.bytes -= settled.iter().map(|entry| entry.bytes).sum::<usize>();
        }
        self.give_back(settled);
    }

    /// Lets no further call begin.
    pub(super) fn drain(&self) {
        // Before the phase: a call that got its room in between is counted as open already.
        self.room.close();
        {
            let mut state = self.lock();
            if state.phase == Phase::Open {
                state.phase = Phase::Draining;
            }
        }
        self.changed.notify_one();
    }

    /// Lets nothing enter any more, and gives out what is left.
    pub(super) fn close(&self) -> Vec<Entry> {
        self.drain();
        let mut state = self.lock();
        state.phase = Phase::Closed;
        state.entries.drain(..).collect()
    }

    pub(super) fn usage(&self) -> Usage {
        let state = self.lock();
        let first_queued = state.entries.front().map(|entry| entry.entered);
        Usage {
            oldest: state.in_flight.iter().copied().chain(first_queued).min(),
            ..state.usage
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.lock().phase == Phase::Open
    }

    fn ready(&self, max_events: usize, max_bytes: usize) -> Option<Next> {
        let mut state = self.lock();
        if !state.entries.is_empty() {
            return Some(Next::Batch(state.leave(max_events, max_bytes)));
        }
        let is_drained = state.phase != Phase::Open && self.room.n_open() == 0;
        is_drained.then_some(Next::Drained)
    }

    fn give_back<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>) {
        let (mut n_events, mut n_bytes) = (0, 0);
        for entry in entries {
            if let Origin::Call { reserved_bytes, .. } = entry.origin {
                n_events += 1;
                n_bytes += reserved_bytes;
            }
        }
        self.room.give_back(n_events, n_bytes);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrival {
    fn into_entry(self, bytes: usize, origin: Origin) -> Entry {
        Entry {
            event: self.event,
            answers: self.answers,
            bytes,
            origin,
            entered: self.entered,
        }
    }
}

impl State {
    /// Numbers a record and takes it in; tells whether the queue was empty. The record comes back
    /// if the queue is closed.
    fn enter(&mut self, mut entry: Entry) -> Result<bool, Entry> {
        if self.phase == Phase::Closed {
            return Err(entry);
        }
        entry.event.set_seq(self.next);
        self.next = self.next.next();
        let usage = &mut self.usage;
        usage.events += 1;
        usage.bytes += entry.bytes;
        usage.most_events = std::cmp::max(usage.most_events, usage.events);
        usage.most_bytes = std::cmp::max(usage.most_bytes, usage.bytes);
        let was_empty = self.entries.is_empty();
        self.entries.push_back(entry);
        Ok(was_empty)
    }

    /// The first records, as many as a batch takes, at least one.
    fn leave(&mut self, max_events: usize, max_bytes: usize) -> Vec<Entry> {
        let mut bytes = 0;
        let fits = |entry: &&Entry| {
            bytes += entry.bytes;
            bytes <= max_bytes
        };
        let n_fitting = self
            .entries
            .iter()
            .take(max_events)
            .take_while(fits)
            .count();
        let n_taken = std::cmp::max(n_fitting, 1);
        let first = self.entries.front().map(|entry| entry.entered);
        self.in_flight.extend(first);
        self.entries.drain(..n_taken).collect()
    }
}

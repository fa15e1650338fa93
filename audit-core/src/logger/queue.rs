use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use super::acknowledgement::Answer;
use super::builder::Overload;
use super::loss::{Loss, LossReason};
use crate::error::{Error, ErrorKind};
use crate::event::{AuditEvent, Seq};

/// Records on their way to the sink: bounded by count and bytes, numbered as they enter.
///
/// Room is reserved before it is used, and given back when the sink has answered: what a batch in
/// flight holds counts too.
#[derive(Debug)]
pub(super) struct Queue {
    slots: Semaphore,
    bytes: Semaphore,
    /// Calls that hold or wait for room and have not entered yet.
    n_open: AtomicUsize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    entries: VecDeque<Entry>,
    next: Seq,
    phase: Phase,
    usage: Usage,
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
    pub(super) answer: Option<Answer>,
    /// What it takes in memory.
    bytes: usize,
    pub(super) origin: Origin,
}

/// Where a record comes from.
#[derive(Debug)]
pub(super) enum Origin {
    /// From a call, with what it holds of its reservation.
    Call { reserved_bytes: usize },
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
}

/// Room in the queue for one record; given back when dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    queue: Arc<Queue>,
    bytes: u32,
    is_spent: bool,
}

impl Queue {
    pub(super) fn new(max_events: usize, max_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            slots: Semaphore::new(max_events),
            bytes: Semaphore::new(max_bytes),
            n_open: AtomicUsize::new(0),
            state: Mutex::new(State {
                entries: VecDeque::new(),
                next: Seq::FIRST,
                phase: Phase::Open,
                usage: Usage::default(),
            }),
            changed: Notify::new(),
        })
    }

    /// Room for a record of at most `bytes`; `None` if there is none and records are shed.
    pub(super) async fn reserve(
        self: &Arc<Self>,
        bytes: u32,
        overload: Overload,
    ) -> Result<Option<Reservation>, Error> {
        // Counted before room is asked for: whoever drains the queue waits for this call too.
        let open = OpenCount::new(self);
        if self.try_take(bytes)? {
            return Ok(Some(open.into_reservation(bytes)));
        }
        match overload {
            Overload::Reject => Err(overloaded("the audit queue is full")),
            Overload::Shed => Ok(None),
            Overload::Wait(max) => {
                self.take(bytes, max).await?;
                Ok(Some(open.into_reservation(bytes)))
            }
        }
    }

    /// Numbers a record and takes it in.
    pub(super) fn push(
        &self,
        event: AuditEvent,
        mut reservation: Reservation,
        answer: Option<Answer>,
    ) -> Result<(), Error> {
        let bytes = event.size_in_memory();
        let origin = Origin::Call {
            reserved_bytes: reservation.spend(bytes),
        };
        // What the reservation held is given back by the entry: here, or behind the sink.
        let entered = self.lock().enter(Entry {
            event,
            answer,
            bytes,
            origin,
        });
        self.call_ended();
        match entered {
            Ok(was_empty) => {
                if was_empty {
                    self.changed.notify_one();
                }
                Ok(())
            }
            Err(entry) => {
                self.give_back([&entry]);
                Err(closed())
            }
        }
    }

    /// Takes in a record of the logger's own, beside the limits: there is one for each reason of
    /// loss at the most. `false` if the queue was closed.
    pub(super) fn push_own(&self, event: AuditEvent, reason: LossReason, loss: Loss) -> bool {
        let bytes = event.size_in_memory();
        let origin = Origin::Loss(reason, loss);
        self.lock()
            .enter(Entry {
                event,
                answer: None,
                bytes,
                origin,
            })
            .is_ok()
    }

    /// The next batch, as soon as there is one; `None` when the queue was drained for good.
    ///
    /// Cancel safe: nothing is taken out before it is returned.
    pub(super) async fn next_batch(
        &self,
        max_events: usize,
        max_bytes: usize,
    ) -> Option<Vec<Entry>> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.lock();
                if !state.entries.is_empty() {
                    return Some(state.leave(max_events, max_bytes));
                }
                let is_last = self.n_open.load(Ordering::SeqCst) == 0;
                if state.phase != Phase::Open && is_last {
                    state.phase = Phase::Closed;
                    return None;
                }
            }
            changed.await;
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
        self.slots.close();
        self.bytes.close();
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
        self.lock().usage
    }

    pub(super) fn n_open(&self) -> usize {
        self.n_open.load(Ordering::SeqCst)
    }

    pub(super) fn is_open(&self) -> bool {
        self.lock().phase == Phase::Open
    }

    /// Both kinds of room at once, or neither.
    fn try_take(&self, bytes: u32) -> Result<bool, Error> {
        use tokio::sync::TryAcquireError::{Closed, NoPermits};

        let slot = match self.slots.try_acquire() {
            Ok(slot) => slot,
            Err(NoPermits) => return Ok(false),
            Err(Closed) => return Err(closed()),
        };
        match self.bytes.try_acquire_many(bytes) {
            Ok(room) => {
                slot.forget();
                room.forget();
                Ok(true)
            }
            Err(NoPermits) => Ok(false),
            Err(Closed) => Err(closed()),
        }
    }

    async fn take(&self, bytes: u32, max_wait: Duration) -> Result<(), Error> {
        let both = async {
            let slot = self.slots.acquire().await.map_err(|_| closed())?;
            let room = self.bytes.acquire_many(bytes).await.map_err(|_| closed())?;
            slot.forget();
            room.forget();
            Ok(())
        };
        tokio::time::timeout(max_wait, both)
            .await
            .unwrap_or_else(|_| {
                Err(overloaded(
                    "the audit queue stayed full for as long as a call may wait",
                ))
            })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>) {
        let (mut events, mut bytes) = (0, 0);
        for entry in entries {
            if let Origin::Call { reserved_bytes } = entry.origin {
                events += 1;
                bytes += reserved_bytes;
            }
        }
        self.bytes.add_permits(bytes);
        self.slots.add_permits(events);
    }

    fn call_ended(&self) {
        let was_last = self.n_open.fetch_sub(1, Ordering::SeqCst) == 1;
        // Whoever drains the queue waits for the last open call.
        if was_last && self.slots.is_closed() {
            self.changed.notify_one();
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
        self.entries.drain(..n_taken).collect()
    }
}

impl Reservation {
    /// Gives back what a record of this size does not need, and tells what it holds on to. The
    /// call is still open.
    fn spend(&mut self, bytes: usize) -> usize {
        self.is_spent = true;
        let reserved = usize::try_from(self.bytes).unwrap_or(0);
        let held = std::cmp::min(bytes, reserved);
        self.queue.bytes.add_permits(reserved - held);
        held
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.is_spent {
            return;
        }
        self.queue.slots.add_permits(1);
        self.queue
            .bytes
            .add_permits(usize::try_from(self.bytes).unwrap_or(0));
        self.queue.call_ended();
    }
}

/// Counts a call as open until it is dropped or has its room.
struct OpenCount<'a> {
    queue: &'a Arc<Queue>,
    is_handed_on: bool,
}

impl<'a> OpenCount<'a> {
    fn new(queue: &'a Arc<Queue>) -> Self {
        queue.n_open.fetch_add(1, Ordering::SeqCst);
        Self {
            queue,
            is_handed_on: false,
        }
    }

    fn into_reservation(mut self, bytes: u32) -> Reservation {
        self.is_handed_on = true;
        Reservation {
            queue: Arc::clone(self.queue),
            bytes,
            is_spent: false,
        }
    }
}

impl Drop for OpenCount<'_> {
    fn drop(&mut self) {
        if !self.is_handed_on {
            self.queue.call_ended();
        }
    }
}

pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the audit logger was shut down")
}

fn overloaded(message: &'static str) -> Error {
    Error::new(ErrorKind::Overloaded, message)
}

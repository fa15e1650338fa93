use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use audit_core::Error;
use audit_core::event::{AuditEvent, Timestamp};
use audit_core::sink::Receipt;
use tokio::sync::{Notify, oneshot, watch};

/// A place in a spool: the order in which it took batches.
pub(super) type Position = i64;

/// Whoever waits for the store's answer to a batch.
pub(super) type Ticket = oneshot::Sender<Result<Vec<Receipt>, Error>>;

/// What waits in a spool, as far as memory knows of it.
#[derive(Debug)]
pub(super) struct Backlog {
    state: Mutex<State>,
    window_bytes: usize,
    /// Something was added.
    pub(super) grew: Notify,
    /// Up to where everything was handed on.
    forwarded: watch::Sender<Position>,
}

#[derive(Debug, Default)]
struct State {
    /// What was spooled last, as long as it fits.
    window: VecDeque<Spooled>,
    window_bytes: usize,
    /// The last batch that was spooled.
    last: Position,
    n_events: u64,
    bytes: u64,
    /// When the oldest call began of what is sent next.
    oldest: Option<Timestamp>,
    tickets: HashMap<Position, Ticket>,
    /// Why the store did not take the last batch that was tried.
    trouble: Option<Error>,
}

/// A batch on its way.
#[derive(Debug)]
pub(super) struct Spooled {
    pub(super) position: Position,
    /// The batch before it.
    pub(super) behind: Position,
    pub(super) events: Vec<AuditEvent>,
    pub(super) bytes: u64,
    pub(super) spooled_at: Timestamp,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub(super) n_events: u64,
    pub(super) bytes: u64,
}

impl Backlog {
    pub(super) fn new(window_bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            window_bytes,
            grew: Notify::new(),
            forwarded: watch::Sender::new(0),
        }
    }

    /// A batch was spooled; whoever waits for the store has a ticket.
    pub(super) fn spooled(&self, batch: Spooled, ticket: Option<Ticket>) {
        {
            let mut state = self.lock();
            state.n_events += count(batch.events.len());
            state.bytes += batch.bytes;
            state.last = batch.position;
            if state.oldest.is_none() {
                state.oldest = batch.events.first().map(|event| event.ts);
            }
            if let Some(ticket) = ticket {
                state.tickets.insert(batch.position, ticket);
            }
            let window_bytes =
                state.window_bytes + usize::try_from(batch.bytes).unwrap_or(usize::MAX);
            // What does not fit is read back when its turn comes.
            if window_bytes <= self.window_bytes || state.window.is_empty() {
                state.window_bytes = window_bytes;
                state.window.push_back(batch);
            }
        }
        self.grew.notify_one();
    }

    /// Batches were found on the disk, up to this one.
    pub(super) fn found(&self, last: Position, size: Size, oldest: Option<Timestamp>) {
        {
            let mut state = self.lock();
            state.n_events += size.n_events;
            state.bytes += size.bytes;
            state.last = std::cmp::max(state.last, last);
            state.oldest = match (state.oldest, oldest) {
                (Some(a), Some(b)) => Some(std::cmp::min(a, b)),
                (a, b) => a.or(b),
            };
        }
        self.grew.notify_one();
    }

    /// What stands in memory directly behind a place, at most so many events, at least one batch.
    pub(super) fn next_in_window(&self, behind: Position, max_events: usize) -> Vec<Spooled> {
        let mut state = self.lock();
        let mut next = Vec::new();
        let mut n_events = 0;
        let mut behind = behind;
        while let Some(first) = state.window.front() {
            let is_passed = first.position <= behind;
            if !is_passed {
                let fits = next.is_empty() || n_events + first.events.len() <= max_events;
                if first.behind != behind || !fits {
                    break;
                }
            }
            let Some(batch) = state.window.pop_front() else {
                break;
            };
            let bytes = usize::try_from(batch.bytes).unwrap_or(usize::MAX);
            state.window_bytes = state.window_bytes.saturating_sub(bytes);
            if !is_passed {
                n_events += batch.events.len();
                behind = batch.position;
                next.push(batch);
            }
        }
        next
    }

    /// The batches up to here are being sent; this is when the oldest of their calls began.
    pub(super) fn sending(&self, oldest: Option<Timestamp>) {
        self.lock().oldest = oldest;
    }

    /// Everything up to here was handed on, and leaves the disk.
    pub(super) fn forwarded(&self, up_to: Position, gone: Size) {
        {
            let mut state = self.lock();
            state.n_events = state.n_events.saturating_sub(gone.n_events);
            state.bytes = state.bytes.saturating_sub(gone.bytes);
            state.trouble = None;
            if state.n_events == 0 {
                state.oldest = None;
            }
        }
        self.forwarded.send_replace(up_to);
    }

    /// Answers whoever waits for a batch.
    pub(super) fn answer(&self, position: Position, receipts: Vec<Receipt>) {
        let ticket = self.lock().tickets.remove(&position);
        if let Some(ticket) = ticket {
            // The caller may have left.
            drop(ticket.send(Ok(receipts)));
        }
    }

    /// Nobody waits for a batch any more.
    pub(super) fn forget(&self, position: Position) {
        drop(self.lock().tickets.remove(&position));
    }

    /// Nobody will be answered any more.
    pub(super) fn end(&self) {
        let tickets = std::mem::take(&mut self.lock().tickets);
        drop(tickets);
    }

    pub(super) fn failed(&self, error: Error) {
        self.lock().trouble = Some(error);
    }

    pub(super) fn trouble(&self) -> Option<Error> {
        self.lock().trouble.clone()
    }

    pub(super) fn size(&self) -> Size {
        let state = self.lock();
        Size {
            n_events: state.n_events,
            bytes: state.bytes,
        }
    }

    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.lock().oldest
    }

    /// The last batch that was spooled.
    pub(super) fn last(&self) -> Position {
        self.lock().last
    }

    /// Waits until everything up to here was handed on.
    pub(super) async fn wait_for(&self, position: Position) {
        let mut forwarded = self.forwarded.subscribe();
        // The sender lives as long as this value.
        drop(forwarded.wait_for(|forwarded| *forwarded >= position).await);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

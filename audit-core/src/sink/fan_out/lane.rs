use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, Sleep};

use super::meters::Meters;
use super::options::LaneOptions;
use super::parcel::Parcel;
use crate::contain::Contained;
use crate::error::{Error, ErrorKind};
use crate::event::AuditEvent;
use crate::sink::{Appended, AuditSink, Durability};
use crate::trouble::Throttle;

/// One sink of a fan-out, and what waits for it.
///
/// Parcels leave at the front, when they are settled: the one in flight counts against the bounds.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) name: String,
    pub(super) sink: Arc<dyn AuditSink>,
    /// Whether it brings a batch to its sink however long that takes.
    pub(super) keeps: bool,
    pub(super) deadline: Duration,
    pub(super) durability: Durability,
    pub(super) forwards: bool,
    pub(super) meters: Meters,
    /// Lines about what the sink missed.
    pub(super) misses: Throttle,
    max_events: usize,
    max_bytes: usize,
    queue: Mutex<Queue>,
    entered: Notify,
    state: watch::Sender<LaneState>,
}

#[derive(Debug, Default)]
struct Queue {
    parcels: VecDeque<Arc<Parcel>>,
    n_events: usize,
    bytes: usize,
    n_entered: u64,
    is_ended: bool,
}

/// What others wait for.
#[derive(Clone, Debug, Default)]
pub(super) struct LaneState {
    /// How many parcels have left the lane.
    pub(super) n_settled: u64,
    /// Why the last append failed, if it did.
    pub(super) trouble: Option<Error>,
    pub(super) ended: Option<Ended>,
}

/// How a lane ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// Events that it still held.
    pub(super) n_left: usize,
    pub(super) closed: Result<(), Error>,
}

/// What a lane says to a parcel that wants to enter.
pub(super) enum Entry {
    Entered,
    /// The sink does not work now; the parcel is in the lane all the same.
    Delayed(Error),
    Ended,
    Full,
}

impl Lane {
    pub(super) fn new(
        name: String,
        sink: Arc<dyn AuditSink>,
        keeps: bool,
        options: &LaneOptions,
        meters: Meters,
    ) -> Self {
        Self {
            durability: sink.durability(),
            forwards: sink.forwarding().is_some(),
            name,
            sink,
            keeps,
            deadline: options.deadline,
            meters,
            misses: Throttle::default(),
            max_events: options.events,
            max_bytes: options.bytes,
            queue: Mutex::default(),
            entered: Notify::new(),
            state: watch::Sender::new(LaneState::default()),
        }
    }

    /// Lets a parcel in. One alone may be larger than the bounds, or it would never get through.
    pub(super) fn enter(&self, parcel: &Arc<Parcel>) -> Entry {
        let mut queue = self.lock();
        if queue.is_ended {
            return Entry::Ended;
        }
        let n_events = queue.n_events.saturating_add(parcel.events().len());
        let bytes = queue.bytes.saturating_add(parcel.bytes());
        let is_full = n_events > self.max_events || bytes > self.max_bytes;
        if is_full && !queue.parcels.is_empty() {
            return Entry::Full;
        }
        queue.parcels.push_back(Arc::clone(parcel));
        queue.n_events = n_events;
        queue.bytes = bytes;
        queue.n_entered += 1;
        self.meters.holds(n_events, bytes);
        // Under the lock, or it could be that nobody tells it of the delay. What trying again does
        // not mend was the fate of another parcel.
        let trouble = self.state.borrow().trouble.clone();
        let trouble = trouble.filter(|error| self.keeps && error.is_retryable());
        drop(queue);
        self.entered.notify_one();
        trouble.map_or(Entry::Entered, |error| Entry::Delayed(self.named(error)))
    }

    /// The parcel in front, which stays there; waits for one.
    pub(super) async fn front(&self) -> Arc<Parcel> {
        loop {
            if let Some(parcel) = self.lock().parcels.front() {
                return Arc::clone(parcel);
            }
            self.entered.notified().await;
        }
    }

    /// Lets the parcel in front go.
    pub(super) fn settle_front(&self) {
        let mut queue = self.lock();
        if let Some(parcel) = queue.parcels.pop_front() {
            queue.n_events = queue.n_events.saturating_sub(parcel.events().len());
            queue.bytes = queue.bytes.saturating_sub(parcel.bytes());
        }
        self.meters.holds(queue.n_events, queue.bytes);
        drop(queue);
        self.state.send_modify(|state| state.n_settled += 1);
    }

    /// Lets every parcel go; those that were there.
    pub(super) fn settle_all(&self) -> VecDeque<Arc<Parcel>> {
        let mut queue = self.lock();
        self.empty(&mut queue)
    }

    /// Lets every parcel go, and none in again; those that were there.
    pub(super) fn end(&self) -> VecDeque<Arc<Parcel>> {
        let mut queue = self.lock();
        queue.is_ended = true;
        self.empty(&mut queue)
    }

    fn empty(&self, queue: &mut Queue) -> VecDeque<Arc<Parcel>> {
        let parcels = std::mem::take(&mut queue.parcels);
        (queue.n_events, queue.bytes) = (0, 0);
        self.meters.holds(0, 0);
        let n_parcels = u64::try_from(parcels.len()).unwrap_or(u64::MAX);
        self.state
            .send_modify(|state| state.n_settled = state.n_settled.saturating_add(n_parcels));
        parcels
    }

    /// Tells how it ended.
    pub(super) fn ended(&self, ended: Ended) {
        self.state.send_modify(|state| state.ended = Some(ended));
    }

    /// The last append went wrong, or no longer does; the parcels that wait. The parcels and the
    /// word about the sink belong together: a parcel that enters later hears it there.
    pub(super) fn set_trouble(&self, trouble: Option<&Error>) -> Vec<Arc<Parcel>> {
        let queue = self.lock();
        self.state
            .send_modify(|state| state.trouble = trouble.cloned());
        queue.parcels.iter().map(Arc::clone).collect()
    }

    pub(super) fn trouble(&self) -> Option<Error> {
        self.state.borrow().trouble.clone()
    }

    /// Events and bytes that wait, the ones in flight among them.
    pub(super) fn load(&self) -> (usize, usize) {
        let queue = self.lock();
        (queue.n_events, queue.bytes)
    }

    /// Waits until what is in the lane now has left it. Of a sink that others stand in for, no
    /// longer than this timer, unless the sink works.
    pub(super) async fn drained(&self, timer: Sleep) -> Result<(), Error> {
        let until = self.lock().n_entered;
        let mut states = self.state.subscribe();
        let is_over = |state: &LaneState| state.n_settled >= until || state.ended.is_some();
        let give_up = async {
            timer.await;
            let mut states = self.state.subscribe();
            let is_over = |state: &LaneState| self.keeps && state.trouble.is_some();
            // The sender lives as long as the lane.
            drop(states.wait_for(is_over).await);
        };
        let is_settled = tokio::select! {
            biased;
            state = states.wait_for(is_over) => state.is_ok_and(|state| state.n_settled >= until),
            () = give_up => false,
        };
        if is_settled {
            return Ok(());
        }
        Err(self.trouble().unwrap_or_else(gone))
    }

    /// Waits until the lane has ended.
    pub(super) async fn end_of_work(&self) -> Ended {
        let mut states = self.state.subscribe();
        let state = states.wait_for(|state| state.ended.is_some()).await;
        state
            .ok()
            .and_then(|state| state.ended.clone())
            .unwrap_or_else(|| Ended {
                n_left: 0,
                closed: Err(gone()),
            })
    }

    /// One append in time, its panics contained, with one receipt for each event.
    pub(super) async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let begun = Instant::now();
        let appended = self.in_time(|| self.sink.append(events)).await;
        self.meters.appended(begun.elapsed());
        let appended = appended?;
        if appended.receipts().len() == events.len() {
            return Ok(appended);
        }
        Err(Error::new(
            ErrorKind::Internal,
            "the sink did not answer for each event of a batch",
        ))
    }

    /// A call of the sink, in time, its panics contained.
    pub(super) async fn in_time<'a, T, F>(
        &self,
        call: impl FnOnce() -> F + Send + 'a,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let answer = tokio::time::timeout(self.deadline, Contained::new(call)).await;
        answer.unwrap_or_else(|_| {
            let text = "no answer before the deadline of the fan-out";
            Err(Error::new(ErrorKind::Timeout, text))
        })
    }

    /// The same error, with the name of the sink.
    pub(super) fn named(&self, error: Error) -> Error {
        let text = format!(
            "the sink `{}` of a fan-out does not keep the batch",
            self.name
        );
        Error::with_source(error.kind(), text, error)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gone() -> Error {
    let text = "the fan-out was closed, or its runtime ended, before its lane was empty";
    Error::new(ErrorKind::Closed, text)
}

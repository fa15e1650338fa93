use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use super::lane::{Entry, Lane};
use super::parcel::{Miss, Parcel, Reason, State};
use super::rule::FanOutRule;
use crate::error::{Error, ErrorKind};
use crate::event::{AuditEvent, EventId};
use crate::sink::Receipt;

/// What a fan-out shares with its lanes.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) rule: FanOutRule,
    pub(super) lanes: Vec<Lane>,
    pub(super) runtime: Handle,
    pub(super) closing: watch::Sender<Option<Closing>>,
    begun: Instant,
    entrance: Mutex<Entrance>,
}

/// The fan-out ends: its lanes bring what they have, and end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closing {
    /// How long that may take.
    pub(super) within: Duration,
    /// Whether the sinks are closed behind it.
    pub(super) closes_sinks: bool,
}

/// Where batches enter all lanes, in the same order.
#[derive(Debug, Default)]
struct Entrance {
    is_closed: bool,
    /// Parcels whose append failed, or was dropped, while a lane still has them, by their first
    /// event: the same batch is expected again, and would fill the lane with repeats.
    left: HashMap<EventId, Arc<Parcel>>,
}

/// A parcel for which an append waits.
#[derive(Debug)]
pub(super) struct Awaited<'a> {
    shared: &'a Shared,
    parcel: Arc<Parcel>,
    is_answered: bool,
}

impl Shared {
    pub(super) fn new(rule: FanOutRule, lanes: Vec<Lane>, runtime: Handle) -> Self {
        Self {
            rule,
            lanes,
            runtime,
            closing: watch::Sender::new(None),
            begun: Instant::now(),
            entrance: Mutex::default(),
        }
    }

    /// Lets a batch into every lane that has room.
    ///
    /// There is no await in here: a batch is in its lanes, or in none.
    pub(super) fn enter(&self, events: &[AuditEvent]) -> Result<Awaited<'_>, Error> {
        let mut entrance = self.lock();
        entrance.check_open()?;
        let (parcel, places) = entrance.take_over(events).unwrap_or_else(|| {
            let n_lanes = self.lanes.len();
            (
                Arc::new(Parcel::new(events, n_lanes)),
                (0..n_lanes).collect(),
            )
        });
        for place in places {
            match self.lanes[place].enter(&parcel) {
                Entry::Entered => {}
                Entry::Delayed(error) => parcel.delay(place, &error),
                Entry::Full => self.miss(place, &parcel, full(), Reason::Full),
                Entry::Ended => self.miss(place, &parcel, ended(), Reason::Closed),
            }
        }
        drop(entrance);
        Ok(Awaited {
            shared: self,
            parcel,
            is_answered: false,
        })
    }

    /// Whether appends are let in.
    pub(super) fn check_open(&self) -> Result<(), Error> {
        self.lock().check_open()
    }

    /// Lets nothing in from now on, and lets the lanes end. Who comes second changes nothing.
    pub(super) fn close(&self, closing: Closing) {
        self.lock().is_closed = true;
        self.closing.send_if_modified(|is_closing| {
            let is_first = is_closing.is_none();
            is_closing.get_or_insert(closing);
            is_first
        });
    }

    /// A parcel left its lane, and its sink does not have it.
    pub(super) fn miss(&self, place: usize, parcel: &Arc<Parcel>, error: Error, reason: Reason) {
        let error = self.lanes[place].named(error);
        let misses = parcel.note(self.rule, place, State::Missed(error, reason));
        self.tell(&misses);
    }

    /// A parcel left its lane, and its sink answered.
    pub(super) fn answered(&self, place: usize, parcel: &Arc<Parcel>, state: State) {
        let misses = parcel.note(self.rule, place, state);
        self.tell(&misses);
    }

    /// Forgets a parcel that no lane has any more. Not for whoever enters it.
    pub(super) fn forget(&self, parcel: &Arc<Parcel>) {
        let Some(first) = parcel.events().first() else {
            return;
        };
        let left = &mut self.lock().left;
        if let Some(known) = left.get(&first.id)
            && Arc::ptr_eq(known, parcel)
            && !known.is_left_on_its_way()
        {
            left.remove(&first.id);
        }
    }

    fn tell(&self, misses: &[Miss]) {
        for Miss {
            place,
            reason,
            n_events,
        } in misses
        {
            let lane = &self.lanes[*place];
            lane.meters
                .missed(*reason, u64::try_from(*n_events).unwrap_or(u64::MAX));
            let Some(n_held_back) = lane.misses.admits(self.begun.elapsed()) else {
                continue;
            };
            let (sink, reason) = (&*lane.name, reason.as_str());
            let n_missed = lane.meters.n_missed();
            tracing::error!(
                sink,
                reason,
                n_events,
                n_missed,
                n_held_back,
                "a sink of a fan-out misses audit events that others keep"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entrance> {
        self.entrance.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entrance {
    fn check_open(&self) -> Result<(), Error> {
        if self.is_closed {
            return Err(Error::new(ErrorKind::Closed, "the fan-out is closed"));
        }
        Ok(())
    }

    /// The parcel of the same events that is still on its way, and the lanes it has to enter anew.
    fn take_over(&mut self, events: &[AuditEvent]) -> Option<(Arc<Parcel>, Vec<usize>)> {
        let first = events.first()?.id;
        // Handles to the same records compare as pointers.
        let parcel = self.left.get(&first).filter(|it| it.events() == events)?;
        let places = parcel.take_over()?;
        Some((self.left.remove(&first)?, places))
    }
}

impl Awaited<'_> {
    /// The receipts, and the parcel for those who wait for the last stores. Should the batch come
    /// again, it is another append: what was told as stored is there then.
    pub(super) async fn answer(mut self) -> Result<(Vec<Receipt>, Arc<Parcel>), Error> {
        let receipts = self.parcel.answer(self.shared.rule).await?;
        self.is_answered = true;
        Ok((receipts, Arc::clone(&self.parcel)))
    }
}

impl Drop for Awaited<'_> {
    /// An append that failed or was dropped comes again.
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let mut entrance = self.shared.lock();
        self.parcel.leave();
        if self.parcel.is_left_on_its_way()
            && let Some(first) = self.parcel.events().first()
        {
            entrance.left.insert(first.id, Arc::clone(&self.parcel));
        }
    }
}

fn full() -> Error {
    Error::new(ErrorKind::Unavailable, "the lane of the sink is full")
}

fn ended() -> Error {
    Error::new(ErrorKind::Closed, "the lane of the sink has ended")
}

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::rule::{FanOutRule, Word};
use crate::error::Error;
use crate::event::AuditEvent;
use crate::sink::{LastAnswer, Receipt};

/// A batch on its way to every sink, and how far it has come with each.
#[derive(Debug)]
pub(super) struct Parcel {
    events: Vec<AuditEvent>,
    bytes: usize,
    progress: Mutex<Progress>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Progress {
    /// Whether an append waits for the answer.
    is_awaited: bool,
    of_lanes: Vec<OfLane>,
}

/// How far a parcel has come with one sink.
#[derive(Debug)]
struct OfLane {
    state: State,
    /// How many of the events were counted as missed by this sink.
    n_counted: usize,
}

/// Where a parcel is for one sink.
#[derive(Debug)]
pub(super) enum State {
    /// The sink answered: what it keeps and what it refuses.
    Answered {
        receipts: Vec<Receipt>,
        last: Option<LastAnswer>,
    },
    /// In the lane of a sink that does not work now; it is tried again.
    Delayed(Error),
    /// Not in the lane, and the sink does not have it.
    Missed(Error, Reason),
    /// In the lane.
    Waiting,
}

/// The receipts of a sink, and what its last store will say; or why it does not have the batch.
pub(super) type Final = Result<(Vec<Receipt>, Option<LastAnswer>), Error>;

/// Why a sink has not what others keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The fan-out was closed before its lane was empty.
    Closed,
    /// The sink failed in a way that trying again does not mend.
    Failed,
    /// The lane was full.
    Full,
    /// The sink refuses the event.
    Refused,
}

/// Events that a sink turned out to miss.
#[derive(Debug)]
pub(super) struct Miss {
    pub(super) place: usize,
    pub(super) reason: Reason,
    pub(super) n_events: usize,
}

impl Parcel {
    pub(super) fn new(events: &[AuditEvent], n_lanes: usize) -> Self {
        let of_lanes = (0..n_lanes).map(|_| OfLane {
            state: State::Waiting,
            n_counted: 0,
        });
        Self {
            events: events.to_vec(),
            bytes: events.iter().map(AuditEvent::size_in_memory).sum(),
            progress: Mutex::new(Progress {
                is_awaited: true,
                of_lanes: of_lanes.collect(),
            }),
            changed: watch::Sender::new(()),
        }
    }

    pub(super) fn events(&self) -> &[AuditEvent] {
        &self.events
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether an append that comes again could take it over: a lane has it, and nobody waits.
    pub(super) fn is_left_on_its_way(&self) -> bool {
        let progress = self.lock();
        !progress.is_awaited && progress.is_on_its_way()
    }

    /// Takes over a parcel whose append ended before its lanes did, for an append of the same
    /// events: the places of the lanes that it is not in and that do not have it. `None` if somebody
    /// waits for it.
    pub(super) fn take_over(&self) -> Option<Vec<usize>> {
        let mut progress = self.lock();
        if progress.is_awaited {
            return None;
        }
        progress.is_awaited = true;
        let mut places = Vec::new();
        for (place, lane) in progress.of_lanes.iter_mut().enumerate() {
            if matches!(lane.state, State::Missed(..)) {
                lane.state = State::Waiting;
                places.push(place);
            }
        }
        Some(places)
    }

    /// Nobody waits any more.
    pub(super) fn leave(&self) {
        self.lock().is_awaited = false;
    }

    /// Notes how far it has come with one sink; what sinks turn out to miss by that.
    pub(super) fn note(&self, rule: FanOutRule, place: usize, state: State) -> Vec<Miss> {
        let mut progress = self.lock();
        progress.of_lanes[place].state = state;
        let misses = progress.misses(rule, self.events.len());
        drop(progress);
        self.changed.send_replace(());
        misses
    }

    /// The sink of this lane does not work now.
    pub(super) fn delay(&self, place: usize, error: &Error) {
        let mut progress = self.lock();
        let lane = &mut progress.of_lanes[place];
        if !lane.state.is_in_lane() {
            return;
        }
        lane.state = State::Delayed(error.clone());
        drop(progress);
        self.changed.send_replace(());
    }

    /// The sink of this lane works again: what it says to this parcel is open.
    pub(super) fn reopen(&self, place: usize) {
        let lane = &mut self.lock().of_lanes[place];
        if matches!(lane.state, State::Delayed(_)) {
            lane.state = State::Waiting;
        }
    }

    /// Waits until the rule can tell what the append answers.
    pub(super) async fn answer(&self, rule: FanOutRule) -> Result<Vec<Receipt>, Error> {
        let mut changes = self.changes();
        loop {
            let decided = rule.decide(self.events.len(), &self.lock().words());
            if let Some(answer) = decided {
                return answer;
            }
            // The sender lives as long as the parcel.
            drop(changes.changed().await);
        }
    }

    /// Tells of every change from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// What each sink said so far, if it is final, with the answers of last stores that are still to
    /// come: whoever takes these waits for them.
    pub(super) fn take_answers(&self) -> Vec<Option<Final>> {
        let mut progress = self.lock();
        let lanes = progress.of_lanes.iter_mut();
        lanes
            .map(|lane| match &mut lane.state {
                State::Answered { receipts, last } => Some(Ok((receipts.clone(), last.take()))),
                State::Missed(error, _) => Some(Err(error.clone())),
                State::Delayed(_) | State::Waiting => None,
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn is_on_its_way(&self) -> bool {
        self.of_lanes.iter().any(|lane| lane.state.is_in_lane())
    }

    fn words(&self) -> Vec<Word<'_>> {
        let lanes = self.of_lanes.iter();
        lanes.map(|lane| lane.state.word()).collect()
    }

    /// Counts what the answer of the rule says is kept, and one sink does not have. Each event is
    /// counted once for a sink.
    fn misses(&mut self, rule: FanOutRule, n_events: usize) -> Vec<Miss> {
        if self.of_lanes.iter().all(|lane| !lane.state.may_miss()) {
            return Vec::new();
        }
        let words = self.words();
        let kept: Vec<_> = (0..n_events)
            .map(|event| rule.is_kept(event, &words))
            .collect();
        let mut misses = Vec::new();
        for (place, lane) in self.of_lanes.iter_mut().enumerate() {
            let (n_missed, reason) = lane.state.missed(&kept);
            if n_missed > lane.n_counted {
                let n_events = n_missed - lane.n_counted;
                lane.n_counted = n_missed;
                misses.push(Miss {
                    place,
                    reason,
                    n_events,
                });
            }
        }
        misses
    }
}

impl State {
    fn is_in_lane(&self) -> bool {
        matches!(self, Self::Delayed(_) | Self::Waiting)
    }

    fn word(&self) -> Word<'_> {
        match self {
            Self::Answered { receipts, .. } => Word::Answered(receipts),
            Self::Delayed(error) | Self::Missed(error, _) => Word::Failed(error),
            Self::Waiting => Word::Pending,
        }
    }

    fn may_miss(&self) -> bool {
        match self {
            Self::Answered { receipts, .. } => !receipts.iter().all(Receipt::is_kept),
            Self::Missed(..) => true,
            Self::Delayed(_) | Self::Waiting => false,
        }
    }

    /// How many of the kept events the sink does not have, and why.
    fn missed(&self, kept: &[bool]) -> (usize, Reason) {
        match self {
            Self::Answered { receipts, .. } => {
                let pairs = kept.iter().zip(receipts);
                let missed = pairs.filter(|(kept, receipt)| **kept && !receipt.is_kept());
                (missed.count(), Reason::Refused)
            }
            Self::Missed(_, reason) => (kept.iter().filter(|kept| **kept).count(), *reason),
            Self::Delayed(_) | Self::Waiting => (0, Reason::Full),
        }
    }
}

impl Reason {
    pub(super) const ALL: [Self; 4] = [Self::Closed, Self::Failed, Self::Full, Self::Refused];

    /// The word for metrics and log lines.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Failed => "failed",
            Self::Full => "lane_full",
            Self::Refused => "refused",
        }
    }
}

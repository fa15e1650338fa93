use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use audit_core::Error;
use audit_core::reader::{Filter, FollowPosition, Followed, FollowedEvent};
use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};

use super::frame;
use super::hub::Hub;
use crate::access::{TokenName, Viewer};
use crate::seats::Seat;
use crate::state::Web;

/// Where a stream begins.
#[derive(Clone, Debug)]
pub(crate) enum Begin {
    /// Behind a position that was given before.
    After(FollowPosition),
    /// With what is committed from now on.
    Now,
}

/// One client's stream: gives the next bytes when the client has room for them, and keeps no more
/// than that.
#[derive(Debug)]
pub(crate) struct LiveStream {
    web: Arc<Web>,
    hub: Arc<Hub>,
    changes: watch::Receiver<u64>,
    viewer: Viewer,
    filter: Filter,
    /// Behind what was sent or passed over.
    position: FollowPosition,
    place: Place,
    /// Where the ring ended when the store had nothing more.
    exhausted_at: Option<u64>,
    /// Whether the client was told that it has everything.
    is_caught_up: bool,
    ticks: Interval,
    n_ticks: u64,
    /// What is to be sent next.
    ready: VecDeque<Bytes>,
    has_ended: bool,
    /// The stream's share of the number of streams.
    _seat: Seat<TokenName>,
}

/// From where a stream takes its next events.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// From the ring, this number next.
    Ring(u64),
    /// From the store: only what matches, as long as there is much of it, then everything, to find
    /// the ring.
    Store { is_close: bool },
}

/// How often it is looked whether the client may still listen.
const TICK: Duration = Duration::from_secs(1);
/// A client that hears nothing for as many ticks is told that the connection lives.
const TICKS_OF_SILENCE: u64 = 15;
/// The most events of one read of the store.
const READ: usize = 200;

impl LiveStream {
    /// Begins a stream.
    ///
    /// # Errors
    /// The store does not answer, or it does not know the position (any more).
    pub(crate) async fn begin(
        web: Arc<Web>,
        viewer: Viewer,
        filter: Filter,
        begin: Begin,
        seat: Seat<TokenName>,
    ) -> Result<Self, Error> {
        let hub = web.hubs.join(&web.reader).await?;
        let changes = hub.changes();
        let (position, place) = match begin {
            Begin::Now => {
                let ring = hub.ring();
                (ring.position().clone(), Place::Ring(ring.end()))
            }
            Begin::After(position) => {
                let number = hub.ring().behind(&position);
                let place = number.map_or(Place::Store { is_close: false }, Place::Ring);
                (position, place)
            }
        };
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stream = Self {
            web,
            hub,
            changes,
            viewer,
            filter,
            position,
            place,
            exhausted_at: None,
            is_caught_up: false,
            ticks,
            n_ticks: 0,
            ready: VecDeque::from([Bytes::from_static(frame::RETRY.as_bytes())]),
            has_ended: false,
            _seat: seat,
        };
        metrics::gauge!("audit_web_streams").increment(1.0);
        if let Place::Store { .. } = stream.place {
            // An answer begins only if the position is known.
            stream.read_store().await?;
        }
        Ok(stream)
    }

    /// The next bytes; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        while self.ready.is_empty() && !self.has_ended {
            if !self.may_listen() {
                self.finish("the token is not valid any more");
                break;
            }
            if let Err(error) = self.advance().await {
                self.fail(&error);
            }
        }
        self.ready.pop_front()
    }

    /// Takes what is there, or waits until something is to be done.
    async fn advance(&mut self) -> Result<(), Error> {
        self.changes.mark_unchanged();
        let has_more = match self.place {
            Place::Ring(number) => self.read_ring(number),
            Place::Store { .. } => self.read_store().await?,
        };
        if has_more {
            return Ok(());
        }
        if !self.is_caught_up {
            self.is_caught_up = true;
            self.send(frame::caught_up(&self.position));
            return Ok(());
        }
        self.wait().await;
        Ok(())
    }

    /// Takes from the ring; says whether there was something to take.
    fn read_ring(&mut self, number: u64) -> bool {
        let taken = self.hub.ring().take(number, &self.filter);
        match taken {
            Ok(None) => false,
            Ok(Some(taken)) => {
                self.place = Place::Ring(taken.next);
                self.position = taken.position;
                let frames = taken.frames.iter();
                self.ready
                    .extend(frames.map(|frame| Bytes::copy_from_slice(frame.as_bytes())));
                true
            }
            Err(overrun) => {
                self.place = Place::Store { is_close: false };
                self.exhausted_at = None;
                self.is_caught_up = false;
                self.send(frame::behind(overrun.n_events));
                true
            }
        }
    }

    /// Takes from the store; says whether there was something to take.
    async fn read_store(&mut self) -> Result<bool, Error> {
        let ring_end = self.hub.ring().end();
        if self.exhausted_at == Some(ring_end) {
            // Nothing was committed since, as far as the hub knows.
            return Ok(false);
        }
        let is_close = matches!(self.place, Place::Store { is_close: true });
        let filter = if is_close {
            Filter::all()
        } else {
            self.filter.clone()
        };
        let Followed {
            events, position, ..
        } = self.hub.read(filter, self.position.clone(), READ).await?;
        if !is_close {
            let is_full = events.len() == READ;
            self.place = Place::Store { is_close: !is_full };
            self.take_over(events);
            self.position = position;
            // What is close has to be read before it is known whether there is more.
            return Ok(true);
        }
        if events.is_empty() {
            let number = self.hub.ring().behind(&position);
            self.place = number.map_or(self.place, Place::Ring);
            self.exhausted_at = Some(ring_end);
            self.position = position;
            return Ok(false);
        }
        self.exhausted_at = None;
        match self.meet(&events) {
            Some((n_taken, number)) => {
                self.place = Place::Ring(number);
                self.take_over(events.into_iter().take(n_taken));
            }
            None => {
                // Far from the end much may not match, and is better passed over by the store.
                let is_far = events.len() == READ;
                self.place = Place::Store { is_close: !is_far };
                self.take_over(events);
                self.position = position;
            }
        }
        Ok(true)
    }

    /// How many of the events to take, and the number in the ring of what comes behind them: behind
    /// the last one that the ring holds.
    fn meet(&self, events: &[FollowedEvent]) -> Option<(usize, u64)> {
        let ring = self.hub.ring();
        let mut latest = events.iter().enumerate().rev();
        latest.find_map(|(at, followed)| {
            let number = ring.number_of(followed.event.id)?;
            Some((at + 1, number + 1))
        })
    }

    /// Sends what matches.
    fn take_over(&mut self, events: impl IntoIterator<Item = FollowedEvent>) {
        for FollowedEvent {
            position, event, ..
        } in events
        {
            if self.filter.matches(&event) {
                self.ready.push_back(frame::event(&position, &event).into());
            }
            self.position = position;
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            biased;
            () = self.web.ending.begun() => self.finish("the server ends"),
            // The sender lives as long as the hub.
            _ = self.changes.changed() => {}
            _ = self.ticks.tick() => {
                self.n_ticks += 1;
                if self.n_ticks.is_multiple_of(TICKS_OF_SILENCE) {
                    self.ready.push_back(Bytes::from_static(frame::HEARTBEAT.as_bytes()));
                }
            }
        }
    }

    /// Whether the token, and the session where there is one, are still valid. Listening is use.
    fn may_listen(&self) -> bool {
        match self.viewer.is_valid(&self.web) {
            Ok(is_valid) => is_valid,
            Err(error) => {
                tracing::error!(%error, "the tokens cannot be read: a stream ends");
                false
            }
        }
    }

    fn fail(&mut self, error: &Error) {
        tracing::warn!(%error, "a live stream ends");
        let reason = if error.is_rejected() {
            "the position is not known any more: begin anew"
        } else {
            "the store does not answer"
        };
        self.finish(reason);
    }

    fn finish(&mut self, reason: &'static str) {
        self.send(frame::end(reason));
        self.has_ended = true;
    }

    fn send(&mut self, frame: String) {
        self.ready.push_back(frame.into());
    }
}

impl Drop for LiveStream {
    fn drop(&mut self) {
        metrics::gauge!("audit_web_streams").decrement(1.0);
    }
}

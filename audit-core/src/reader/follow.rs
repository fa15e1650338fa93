use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::filter::Filter;
use crate::error::{Error, ErrorKind};
use crate::event::AuditEvent;

/// A place in the order in which a store committed; opaque text of that store.
///
/// Not a [`Cursor`](super::Cursor): the list goes by the time at which calls began, and an event
/// that is stored late stands there among old ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FollowPosition(Box<str>);

impl FollowPosition {
    /// The most characters of a position: printable ASCII without spaces.
    pub const MAX_CHARS: usize = 128;

    /// Takes the text of a store's position.
    ///
    /// # Errors
    /// The text is empty, too long, or holds something else than printable ASCII.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, Error> {
        let text = text.into();
        let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        if (1..=Self::MAX_CHARS).contains(&text.len()) && is_printable {
            return Ok(Self(text));
        }
        Err(Error::new(
            ErrorKind::Invalid,
            "not a position to follow from: begin anew",
        ))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FollowPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for FollowPosition {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

/// Where following begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FollowFrom {
    /// Behind a position that was given before.
    After(FollowPosition),
    /// With the first event that the store has.
    #[default]
    Beginning,
    /// With whatever is committed from now on.
    Now,
}

/// What is to be followed, from where, and for how long to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowRequest {
    filter: Filter,
    from: FollowFrom,
    limit: usize,
    wait: Duration,
}

impl FollowRequest {
    /// The most events of one answer.
    pub const MAX_LIMIT: usize = 1_000;

    /// Follows the events that match, from the beginning, 100 at a time, without waiting.
    #[must_use]
    pub fn new(filter: Filter) -> Self {
        Self {
            filter,
            from: FollowFrom::default(),
            limit: 100,
            wait: Duration::ZERO,
        }
    }

    /// Begins here.
    #[must_use]
    pub fn from(mut self, from: FollowFrom) -> Self {
        self.from = from;
        self
    }

    /// At most so many events in one answer.
    ///
    /// # Errors
    /// The limit is 0 or above [`MAX_LIMIT`](Self::MAX_LIMIT).
    pub fn limit(mut self, limit: usize) -> Result<Self, Error> {
        if !(1..=Self::MAX_LIMIT).contains(&limit) {
            let text = format!(
                "an answer holds 1 to {} events, not {limit}",
                Self::MAX_LIMIT
            );
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        self.limit = limit;
        Ok(self)
    }

    /// Waits so long for a first event, if none is there.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// What is followed.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Where following begins.
    #[must_use]
    pub fn begins(&self) -> &FollowFrom {
        &self.from
    }

    /// The most events of the answer.
    #[must_use]
    pub fn max_events(&self) -> usize {
        self.limit
    }

    /// How long to wait.
    #[must_use]
    pub fn max_wait(&self) -> Duration {
        self.wait
    }
}

/// The next events of a follower, each with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Followed {
    /// The events in the order in which the store committed them.
    pub events: Vec<FollowedEvent>,
    /// Where to go on. Behind the last event that was given or, where the answer is not full,
    /// behind what was looked at besides: a store may end its answer anywhere, also without an
    /// event, so that a filter that matches little is no endless search. It moves on with each
    /// answer, to the watermark at the furthest.
    pub position: FollowPosition,
}

/// One event of a follower.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FollowedEvent {
    /// Where to go on behind this event.
    pub position: FollowPosition,
    /// The event.
    pub event: AuditEvent,
}

impl Followed {
    /// The answer to a follower.
    #[must_use]
    pub const fn new(events: Vec<FollowedEvent>, position: FollowPosition) -> Self {
        Self { events, position }
    }
}

impl FollowedEvent {
    /// One event with its position.
    #[must_use]
    pub const fn new(position: FollowPosition, event: AuditEvent) -> Self {
        Self { position, event }
    }
}

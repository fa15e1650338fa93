use std::ops::Deref;

use super::cursor::{Cursor, Direction, ListKey};
use super::filter::Filter;
use crate::error::{Error, ErrorKind};
use crate::event::{EventId, EventMetadata};

/// One page of the list that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    filter: Filter,
    order: Order,
    limit: usize,
    cursor: Option<Cursor>,
}

/// The order of a list, by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a list has two directions")]
pub enum Order {
    /// The call that began last comes first.
    #[default]
    NewestFirst,
    /// The call that began first comes first.
    OldestFirst,
}

/// What a store reads to fill a page: the matching events on the far side of `bound`, that one
/// not among them, in the order of `is_ascending`, at most `limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scan {
    /// Whether ids rise.
    pub is_ascending: bool,
    /// Where to begin: behind this id when ids rise, before it when they fall.
    pub bound: Option<EventId>,
    /// One more than the page shows, so that it is known whether it goes on.
    pub limit: usize,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The events, in the order that was asked for.
    pub events: Vec<T>,
    /// Where the list goes on, if it does.
    pub next: Option<Cursor>,
    /// Where the list came from, if this is not its beginning.
    pub previous: Option<Cursor>,
}

impl PageRequest {
    /// The most events on a page.
    pub const MAX_LIMIT: usize = 1_000;

    /// The first page of the events that match: newest first, 100 of them.
    #[must_use]
    pub fn new(filter: Filter) -> Self {
        Self {
            filter,
            order: Order::default(),
            limit: 100,
            cursor: None,
        }
    }

    /// The first page in this order. A cursor that was given before is forgotten: it belongs to
    /// the other list.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self.cursor = None;
        self
    }

    /// At most so many events on the page.
    ///
    /// # Errors
    /// The limit is 0 or above [`MAX_LIMIT`](Self::MAX_LIMIT).
    pub fn limit(mut self, limit: usize) -> Result<Self, Error> {
        if !(1..=Self::MAX_LIMIT).contains(&limit) {
            let text = format!("a page holds 1 to {} events, not {limit}", Self::MAX_LIMIT);
            return Err(Error::new(ErrorKind::Invalid, text));
        }
        self.limit = limit;
        Ok(self)
    }

    /// The page that the cursor leads to.
    ///
    /// # Errors
    /// The cursor belongs to a list of another filter or order.
    pub fn cursor(mut self, cursor: Cursor) -> Result<Self, Error> {
        if cursor.list != self.list_key() {
            return Err(Error::new(
                ErrorKind::Invalid,
                "the cursor belongs to a list of another filter or order: begin with the first page",
            ));
        }
        self.cursor = Some(cursor);
        Ok(self)
    }

    /// The page that begins behind this event, in the order of the list; whether the event is there, or
    /// matches, makes no difference.
    #[must_use]
    pub fn after(mut self, id: EventId) -> Self {
        self.cursor = Some(Cursor {
            list: self.list_key(),
            direction: Direction::Forward,
            id,
        });
        self
    }

    /// Which events are asked for.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What a store has to read.
    #[must_use]
    pub fn scan(&self) -> Scan {
        let is_backward = self.direction() == Direction::Backward;
        Scan {
            is_ascending: (self.order == Order::OldestFirst) != is_backward,
            bound: self.cursor.map(|cursor| cursor.id),
            limit: self.limit + 1,
        }
    }

    fn direction(&self) -> Direction {
        self.cursor
            .map_or(Direction::Forward, |cursor| cursor.direction)
    }

    fn list_key(&self) -> ListKey {
        ListKey::new(&self.filter, self.order)
    }
}

impl<T: Deref<Target = EventMetadata>> Page<T> {
    /// Makes the page of a request from what its [`scan`](PageRequest::scan) read, in the order
    /// in which it was read.
    #[must_use]
    pub fn assemble(request: &PageRequest, mut scanned: Vec<T>) -> Self {
        let goes_on = scanned.len() > request.limit;
        scanned.truncate(request.limit);
        let came_from_somewhere = request.cursor.is_some();
        let direction = request.direction();
        let (has_next, has_previous) = match direction {
            Direction::Forward => (goes_on, came_from_somewhere),
            Direction::Backward => (came_from_somewhere, goes_on),
        };
        if direction == Direction::Backward {
            scanned.reverse();
        }
        let cursor = |event: &T, direction| Cursor {
            list: request.list_key(),
            direction,
            id: event.id,
        };
        let next = scanned
            .last()
            .filter(|_| has_next)
            .map(|event| cursor(event, Direction::Forward));
        let previous = scanned
            .first()
            .filter(|_| has_previous)
            .map(|event| cursor(event, Direction::Backward));
        Self {
            events: scanned,
            next,
            previous,
        }
    }
}

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::filter::Filter;
use super::page::Order;
use crate::error::{Error, ErrorKind};
use crate::event::EventId;

/// A place in a list, to go on from: opaque text, bound to the filter and the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    pub(super) list: ListKey,
    pub(super) direction: Direction,
    pub(super) id: EventId,
}

/// Which way a cursor goes on, as seen by who turns the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    Backward,
    Forward,
}

/// Stands for one filter and one order, so that a cursor of another list is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ListKey(u64);

impl ListKey {
    pub(super) fn new(filter: &Filter, order: Order) -> Self {
        let order = match order {
            Order::NewestFirst => "newest",
            Order::OldestFirst => "oldest",
        };
        let digest = Sha256::digest(format!("{order}\0{filter}"));
        let head = digest.iter().take(8);
        Self(head.fold(0, |key, byte| (key << 8) | u64::from(*byte)))
    }
}

/// The form of the text, so that a later one can be told apart.
const FORM: &str = "c1";

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::Backward => 'b',
            Direction::Forward => 'f',
        };
        write!(
            f,
            "{FORM}{direction}{:016x}{}",
            self.list.0,
            self.id.as_uuid().as_simple()
        )
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| {
            Error::new(
                ErrorKind::Invalid,
                "not a cursor of a list: begin with the first page",
            )
        })
    }
}

fn parse(text: &str) -> Option<Cursor> {
    let rest = text.strip_prefix(FORM)?;
    let (direction, rest) = match rest.as_bytes().first()? {
        b'b' => (Direction::Backward, &rest[1..]),
        b'f' => (Direction::Forward, &rest[1..]),
        _ => return None,
    };
    let (list, id) = rest.split_at_checked(16)?;
    let is_hex = list.bytes().all(|byte| byte.is_ascii_hexdigit());
    let list = ListKey(
        is_hex
            .then(|| u64::from_str_radix(list, 16).ok())
            .flatten()?,
    );
    let is_simple = id.len() == 32;
    let id = Uuid::try_parse(id).ok().filter(|_| is_simple)?;
    Some(Cursor {
        list,
        direction,
        id: EventId::from_uuid(id).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::Timestamp;

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written(list: u64, forward: bool, micros in 0..=Timestamp::MAX.as_micros(), random: u64) {
            let direction = if forward { Direction::Forward } else { Direction::Backward };
            let id = EventId::new(Timestamp::from_micros(micros).unwrap(), random);
            let cursor = Cursor { list: ListKey(list), direction, id };
            prop_assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }

        #[test]
        fn any_other_text_is_refused(text in ".{0,80}") {
            prop_assert!(text.parse::<Cursor>().is_err_and(|error| error.kind() == ErrorKind::Invalid));
        }
    }
}

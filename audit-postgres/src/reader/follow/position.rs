//! The text of a follow position: which store, and the last row that was looked at.

use std::fmt::{self, Write as _};

use audit_core::reader::FollowPosition;
use audit_core::{Error, ErrorKind};
use uuid::Uuid;

/// A place in the order of commits: behind the row with this transaction and place in it.
///
/// Always that of a row, never a number that was merely given away: after a crash the server may
/// give a transaction's number again if nothing of that transaction had reached its disk, and a
/// follower that stood behind it would miss what then bears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) xact: i64,
    pub(super) order: i32,
    /// What lies behind the position and was there all the same when following began with now.
    pub(super) past: Option<Past>,
}

/// Rows of transactions that had ended although an older one was still running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Past {
    /// The last transaction of which rows were there.
    pub(super) last: i64,
    /// The transactions up to it that were running, and whose rows may thus still come.
    pub(super) running: Vec<i64>,
}

/// The form of the text, so that a later one can be told apart.
const FORM: &str = "p1";

impl Position {
    /// Where a follower stands that has seen this row.
    pub(super) fn behind(&self, xact: i64, order: i32) -> Self {
        let past = self.past.clone().filter(|past| xact <= past.last);
        Self { xact, order, past }
    }

    pub(super) fn is_beginning(&self) -> bool {
        self.xact == 0
    }

    /// The position as followers hold it.
    pub(super) fn write(&self, store: Uuid) -> Result<FollowPosition, Error> {
        FollowPosition::new(self.text(store))
    }

    fn text(&self, store: Uuid) -> String {
        let mut text = format!("{FORM}.{}.{}.{}", store.as_simple(), self.xact, self.order);
        if let Some(past) = &self.past {
            past.append_to(&mut text);
        }
        text
    }

    /// Reads a position, with the store that gave it.
    pub(super) fn read(text: &FollowPosition) -> Result<(Uuid, Self), Error> {
        let parsed = Self::parse(text.as_str());
        // One spelling for each position: what is merely alike was not given by a store.
        let parsed = parsed.filter(|(store, it)| it.text(*store) == text.as_str());
        parsed.ok_or_else(|| {
            Error::new(
                ErrorKind::Invalid,
                "the position to follow from is none of a PostgreSQL store: begin anew",
            )
        })
    }

    fn parse(text: &str) -> Option<(Uuid, Self)> {
        let mut parts = text.split('.');
        let is_known = parts.next()? == FORM;
        let store = Uuid::try_parse(parts.next()?).ok().filter(|_| is_known)?;
        let xact = parts.next()?.parse().ok().filter(|xact| *xact >= 0)?;
        let order = parts.next()?.parse().ok()?;
        let past = match parts.next() {
            None => None,
            Some(last) => Some(Past::parse(last, parts)?),
        };
        Some((store, Self { xact, order, past }))
    }
}

impl Past {
    /// Appends `.last` and, for each that was running, `.distance from last`, as far as there is
    /// room. What finds none counts as not seen, and everything behind it: a follower is rather
    /// given something of the past than nothing of what comes.
    fn append_to(&self, text: &mut String) {
        let mut last = self.last;
        loop {
            let running: Vec<_> = self.running.iter().filter(|xact| **xact < last).collect();
            let mut tail = format!(".{last:x}");
            for xact in &running {
                write_hex(&mut tail, last - **xact);
            }
            if text.len() + tail.len() <= FollowPosition::MAX_CHARS {
                text.push_str(&tail);
                return;
            }
            match running.last() {
                Some(xact) => last = **xact - 1,
                None => return,
            }
        }
    }

    fn parse<'a>(last: &str, distances: impl Iterator<Item = &'a str>) -> Option<Self> {
        let last = i64::from_str_radix(last, 16).ok()?;
        let running = distances
            .map(|distance| last.checked_sub(i64::from_str_radix(distance, 16).ok()?))
            .collect::<Option<_>>()?;
        Some(Self { last, running })
    }
}

fn write_hex(text: &mut String, number: i64) {
    let written: fmt::Result = write!(text, ".{number:x}");
    debug_assert!(written.is_ok(), "a string takes every text");
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: Uuid = Uuid::from_u128(0x1234);

    fn position(past: Option<Past>) -> Position {
        Position {
            xact: 1_000_000,
            order: 7,
            past,
        }
    }

    fn again(position: &Position) -> Position {
        let text = position.write(STORE).unwrap();
        let (store, read) = Position::read(&text).unwrap();
        assert_eq!(store, STORE);
        read
    }

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let past = |last, running: &[i64]| {
            Some(Past {
                last,
                running: running.to_vec(),
            })
        };
        for past in [
            None,
            past(1_000_100, &[]),
            past(1_000_100, &[1_000_001, 1_000_050]),
        ] {
            let position = position(past);
            assert_eq!(again(&position), position);
        }
        let largest = Position {
            xact: i64::MAX,
            order: i32::MAX,
            past: past(i64::MAX, &[]),
        };
        assert_eq!(again(&largest), largest);
    }

    #[test]
    fn of_more_than_fits_the_newest_are_given_again_and_none_is_missed() {
        let running: Vec<i64> = (1..=100).map(|n| 1_000_000 + 10 * n).collect();
        let cut = again(&position(Some(Past {
            last: 1_002_000,
            running: running.clone(),
        })));
        let past = cut.past.unwrap();
        assert!(past.last < 1_002_000 && past.last > 1_000_010, "{past:?}");
        let below: Vec<i64> = running.into_iter().filter(|it| *it <= past.last).collect();
        assert_eq!(past.running, below);
    }

    #[test]
    fn behind_the_past_it_is_forgotten() {
        let past = Past {
            last: 1_000_100,
            running: Vec::from([1_000_050]),
        };
        let position = position(Some(past.clone()));
        assert_eq!(position.behind(1_000_100, 1).past, Some(past));
        assert_eq!(position.behind(1_000_101, 1).past, None);
    }

    #[test]
    fn any_other_text_is_refused() {
        let good = position(None).write(STORE).unwrap().to_string();
        let spellings = [
            "m1-0000000000000000-1".to_owned(),
            good.replace("p1", "p2"),
            good.replace('7', "+7"),
            good.replace('7', "-"),
            format!("{good}."),
            format!("{good}.zz"),
            good.replace("1000000", "-1"),
            good.replace("1000000", "01000000"),
        ];
        for text in spellings {
            let error = Position::read(&FollowPosition::new(text).unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }
}

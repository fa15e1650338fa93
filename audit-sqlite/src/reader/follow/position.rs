//! The text of a follow position: which store, and the last row that was looked at.

use audit_core::reader::FollowPosition;
use audit_core::{Error, ErrorKind};
use uuid::Uuid;

/// A place in the order of commits, of one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) store: Uuid,
    /// The column `position` of the row before; 0 at the beginning.
    pub(super) row: i64,
}

/// The form of the text, so that a later one can be told apart.
const FORM: &str = "s1";

impl Position {
    /// The position as followers hold it.
    pub(super) fn write(self) -> Result<FollowPosition, Error> {
        FollowPosition::new(self.text())
    }

    fn text(self) -> String {
        format!("{FORM}.{}.{}", self.store.as_simple(), self.row)
    }

    /// Reads a position that a store gave.
    pub(super) fn read(text: &FollowPosition) -> Result<Self, Error> {
        let parsed = Self::parse(text.as_str());
        // One spelling for each position: what is merely alike was not given by a store.
        let parsed = parsed.filter(|position| position.text() == text.as_str());
        parsed.ok_or_else(|| {
            Error::new(
                ErrorKind::Invalid,
                "the position to follow from is none of a SQLite store: begin anew",
            )
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let (store, row) = text
            .strip_prefix(FORM)?
            .strip_prefix('.')?
            .split_once('.')?;
        Some(Self {
            store: Uuid::try_parse(store).ok()?,
            row: row.parse().ok().filter(|row| *row >= 0)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        for row in [0, 1, i64::MAX] {
            let store = Uuid::from_u128(0x1234);
            let position = Position { store, row };
            let text = position.write().unwrap();
            assert_eq!(Position::read(&text).unwrap(), position);
        }
    }

    #[test]
    fn any_other_text_is_refused() {
        let store = Uuid::from_u128(0x1234);
        let good = Position { store, row: 7 }.text();
        let spellings = [
            "m1-0000000000000000-1".to_owned(),
            good.replace("s1", "s2"),
            good.replace(".7", ".+7"),
            good.replace(".7", ".-7"),
            good.replace(".7", ".07"),
            format!("{good}."),
            good.replace(&store.as_simple().to_string(), &store.to_string()),
        ];
        for text in spellings {
            let error = Position::read(&FollowPosition::new(text).unwrap()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }
}

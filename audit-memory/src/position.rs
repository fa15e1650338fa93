//! The text of a follow position: which store, and how many events came before.

use std::hash::{BuildHasher, Hasher, RandomState};

use audit_core::reader::FollowPosition;
use audit_core::{Error, ErrorKind};

/// Stands for one store of one process, so that a position of another store, or of the store
/// that a restarted process had before, is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoreKey(u64);

impl StoreKey {
    pub(crate) fn random() -> Self {
        // The keys of the standard library's maps are random and never the same twice.
        Self(RandomState::new().build_hasher().finish())
    }

    /// The position as followers hold it.
    pub(crate) fn write(self, position: u64) -> Result<FollowPosition, Error> {
        FollowPosition::new(format!("m1-{:016x}-{position}", self.0))
    }

    /// Reads a position that this store gave.
    pub(crate) fn read(self, text: &FollowPosition) -> Result<u64, Error> {
        self.parse(text.as_str()).ok_or_else(|| {
            Error::new(
                ErrorKind::Invalid,
                "the position to follow from is of another store: begin anew",
            )
        })
    }

    fn parse(self, text: &str) -> Option<u64> {
        let (key, position) = text.strip_prefix("m1-")?.split_once('-')?;
        let is_own = u64::from_str_radix(key, 16).ok()? == self.0;
        position.parse().ok().filter(|_| is_own)
    }
}

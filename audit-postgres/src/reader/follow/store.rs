//! What a follower has to know of the store before it believes a row: whose order it is, and how
//! far it is complete.

use audit_core::{Error, ErrorKind};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::look::place;
use super::position::Position;
use crate::reader::unreadable;

/// One row about the store, of the same snapshot as whatever is read beside it.
///
/// `watermark`: every transaction below it has ended, so nothing can appear below it any more.
/// `removed_xact` and `removed_order`: the last place of which retention removed a row, if it did.
/// It stands in the statement that reads the rows, since the server has locked their partitions
/// before it takes its snapshot: what is gone then has its entry.
pub(super) const STORE: &str = "
    SELECT
        store_id,
        audit_store.system_identifier = control.system_identifier
            AND database_oid = (
                SELECT oid::bigint FROM pg_database WHERE datname = current_database()
            ) AS is_of_this_server,
        pg_is_in_recovery() AS is_standby,
        pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS watermark,
        pg_current_snapshot()::text AS snapshot,
        removed.last_xact AS removed_xact,
        removed.last_xact_order AS removed_order
    FROM audit_store
    CROSS JOIN pg_control_system() AS control
    LEFT JOIN (
        SELECT last_xact, last_xact_order FROM audit_retention
        WHERE last_xact IS NOT NULL
        ORDER BY last_xact DESC, last_xact_order DESC
        LIMIT 1
    ) AS removed ON true";

/// What [`STORE`] says.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) id: Uuid,
    pub(super) watermark: i64,
    pub(super) is_standby: bool,
    last_removed: Option<(i64, i32)>,
}

impl Store {
    /// Reads the columns of [`STORE`].
    pub(super) fn of_row(row: Option<&PgRow>) -> Result<Self, Error> {
        let Some(row) = row else {
            return Err(Error::new(
                ErrorKind::Corrupt,
                "the table `audit_store` has lost its row: restore it from a backup",
            ));
        };
        let last_removed = place(row, "removed_xact", "removed_order")?;
        let read = || {
            let store = Self {
                id: row.try_get("store_id")?,
                watermark: row.try_get("watermark")?,
                is_standby: row.try_get("is_standby")?,
                last_removed,
            };
            Ok((store, row.try_get("is_of_this_server")?))
        };
        let (store, is_of_this_server) = read().map_err(|error: sqlx::Error| unreadable(&error))?;
        if is_of_this_server {
            return Ok(store);
        }
        Err(Error::new(
            ErrorKind::Invalid,
            "this database is a copy, and the order in which its events were committed is that of \
             the server they came from: follow the original, or have the owner adopt the copy \
             (`PostgresMaintainer::adopt_copy`)",
        ))
    }

    /// Makes sure that it is possible to go on from a position of the store with this id.
    pub(super) fn check(&self, of: Uuid, position: &Position) -> Result<(), Error> {
        if of != self.id {
            return Err(Error::new(
                ErrorKind::Invalid,
                "the position to follow from is of another store: begin anew",
            ));
        }
        self.check_has_come(position)?;
        self.check_is_kept(position)
    }

    /// Makes sure that nothing behind the position was removed.
    fn check_is_kept(&self, position: &Position) -> Result<(), Error> {
        // Who stands at the beginning has seen nothing, and takes what there is.
        let seen = (position.xact, position.order);
        let has_missed = |last| seen < last && !position.is_beginning();
        if self.last_removed.is_some_and(has_missed) {
            return Err(Error::new(
                ErrorKind::Invalid,
                "retention removed events behind the position to follow from: begin anew",
            ));
        }
        Ok(())
    }

    /// Makes sure that this server has come as far as the position.
    fn check_has_come(&self, position: &Position) -> Result<(), Error> {
        if position.xact < self.watermark {
            return Ok(());
        }
        if self.is_standby {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "the standby has not yet received what lies before the position to follow from: \
                 try again, or follow the primary",
            ));
        }
        Err(Error::new(
            ErrorKind::Invalid,
            "the position to follow from lies ahead of the store, which was restored from an older \
             backup: begin anew",
        ))
    }
}

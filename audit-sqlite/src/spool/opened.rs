//! Opening a file of a spool, and setting it aside if it is damaged.

use audit_core::event::EventDraft;
use audit_core::{Clock as _, Error, ErrorKind, SystemClock};
use sqlx::SqliteConnection;

use super::adopt;
use super::backlog::Position;
use super::claim::Claim;
use super::command::Adopted;
use super::schema;
use crate::damage::{self, Damage};
use crate::error::{convert, with_sources};
use crate::file::DatabaseFile;

/// A file that was opened, and what stands in it.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: SqliteConnection,
    pub(super) found: Adopted,
    /// The place behind which sending begins.
    pub(super) position: Position,
}

/// Opens a file, and makes it what it should be.
pub(super) async fn open(claim: &Claim) -> Result<Opened, Error> {
    const FIRST: &str = "
SELECT coalesce(
    (SELECT min(position) - 1 FROM batches),
    (SELECT seq FROM sqlite_sequence WHERE name = 'batches'),
    0
)";
    let opened = schema::open(claim.path()).await;
    let mut connection = opened.map_err(|error| convert("the spool cannot be opened", &error))?;
    schema::prepare(&mut connection).await?;
    let found = adopt::found(&mut connection).await?;
    let first = sqlx::query_scalar(FIRST).fetch_one(&mut connection).await;
    let position = first.map_err(|error| convert("the spool cannot be read", &error))?;
    Ok(Opened {
        connection,
        found,
        position,
    })
}

/// Gives a damaged file another name; what says so is to be spooled.
pub(super) fn set_aside(claim: Claim, error: &Error) -> Result<EventDraft, Error> {
    let damage = Damage(with_sources(error));
    let file = DatabaseFile::new(claim.path())?;
    let set_aside = damage.set_aside(&file, SystemClock::new().now())?;
    // Only its lock is left.
    claim.remove();
    damage::draft(&set_aside.path, &set_aside.reason).map_err(|source| {
        let text = "the event about a damaged file cannot be made";
        Error::with_source(ErrorKind::Internal, text, source)
    })
}

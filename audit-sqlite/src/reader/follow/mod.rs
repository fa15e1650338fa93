//! Following: the order in which the store committed, which is that of positions, since SQLite has
//! one writer at a time.

mod look;
mod position;

use std::cmp;
use std::time::Duration;

use audit_core::reader::{FollowFrom, FollowRequest, Followed};
use audit_core::{Error, ErrorKind};
use tokio::time::{Instant, sleep};

use self::position::Position;
use super::SqliteReader;

/// How long to wait before looking again for what other processes commit.
const WAIT: Duration = Duration::from_millis(100);

pub(super) async fn follow(
    reader: &SqliteReader,
    request: &FollowRequest,
) -> Result<Followed, Error> {
    // A wait that no clock can count has no end.
    let end = Instant::now().checked_add(request.max_wait());
    let is_over = || end.is_some_and(|end| end <= Instant::now());
    let mut position = begin(reader, request).await?;
    loop {
        // Asked for before looking, so that no commit is missed in between.
        let committed = reader.committed.notified();
        let looked = look::look(reader, request.filter(), position, request.max_events()).await?;
        position = looked.position;
        // The time that is over ends a search too, which has moved on.
        if !looked.events.is_empty() || is_over() {
            return Ok(Followed::new(looked.events, position.write()?));
        }
        if !looked.is_at_end {
            continue;
        }
        tokio::select! {
            () = committed => {}
            moved = until_moved(reader, position, end) => moved?,
        }
    }
}

async fn begin(reader: &SqliteReader, request: &FollowRequest) -> Result<Position, Error> {
    match request.begins() {
        FollowFrom::After(position) => Position::read(position),
        FollowFrom::Beginning => look::begin(reader, false).await,
        FollowFrom::Now => look::begin(reader, true).await,
        // A way to begin that was added later.
        _ => Err(Error::new(
            ErrorKind::Invalid,
            "this store cannot follow from there: update audit-sqlite",
        )),
    }
}

/// Waits until there is something behind a position, or the time is over.
async fn until_moved(
    reader: &SqliteReader,
    position: Position,
    end: Option<Instant>,
) -> Result<(), Error> {
    loop {
        let remaining = end.map(|end| end.saturating_duration_since(Instant::now()));
        if remaining.is_some_and(|remaining| remaining.is_zero()) {
            return Ok(());
        }
        sleep(remaining.map_or(WAIT, |remaining| cmp::min(remaining, WAIT))).await;
        if look::end(reader).await? != position.row {
            return Ok(());
        }
    }
}

//! Following: the order in which the server committed, up to a watermark below which nothing can
//! appear any more.
//!
//! Every row bears the number of the transaction that stored it. Numbers are given when a
//! transaction begins to write, and it may commit long after a later one did; but below the oldest
//! number that is still running, everything has ended. So the rows below it, by number, are an
//! order to which nothing is added but at its end. What keeps a number open keeps followers
//! waiting: a transaction of whatever database of the server that has written and does not end.

mod look;
mod now;
mod position;
mod store;

use std::cmp;
use std::time::Duration;

use audit_core::reader::{FollowFrom, FollowRequest, Followed};
use audit_core::{Error, ErrorKind};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use self::look::Looked;
use self::position::Position;
use super::PostgresReader;

/// How long to wait before looking again: at first, and at most.
///
/// LISTEN and NOTIFY would wake a follower at once, but take a connection each that no pooler may
/// stand before, and cost every commit of the writer a lock of the whole server.
const WAITS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));

/// A follower during one request.
struct Follower<'a> {
    reader: &'a PostgresReader,
    request: &'a FollowRequest,
    /// Where the position comes from, if it was given.
    store: Option<Uuid>,
    position: Position,
}

pub(super) async fn follow(
    reader: &PostgresReader,
    request: &FollowRequest,
) -> Result<Followed, Error> {
    // A wait that no clock can count has no end.
    let end = Instant::now().checked_add(request.max_wait());
    let is_over = || end.is_some_and(|end| end <= Instant::now());
    let mut follower = Follower::begin(reader, request).await?;
    let mut wait = WAITS.0;
    loop {
        let before = follower.position.clone();
        let looked = follower.look().await?;
        if !looked.events.is_empty() || is_over() {
            let position = looked.position.write(looked.store.id)?;
            return Ok(Followed::new(looked.events, position));
        }
        // Having moved, it may not have come to the end.
        if looked.position != before {
            continue;
        }
        while !is_over() {
            sleep_until(end, wait).await;
            wait = cmp::min(wait * 2, WAITS.1);
            // Nothing new can be there unless the watermark moved, which is cheaper to ask.
            if reader.watermark().await? != looked.store.watermark {
                break;
            }
        }
    }
}

impl<'a> Follower<'a> {
    async fn begin(reader: &'a PostgresReader, request: &'a FollowRequest) -> Result<Self, Error> {
        let (store, position) = match request.begins() {
            FollowFrom::After(position) => {
                let (store, position) = Position::read(position)?;
                (Some(store), position)
            }
            FollowFrom::Beginning => (None, Position::default()),
            FollowFrom::Now => {
                let rows = reader.rows(now::now()).await?;
                (None, now::answer(rows.first())?)
            }
            // A way to begin that was added later.
            _ => {
                return Err(Error::new(
                    ErrorKind::Invalid,
                    "this store cannot follow from there: update audit-postgres",
                ));
            }
        };
        Ok(Self {
            reader,
            request,
            store,
            position,
        })
    }

    /// Looks once at what lies behind the position, and moves it.
    async fn look(&mut self) -> Result<Looked, Error> {
        let limit = self.request.max_events();
        let sql = look::look(self.request.filter(), &self.position, limit)?;
        let rows = self.reader.rows(sql).await?;
        let looked = look::answer(&rows, self.store, &self.position, limit)?;
        self.position.clone_from(&looked.position);
        Ok(looked)
    }
}

async fn sleep_until(end: Option<Instant>, wait: Duration) {
    let remaining = end.map(|end| end.saturating_duration_since(Instant::now()));
    sleep(remaining.map_or(wait, |remaining| cmp::min(remaining, wait))).await;
}

//! Reading back: the contract of a reader, and the questions it answers.

mod condition;
mod count;
mod cursor;
mod field;
mod filter;
mod follow;
mod forward;
mod gap;
mod grammar;
mod page;
mod span;
mod statistics;

use std::fmt::Debug;

use async_trait::async_trait;

pub use condition::Condition;
pub use count::Count;
pub use cursor::Cursor;
pub use field::{Field, TextField};
pub use filter::{Filter, Term};
pub use follow::{FollowFrom, FollowPosition, FollowRequest, Followed, FollowedEvent};
pub use gap::SeqGap;
pub use grammar::{InvalidFilter, moment};
pub use page::{Order, Page, PageRequest, Scan};
pub use span::Span;
pub use statistics::{
    GroupBy, GroupKey, LatencyPercentiles, Statistics, StatisticsRequest, StatisticsRow, TimeBucket,
};

use crate::error::Error;
use crate::event::{AuditEvent, EventId, EventSummary, WriterId};

/// Answers questions about stored events.
///
/// # Contract
/// A reader sees what a sink of the same store answered with `Ok`, at once; a follower sees it as
/// soon as nothing before it can still appear. All stores give equal answers to equal questions;
/// the meaning of a filter is [`Filter::matches`].
///
/// **The list is not the follow.** The list ([`page`](Self::page)) goes by id, hence by the time
/// at which calls began. A call that began an hour ago and an outage's spool are stored late with
/// old ids; a follower ([`follow`](Self::follow)) goes by a position in the order in which the
/// store committed, and misses nothing.
///
/// An implementor must never skip what matches, repeat what was given, or print a payload.
///
/// # Cancel safety
/// Every future may be dropped at any await; no state is kept between calls but in the cursors
/// and positions that the caller holds.
#[async_trait]
pub trait AuditReader: Debug + Send + Sync + 'static {
    /// One event by its id.
    ///
    /// # Errors
    /// The store is unavailable or closed, or what it holds cannot be read.
    async fn get(&self, id: EventId) -> Result<Option<AuditEvent>, Error>;

    /// One page of the list, without payloads: they are not even read.
    ///
    /// While writes go on, pages neither skip nor repeat an event that was there when the first
    /// page was read.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn page(&self, request: &PageRequest) -> Result<Page<EventSummary>, Error>;

    /// One page of the list, with payloads; for exports.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn page_with_payloads(&self, request: &PageRequest) -> Result<Page<AuditEvent>, Error>;

    /// How many events match, counted up to `cap` and no further.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn count(&self, filter: &Filter, cap: u64) -> Result<Count, Error>;

    /// Calls, outcomes and latencies, by group.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn statistics(&self, request: &StatisticsRequest) -> Result<Statistics, Error>;

    /// The numbers that are missing of a writer, from its first number to the highest that is
    /// stored, in order, at most `limit` ranges. What retention removed is missing too.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn gaps(&self, writer: &WriterId, limit: usize) -> Result<Vec<SeqGap>, Error>;

    /// What was committed behind a position, up to a watermark below which nothing can appear
    /// any more; waits for the first matching event as long as the request says.
    ///
    /// # Errors
    /// As [`get`](Self::get), or the position is not one of this store, or retention removed what
    /// lies behind it: kind [`Invalid`](crate::ErrorKind::Invalid), and the follower begins anew.
    async fn follow(&self, request: &FollowRequest) -> Result<Followed, Error>;
}

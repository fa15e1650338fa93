//! Stores that lose the order in which they committed.

use async_trait::async_trait;
use audit_core::Error;
use audit_core::event::{AuditEvent, Seq, WriterId};
use audit_core::reader::{Filter, FollowFrom, FollowRequest, Followed, FollowedEvent, SeqGap};
use audit_core::sink::Appended;

use super::catching::catches;
use super::quirk::Quirk;
use super::table::Table;

catches! {
    a_sink_that_reorders_within_a_batch: ReordersWithinABatch =>
        followers_see_the_order_of_appends,
        also [
            following_goes_on_where_it_ended,
            followers_miss_no_late_event,
            following_from_now_gives_what_comes,
        ],
        says "followers see the order of appends";
    a_reader_that_hides_the_first_gap: HidesTheFirstGap =>
        gaps_in_seq_are_listed,
        says "the numbers that are missing of a writer are listed";
    a_reader_that_follows_from_the_last_event_again: RepeatsTheLast =>
        following_goes_on_where_it_ended,
        also [
            a_cancelled_follow_can_be_repeated,
            followers_miss_no_late_event,
            a_waiting_follower_wakes,
            following_from_now_gives_what_comes,
        ],
        says "sees each event once";
    a_reader_that_goes_on_behind_the_end: GoesOnBehindTheEnd =>
        following_goes_on_where_it_ended,
        also [
            a_cancelled_follow_can_be_repeated,
            followers_miss_no_late_event,
            following_from_now_gives_what_comes,
        ],
        says "sees each event once";
    a_reader_that_follows_by_id: FollowsById =>
        followers_miss_no_late_event,
        also [
            followers_see_the_order_of_appends,
            following_goes_on_where_it_ended,
            following_from_now_gives_what_comes,
        ],
        says "a follower sees an event that is stored late";
    a_reader_that_never_wakes: NeverWakes =>
        a_waiting_follower_wakes,
        also [
            followers_miss_no_late_event,
        ],
        says "a waiting follower is woken";
    a_reader_for_whom_now_is_the_beginning: NowIsTheBeginning =>
        following_from_now_gives_what_comes,
        also [
            a_waiting_follower_wakes,
        ],
        says "now has no past";
    a_reader_that_begins_anew_in_silence: BeginsAnew =>
        a_foreign_position_is_refused,
        says "a position of another store is refused";
}

/// Sorts a batch, so that its index is happy.
#[derive(Default)]
struct ReordersWithinABatch;

#[async_trait]
impl Quirk for ReordersWithinABatch {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let before = table.rows().kept.len();
        let appended = table.store(events)?;
        table.rows().kept[before..].sort_by_key(|event| event.id);
        Ok(appended)
    }
}

/// Looks between the numbers that it has.
#[derive(Default)]
struct HidesTheFirstGap;

impl Quirk for HidesTheFirstGap {
    fn gaps(&self, table: &Table<Self>, writer: &WriterId, limit: usize) -> Vec<SeqGap> {
        let seqs = table.seqs(writer);
        let gaps = SeqGap::between(seqs, limit + 1).into_iter();
        gaps.filter(|gap| gap.first > Seq::FIRST)
            .take(limit)
            .collect()
    }
}

/// `WHERE position >= $1`.
#[derive(Default)]
struct RepeatsTheLast;

#[async_trait]
impl Quirk for RepeatsTheLast {
    async fn follow(
        &self,
        table: &Table<Self>,
        request: &FollowRequest,
    ) -> Result<Followed, Error> {
        let mut begin = table.position(request)?;
        let is_resumed = matches!(request.begins(), FollowFrom::After(_));
        // An end without anything behind it is no row.
        if is_resumed && begin > 0 && begin < table.rows().kept.len() {
            begin -= 1;
        }
        table.follow_from(begin, request).await
    }
}

/// Gives the watermark as the position, also when the answer was cut by its limit.
#[derive(Default)]
struct GoesOnBehindTheEnd;

#[async_trait]
impl Quirk for GoesOnBehindTheEnd {
    async fn follow(
        &self,
        table: &Table<Self>,
        request: &FollowRequest,
    ) -> Result<Followed, Error> {
        let mut followed = table.follow_from(table.position(request)?, request).await?;
        followed.position = table.write_position(table.rows().kept.len());
        Ok(followed)
    }
}

/// `WHERE id > $1 ORDER BY id`: late events have ids that it has passed.
#[derive(Default)]
struct FollowsById;

#[async_trait]
impl Quirk for FollowsById {
    async fn follow(
        &self,
        table: &Table<Self>,
        request: &FollowRequest,
    ) -> Result<Followed, Error> {
        let begin = table.position(request)?;
        // The table's own follow does the waiting; what is given then is by id.
        let waited = table.follow_from(begin, request).await?;
        let list = table.list(&Filter::all(), true);
        let mut followed = Vec::new();
        let mut position = begin;
        for event in list.iter().skip(begin) {
            if followed.len() == request.max_events() || waited.events.is_empty() {
                break;
            }
            position += 1;
            if request.filter().matches(event) {
                let behind = table.write_position(position);
                followed.push(FollowedEvent::new(behind, event.clone()));
            }
        }
        Ok(Followed::new(followed, table.write_position(position)))
    }
}

/// Looks once, and waits in vain.
#[derive(Default)]
struct NeverWakes;

#[async_trait]
impl Quirk for NeverWakes {
    async fn follow(
        &self,
        table: &Table<Self>,
        request: &FollowRequest,
    ) -> Result<Followed, Error> {
        let mut position = table.position(request)?;
        let events = table.look(request, &mut position);
        if events.is_empty() {
            tokio::time::sleep(request.max_wait()).await;
        }
        Ok(Followed::new(events, table.write_position(position)))
    }
}

/// Knows one place to begin.
#[derive(Default)]
struct NowIsTheBeginning;

#[async_trait]
impl Quirk for NowIsTheBeginning {
    async fn follow(
        &self,
        table: &Table<Self>,
        request: &FollowRequest,
    ) -> Result<Followed, Error> {
        let begin = match request.begins() {
            FollowFrom::After(position) => table.read_position(position)?,
            _ => 0,
        };
        table.follow_from(begin, request).await
    }
}

/// Takes a position that it cannot read for none.
#[derive(Default)]
struct BeginsAnew;

#[async_trait]
impl Quirk for BeginsAnew {
    async fn follow(
        &self,
        table: &Table<Self>,
        request: &FollowRequest,
    ) -> Result<Followed, Error> {
        let begin = table.position(request).unwrap_or_default();
        table.follow_from(begin, request).await
    }
}

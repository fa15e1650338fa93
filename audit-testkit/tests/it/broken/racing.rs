//! Sinks that are right as long as nobody else comes and nobody goes away.

use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use audit_core::Error;
use audit_core::event::{AuditEvent, EventId};
use audit_core::reader::{FollowFrom, FollowRequest, Followed};
use audit_core::sink::{Appended, Receipt};
use tokio::sync::{Notify, Semaphore};
use tokio::task::yield_now;

use super::catching::catches;
use super::quirk::Quirk;
use super::table::Table;

catches! {
    a_sink_that_checks_and_then_stores: ChecksThenStores =>
        concurrent_appends_store_each_event_once,
        also [
            other_content_under_an_id_is_refused,
        ],
        says "whoever brings an event, it is stored once";
    a_sink_that_keeps_half_when_cancelled: KeepsHalfWhenCancelled =>
        a_cancelled_append_stores_all_or_nothing,
        says "stores all of its batch or nothing";
    a_sink_that_loses_what_was_cancelled: LosesWhenCancelled =>
        a_cancelled_append_can_be_repeated,
        also [
            an_unstorable_event_is_refused_alone,
        ],
        says "the retry of an append that was dropped";
    a_sink_that_stays_locked_when_cancelled: StaysLockedWhenCancelled =>
        a_cancelled_append_can_be_repeated,
        also [
            a_cancelled_append_stores_all_or_nothing,
        ],
        says "the sink stays usable";
    a_sink_that_waits_for_a_cancelled_close: WaitsForTheFirstClose =>
        a_cancelled_close_can_be_repeated,
        says "closing works when a close was dropped";
    a_reader_that_takes_a_cancelled_follow_for_done: HandsOutOnce =>
        a_cancelled_follow_can_be_repeated,
        also [
            following_goes_on_where_it_ended,
            followers_miss_no_late_event,
        ],
        says "a follower that was dropped while it waited misses nothing";
}

/// `SELECT`, then `INSERT`.
#[derive(Default)]
struct ChecksThenStores;

#[async_trait]
impl Quirk for ChecksThenStores {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let mut new = BTreeSet::new();
        let mut receipts = Vec::new();
        table.rows().admits(events)?;
        for event in events {
            let receipt = match table.rows().receipt(event) {
                Receipt::Stored if !new.insert(event.id) => Receipt::AlreadyStored,
                receipt => receipt,
            };
            receipts.push(receipt);
        }
        yield_now().await;
        let pairs = events.iter().zip(&receipts);
        let stored = pairs.filter(|(_, receipt)| **receipt == Receipt::Stored);
        let stored: Vec<_> = stored.map(|(event, _)| event.clone()).collect();
        table.rows().kept.extend(stored);
        drop(table.store(&[])?);
        Ok(Appended::new(receipts))
    }
}

/// Two statements without a transaction.
#[derive(Default)]
struct KeepsHalfWhenCancelled;

#[async_trait]
impl Quirk for KeepsHalfWhenCancelled {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        table.rows().admits(events)?;
        let (one, other) = events.split_at(events.len() / 2);
        let mut receipts = table.store(one)?.into_receipts();
        yield_now().await;
        receipts.extend(table.store(other)?.into_receipts());
        Ok(Appended::new(receipts))
    }
}

/// Remembers that it saw an event before it has stored it.
#[derive(Default)]
struct LosesWhenCancelled {
    seen: Mutex<BTreeSet<EventId>>,
}

#[async_trait]
impl Quirk for LosesWhenCancelled {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        table.rows().admits(events)?;
        let is_new: Vec<bool> = {
            let mut seen = self.seen.lock().unwrap();
            events.iter().map(|event| seen.insert(event.id)).collect()
        };
        yield_now().await;
        let mut receipts = Vec::new();
        for (event, is_new) in events.iter().zip(is_new) {
            // A conflict is still noticed.
            let is_known = !is_new && table.rows().find(event.id).is_none();
            let batch = if is_known {
                &[]
            } else {
                std::slice::from_ref(event)
            };
            let mut answer = table.store(batch)?.into_receipts();
            receipts.push(answer.pop().unwrap_or(Receipt::AlreadyStored));
        }
        Ok(Appended::new(receipts))
    }
}

/// Gives its only connection back at the end of the statement, if it comes to that.
struct StaysLockedWhenCancelled {
    connection: Semaphore,
}

impl Default for StaysLockedWhenCancelled {
    fn default() -> Self {
        let connection = Semaphore::new(1);
        Self { connection }
    }
}

#[async_trait]
impl Quirk for StaysLockedWhenCancelled {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        self.connection.acquire().await.unwrap().forget();
        yield_now().await;
        let stored = table.store(events);
        self.connection.add_permits(1);
        stored
    }
}

/// Leaves the closing to whoever came first.
#[derive(Default)]
struct WaitsForTheFirstClose {
    has_begun: Mutex<bool>,
    is_done: Notify,
}

#[async_trait]
impl Quirk for WaitsForTheFirstClose {
    async fn close(&self, table: &Table<Self>) -> Result<(), Error> {
        let is_first = !std::mem::replace(&mut *self.has_begun.lock().unwrap(), true);
        if is_first {
            yield_now().await;
            table.rows().is_closed = true;
            self.is_done.notify_one();
            return Ok(());
        }
        self.is_done.notified().await;
        self.is_done.notify_one();
        Ok(())
    }
}

/// Takes a position that somebody waited at for used up.
#[derive(Default)]
struct HandsOutOnce {
    asked: Mutex<BTreeSet<String>>,
}

#[async_trait]
impl Quirk for HandsOutOnce {
    async fn follow(
        &self,
        table: &Table<Self>,
        request: &FollowRequest,
    ) -> Result<Followed, Error> {
        let mut begin = table.position(request)?;
        if let FollowFrom::After(position) = request.begins() {
            let is_new = self.asked.lock().unwrap().insert(position.to_string());
            if !is_new && !request.max_wait().is_zero() {
                begin = table.rows().kept.len();
            }
        }
        table.follow_from(begin, request).await
    }
}

//! Sinks that do not keep what they answer for, or keep what they should not.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use audit_core::event::AuditEvent;
use audit_core::sink::{Appended, Receipt};
use audit_core::{Error, ErrorKind};
use audit_testkit::Capabilities;

use super::catching::catches;
use super::quirk::{Quirk, Tables};
use super::table::{Rows, Table};

// What a sink may do that says so: the spool that hands on all is intact.
audit_testkit::conformance!(intact_spool, Tables::<Spool<{ usize::MAX }>>::default());

catches! {
    a_sink_that_loses_the_last_event_of_a_batch: LosesTheLast =>
        ok_means_a_reader_sees_it, and more,
        says "a reader sees what was answered with Ok";
    a_sink_that_answers_before_it_stores: AnswersBeforeItStores =>
        ok_means_a_reader_sees_it, and more,
        says "a reader sees what was answered with Ok";
    a_sink_that_forgets_its_end_in_a_crash: ForgetsOnReopen =>
        ok_survives_reopen,
        says "survives the end of the process";
    a_sink_that_drains_one_batch_a_flush: Spool<1> =>
        flush_waits_for_the_last_store,
        also [
            concurrent_appends_store_each_event_once,
            followers_miss_no_late_event,
        ],
        says "a flush waits until the last store has the events";
    a_sink_that_stores_twice: StoresTwice =>
        appending_again_changes_nothing,
        also [
            another_number_makes_no_other_event,
            ok_survives_reopen,
            a_repeat_within_a_batch_is_stored_once,
            concurrent_appends_store_each_event_once,
            a_cancelled_append_can_be_repeated,
        ],
        says "an id is stored once";
    a_sink_that_trusts_its_batch: TrustsTheBatch =>
        a_repeat_within_a_batch_is_stored_once,
        also [
            other_content_under_an_id_is_refused,
        ],
        says "the second place of an event in a batch is a repeat";
    a_sink_that_answers_in_reverse: AnswersInReverse =>
        receipts_stand_in_the_order_of_the_batch,
        also [
            a_repeat_within_a_batch_is_stored_once,
            other_content_under_an_id_is_refused,
            a_refused_event_leaves_its_neighbors,
            an_unstorable_event_is_refused_alone,
            concurrent_appends_store_each_event_once,
        ],
        says "a receipt stands at the place of its event";
    a_sink_that_refuses_an_empty_batch: RefusesEmptyBatches =>
        an_empty_batch_touches_nothing,
        says "an empty batch is Ok";
    a_sink_that_cuts_large_batches: CutsLargeBatches =>
        a_large_batch_is_stored_whole,
        says "a batch of 2,500 events is stored whole";
}

/// Stores all but the last event.
#[derive(Default)]
struct LosesTheLast;

#[async_trait]
impl Quirk for LosesTheLast {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let Some((_, kept)) = events.split_last() else {
            return table.store(events);
        };
        let mut receipts = table.store(kept)?.into_receipts();
        receipts.push(Receipt::Stored);
        Ok(Appended::new(receipts))
    }
}

/// Stores a batch when the next one comes.
#[derive(Default)]
struct AnswersBeforeItStores {
    parked: Mutex<Vec<AuditEvent>>,
}

#[async_trait]
impl Quirk for AnswersBeforeItStores {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        self.flush(table).await?;
        table.rows().admits(events)?;
        self.parked.lock().unwrap().extend_from_slice(events);
        let rows = table.rows();
        Ok(Appended::new(
            events.iter().map(|event| rows.receipt(event)).collect(),
        ))
    }

    async fn flush(&self, table: &Table<Self>) -> Result<(), Error> {
        let parked = std::mem::take(&mut *self.parked.lock().unwrap());
        table.store(&parked).map(drop)
    }

    async fn close(&self, table: &Table<Self>) -> Result<(), Error> {
        if !table.rows().is_closed {
            self.flush(table).await?;
        }
        table.rows().is_closed = true;
        Ok(())
    }
}

/// Has not synced its last events.
#[derive(Default)]
struct ForgetsOnReopen;

impl Quirk for ForgetsOnReopen {
    fn survivors(&self, rows: &Rows) -> Vec<AuditEvent> {
        rows.kept[..rows.kept.len() - 2].to_vec()
    }
}

/// A spool that answers at once and hands on when it is flushed: at most so many batches.
#[derive(Default)]
struct Spool<const N_BATCHES: usize> {
    parked: Mutex<VecDeque<Vec<AuditEvent>>>,
}

#[async_trait]
impl<const N_BATCHES: usize> Quirk for Spool<N_BATCHES> {
    fn capabilities() -> Capabilities {
        Capabilities::new()
            .has_exact_receipts(false)
            .is_visible_before_flush(false)
    }

    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        table.rows().admits(events)?;
        self.parked.lock().unwrap().push_back(events.to_vec());
        Ok(Appended::all_stored(events.len()))
    }

    async fn flush(&self, table: &Table<Self>) -> Result<(), Error> {
        let mut parked = self.parked.lock().unwrap();
        let n_batches = std::cmp::min(N_BATCHES, parked.len());
        for batch in parked.drain(..n_batches) {
            drop(table.store(&batch)?);
        }
        Ok(())
    }

    async fn close(&self, table: &Table<Self>) -> Result<(), Error> {
        for batch in self.parked.lock().unwrap().drain(..) {
            drop(table.store(&batch)?);
        }
        table.rows().is_closed = true;
        Ok(())
    }
}

/// Knows that an event was there, and stores it all the same.
#[derive(Default)]
struct StoresTwice;

#[async_trait]
impl Quirk for StoresTwice {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let appended = table.store(events)?;
        let pairs = events.iter().zip(appended.receipts());
        let again = pairs.filter(|(_, receipt)| **receipt == Receipt::AlreadyStored);
        let again: Vec<_> = again.map(|(event, _)| event.clone()).collect();
        table.rows().kept.extend(again);
        Ok(appended)
    }
}

/// Looks for an event in the store, and not among those before it in the batch.
#[derive(Default)]
struct TrustsTheBatch;

#[async_trait]
impl Quirk for TrustsTheBatch {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let receipts: Vec<_> = {
            let mut rows = table.rows();
            rows.admits(events)?;
            events.iter().map(|event| rows.receipt(event)).collect()
        };
        let stored = Appended::new(receipts);
        table.store(events).map(|_| stored)
    }
}

/// Gives receipts from the last event to the first.
#[derive(Default)]
struct AnswersInReverse;

#[async_trait]
impl Quirk for AnswersInReverse {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let mut receipts = table.store(events)?.into_receipts();
        receipts.reverse();
        Ok(Appended::new(receipts))
    }
}

/// Takes an empty batch for a mistake.
#[derive(Default)]
struct RefusesEmptyBatches;

#[async_trait]
impl Quirk for RefusesEmptyBatches {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        if events.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "an empty statement"));
        }
        table.store(events)
    }
}

/// Has room for so many parameters in one statement, and passes over the rest.
#[derive(Default)]
struct CutsLargeBatches;

#[async_trait]
impl Quirk for CutsLargeBatches {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let taken = std::cmp::min(events.len(), 2_340);
        let mut receipts = table.store(&events[..taken])?.into_receipts();
        receipts.resize(events.len(), Receipt::Stored);
        Ok(Appended::new(receipts))
    }
}

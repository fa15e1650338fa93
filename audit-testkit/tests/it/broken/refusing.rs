//! Sinks that answer wrongly for what they cannot store.

use async_trait::async_trait;
use audit_core::event::AuditEvent;
use audit_core::sink::{Appended, Receipt, Refusal, RefusalKind};
use audit_core::{Error, ErrorKind};

use super::catching::catches;
use super::quirk::Quirk;
use super::table::Table;

catches! {
    a_sink_that_swallows_conflicts: SwallowsConflicts =>
        other_content_under_an_id_is_refused,
        also [
            a_refused_event_leaves_its_neighbors,
        ],
        says "is a conflict";
    a_sink_that_compares_without_payloads: ComparesWithoutPayloads =>
        other_content_under_an_id_is_refused,
        says "if it differs in `request_json`";
    a_sink_that_compares_numbers: ComparesNumbers =>
        another_number_makes_no_other_event,
        says "under another number is no other event";
    a_sink_that_overwrites_on_conflict: OverwritesOnConflict =>
        what_was_stored_first_stays,
        also [
            a_refused_event_leaves_its_neighbors,
        ],
        says "what was stored first under an id stays";
    a_sink_that_poisons_the_neighbors: PoisonsNeighbors =>
        a_refused_event_leaves_its_neighbors,
        also [
            an_unstorable_event_is_refused_alone,
        ],
        says "its neighbors are stored";
    a_sink_that_fails_for_one_refused_event: FailsForOneRefused =>
        an_unstorable_event_is_refused_alone,
        says "an append to a store that works is `Ok`";
    a_sink_that_keeps_half_of_a_failed_batch: KeepsHalfOfAFailedBatch =>
        a_failed_batch_keeps_nothing,
        says "a failed batch keeps nothing";
    a_sink_that_keeps_what_fits: KeepsWhatFits =>
        a_full_store_keeps_nothing_of_a_batch,
        says "leaves nothing behind";
}

/// `ON CONFLICT DO NOTHING`, and nobody looks what was there.
#[derive(Default)]
struct SwallowsConflicts;

#[async_trait]
impl Quirk for SwallowsConflicts {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let mut receipts = table.store(events)?.into_receipts();
        for receipt in &mut receipts {
            if is_conflict(receipt) {
                *receipt = Receipt::AlreadyStored;
            }
        }
        Ok(Appended::new(receipts))
    }
}

/// Takes events for equal that differ in their payloads.
#[derive(Default)]
struct ComparesWithoutPayloads;

#[async_trait]
impl Quirk for ComparesWithoutPayloads {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let mut receipts = table.store(events)?.into_receipts();
        for (event, receipt) in events.iter().zip(&mut receipts) {
            let held = table.rows().find(event.id);
            if is_conflict(receipt) && held.is_some_and(|held| *held == **event) {
                *receipt = Receipt::AlreadyStored;
            }
        }
        Ok(Appended::new(receipts))
    }
}

/// Takes a retry by another logger for another event.
#[derive(Default)]
struct ComparesNumbers;

#[async_trait]
impl Quirk for ComparesNumbers {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let mut receipts = table.store(events)?.into_receipts();
        for (event, receipt) in events.iter().zip(&mut receipts) {
            let held = table.rows().find(event.id);
            if *receipt == Receipt::AlreadyStored && held.is_some_and(|held| held != *event) {
                *receipt = Receipt::Refused(Refusal::conflict());
            }
        }
        Ok(Appended::new(receipts))
    }
}

/// `ON CONFLICT DO UPDATE`.
#[derive(Default)]
struct OverwritesOnConflict;

#[async_trait]
impl Quirk for OverwritesOnConflict {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let appended = table.store(events)?;
        for (event, receipt) in events.iter().zip(appended.receipts()) {
            let mut rows = table.rows();
            let place = rows.kept.iter_mut().find(|held| held.id == event.id);
            if let Some(held) = place.filter(|_| is_conflict(receipt)) {
                *held = event.clone();
            }
        }
        Ok(appended)
    }
}

/// Gives up on a batch behind the first event that is refused.
#[derive(Default)]
struct PoisonsNeighbors;

#[async_trait]
impl Quirk for PoisonsNeighbors {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        table.rows().admits(events)?;
        let mut receipts = Vec::new();
        for event in events {
            if let Some(Receipt::Refused(_)) = receipts.last() {
                receipts.push(Receipt::Refused(Refusal::unstorable("not reached")));
                continue;
            }
            let one = table.store(std::slice::from_ref(event))?;
            receipts.extend(one.into_receipts());
        }
        Ok(Appended::new(receipts))
    }
}

/// Answers an event that it cannot hold with an error for its whole batch.
#[derive(Default)]
struct FailsForOneRefused;

#[async_trait]
impl Quirk for FailsForOneRefused {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let is_unstorable = |event: &AuditEvent| {
            let receipt = table.rows().receipt(event);
            matches!(receipt, Receipt::Refused(refusal) if refusal.kind() == RefusalKind::Unstorable)
        };
        if events.iter().any(is_unstorable) {
            return Err(Error::new(ErrorKind::Rejected, "a check constraint"));
        }
        table.store(events)
    }
}

/// Stores half of a batch before it notices that it cannot.
#[derive(Default)]
struct KeepsHalfOfAFailedBatch;

#[async_trait]
impl Quirk for KeepsHalfOfAFailedBatch {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let fails = std::mem::take(&mut table.rows().fails_next);
        if fails {
            drop(table.store(&events[..events.len() / 2])?);
            return Err(Error::new(ErrorKind::Unavailable, "the connection is lost"));
        }
        table.store(events)
    }
}

/// Stores event by event until there is no room.
#[derive(Default)]
struct KeepsWhatFits;

#[async_trait]
impl Quirk for KeepsWhatFits {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let stored = table.store(events);
        if stored
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::Full)
        {
            for event in events {
                drop(table.store(std::slice::from_ref(event))?);
            }
        }
        stored
    }
}

fn is_conflict(receipt: &Receipt) -> bool {
    matches!(receipt, Receipt::Refused(refusal) if refusal.kind() == RefusalKind::Conflict)
}

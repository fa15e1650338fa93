use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::stamper::Stamper;
use crate::event::{
    AuditEvent, EventDraft, InvalidField, Method, Outcome, Role, Seq, Timestamp, WriterId,
};
use crate::payload::{Payload, PayloadContext, PayloadPolicy};

/// The method of a loss event: a record of the logger's own about records that could not be kept.
pub const LOSS_METHOD: &str = "audit/loss";
/// The role of a loss event.
pub const LOSS_ROLE: &str = "audit";

/// Why records could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LossReason {
    /// The sink holds the id with other content.
    Conflict,
    /// The sink held the event before, under another number: this number is in no store.
    Duplicate,
    /// The queue was full, and the policy is to shed.
    QueueFull,
    /// The sink failed in a way that trying again does not mend. Should it have lost its answer
    /// to an earlier try, the record may be stored all the same: a loss is rather told once too
    /// often than not at all.
    SinkFailed,
    /// The sink refuses what the record holds.
    Unstorable,
}

/// What was lost and has not been recorded yet, by reason.
#[derive(Debug, Default)]
pub(super) struct Losses {
    pending: Mutex<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    by_reason: BTreeMap<LossReason, Loss>,
    /// Reasons of which an event is on its way: the next one waits for it, so that loss events
    /// cannot fill a queue.
    on_the_way: BTreeSet<LossReason>,
    /// The sink does not even take what tells of a loss: it is told again when the sink has
    /// stored something, or there would be no end to trying.
    is_held: bool,
}

/// So many records of such a time: what a loss event holds as its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Loss {
    count: u64,
    since: Timestamp,
    until: Timestamp,
}

#[derive(Serialize)]
struct LossForm {
    reason: LossReason,
    #[serde(flatten)]
    loss: Loss,
}

impl Losses {
    /// Counts a record that began at `ts`.
    pub(super) fn add(&self, reason: LossReason, ts: Timestamp) {
        self.lock().add(
            reason,
            Loss {
                count: 1,
                since: ts,
                until: ts,
            },
        );
    }

    /// Takes back what could not be told.
    pub(super) fn hold(&self, reason: LossReason, loss: Loss) {
        let mut pending = self.lock();
        pending.is_held = true;
        pending.on_the_way.remove(&reason);
        pending.add(reason, loss);
    }

    /// The event of this reason was stored.
    pub(super) fn told(&self, reason: LossReason) {
        self.lock().on_the_way.remove(&reason);
    }

    /// The sink stores again: what was held can be told.
    pub(super) fn let_go(&self) {
        self.lock().is_held = false;
    }

    /// What is to be told now; each loss is told once.
    pub(super) fn take(&self) -> Vec<(LossReason, Loss)> {
        let mut pending = self.lock();
        let Pending {
            by_reason,
            on_the_way,
            is_held,
        } = &mut *pending;
        if *is_held {
            return Vec::new();
        }
        let mut ready = Vec::new();
        by_reason.retain(|reason, loss| {
            let is_ready = on_the_way.insert(*reason);
            if is_ready {
                ready.push((*reason, *loss));
            }
            !is_ready
        });
        ready
    }

    /// How many records were lost of which no event tells.
    pub(super) fn n_untold(&self) -> u64 {
        self.lock().by_reason.values().map(|loss| loss.count).sum()
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn add(&mut self, reason: LossReason, more: Loss) {
        let loss = self
            .by_reason
            .entry(reason)
            .or_insert(Loss { count: 0, ..more });
        loss.count += more.count;
        loss.since = std::cmp::min(loss.since, more.since);
        loss.until = std::cmp::max(loss.until, more.until);
    }
}

/// The event that tells of a loss.
pub(super) fn event(
    reason: LossReason,
    loss: Loss,
    stamper: &Stamper,
    writer: &WriterId,
) -> Result<AuditEvent, InvalidField> {
    let policy = PayloadPolicy::default();
    let (ts, id) = stamper.stamp(None);
    EventDraft::new(Method::new(LOSS_METHOD)?)
        .role(Role::new(LOSS_ROLE)?)
        .ts(ts)
        .id(id)
        .outcome(Outcome::InternalError)
        .request(Payload::from_serialize(
            &LossForm { reason, loss },
            &PayloadContext::request(&policy),
        ))
        .stamp(writer.clone(), Seq::FIRST)
}

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
#[non_exhaustive]
pub enum LossReason {
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
    /// No record could begin, and the gateway let the call go on without one
    /// ([`tell_unrecorded`](crate::AuditLogger::tell_unrecorded)).
    Unrecorded,
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
///
/// A logger tells its own losses. A sink that loses what it answered for, such as a spool whose
/// store refuses an event, tells it by an event of its own: [`draft`](Self::draft).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    count: u64,
    since: Timestamp,
    until: Timestamp,
}

impl Loss {
    /// One record of a call that began at `ts`.
    #[must_use]
    pub const fn one(ts: Timestamp) -> Self {
        Self {
            count: 1,
            since: ts,
            until: ts,
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            since: std::cmp::min(self.since, other.since),
            until: std::cmp::max(self.until, other.until),
        }
    }

    /// The event that tells of the loss, without id, moment and number: method [`LOSS_METHOD`],
    /// role [`LOSS_ROLE`], reason, count and time window as its request.
    ///
    /// # Errors
    /// Never: every field is this crate's own.
    pub fn draft(self, reason: LossReason) -> Result<EventDraft, InvalidField> {
        let policy = PayloadPolicy::default();
        let form = LossForm { reason, loss: self };
        let request = Payload::from_serialize(&form, &PayloadContext::request(&policy));
        Ok(EventDraft::new(Method::new(LOSS_METHOD)?)
            .role(Role::new(LOSS_ROLE)?)
            .outcome(Outcome::InternalError)
            .request(request))
    }
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
        self.lock().add(reason, Loss::one(ts));
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
        let loss = self.by_reason.entry(reason);
        loss.and_modify(|loss| *loss = loss.and(more))
            .or_insert(more);
    }
}

/// The event that tells of a loss.
pub(super) fn event(
    reason: LossReason,
    loss: Loss,
    stamper: &Stamper,
    writer: &WriterId,
) -> Result<AuditEvent, InvalidField> {
    let (ts, id) = stamper.stamp(None);
    loss.draft(reason)?
        .ts(ts)
        .id(id)
        .stamp(writer.clone(), Seq::FIRST)
}

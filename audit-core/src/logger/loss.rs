use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::stamper::Stamper;
use crate::event::{AuditEvent, EventDraft, Method, Outcome, Role, Seq, Timestamp, WriterId};
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
    /// The queue was full, and the policy is to shed.
    QueueFull,
    /// The sink failed in a way that trying again does not mend.
    SinkFailed,
    /// The sink refuses what the record holds.
    Unstorable,
}

/// What was lost and has not been recorded yet, by reason.
#[derive(Debug, Default)]
pub(super) struct Losses {
    pending: Mutex<BTreeMap<LossReason, Loss>>,
}

/// What a loss event holds as its request.
#[derive(Clone, Copy, Debug, Serialize)]
struct Loss {
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
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let loss = pending.entry(reason).or_insert(Loss {
            count: 0,
            since: ts,
            until: ts,
        });
        loss.count += 1;
        loss.since = std::cmp::min(loss.since, ts);
        loss.until = std::cmp::max(loss.until, ts);
    }

    /// Turns what was lost into events; each loss is told once.
    pub(super) fn take_events(&self, stamper: &Stamper, writer: &WriterId) -> Vec<AuditEvent> {
        let pending =
            std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        pending
            .into_iter()
            .filter_map(|(reason, loss)| event(LossForm { reason, loss }, stamper, writer))
            .collect()
    }
}

/// Whether the record is the logger's own about a loss: the loss of such a record is told to
/// `tracing` alone, or there would be no end to it.
pub(super) fn is_loss_event(event: &AuditEvent) -> bool {
    event.method.as_str() == LOSS_METHOD && event.role.as_str() == LOSS_ROLE
}

fn event(form: LossForm, stamper: &Stamper, writer: &WriterId) -> Option<AuditEvent> {
    let policy = PayloadPolicy::default();
    let (ts, id) = stamper.stamp(None);
    let event = EventDraft::new(Method::new(LOSS_METHOD).ok()?)
        .role(Role::new(LOSS_ROLE).ok()?)
        .ts(ts)
        .id(id)
        .outcome(Outcome::InternalError)
        .request(Payload::from_serialize(
            &form,
            &PayloadContext::request(&policy),
        ))
        .stamp(writer.clone(), Seq::FIRST);
    event.ok()
}

use std::sync::Arc;
use std::time::Duration;

use super::acknowledgement::{Answer, Recorded};
use super::audit_logger::Shared;
use super::last_answers::Waiting;
use super::loss::LossReason;
use super::queue::{Entry, Origin};
use crate::error::Error;
use crate::event::{AuditEvent, EventId};
use crate::sink::{Appended, Durability, Receipt, Refusal, RefusalKind};

/// Records on their way through the sink. Those that were answered for are at the front; what is
/// still open when it is dropped goes back to the queue.
#[derive(Debug)]
pub(super) struct Batch {
    shared: Arc<Shared>,
    entries: Vec<Entry>,
    /// When the first of them entered the queue.
    since: Option<Duration>,
    events: Vec<AuditEvent>,
    n_settled: usize,
    /// Where stretches of records end, the innermost last: all of them, or halves of halves while
    /// a record is looked for at which the sink fails.
    ends: Vec<usize>,
    /// Whether an append of the batch failed in a way that leaves open whether it was stored.
    is_in_doubt: bool,
}

impl Batch {
    pub(super) fn new(shared: Arc<Shared>, entries: Vec<Entry>) -> Self {
        let events: Vec<_> = entries.iter().map(|entry| entry.event.clone()).collect();
        let ends = vec![events.len()];
        Self {
            shared,
            since: entries.first().map(|entry| entry.entered),
            entries,
            events,
            n_settled: 0,
            ends,
            is_in_doubt: false,
        }
    }

    pub(super) fn is_settled(&self) -> bool {
        self.ends.is_empty()
    }

    /// What the sink is given next.
    pub(super) fn tried(&self) -> &[AuditEvent] {
        &self.events[self.n_settled..self.end()]
    }

    /// Remembers that the answer to an append may have been lost.
    pub(super) fn doubt(&mut self) {
        self.is_in_doubt = true;
    }

    /// Tries half as many at once, to find the one that the sink fails at; `false` if it is
    /// one alone.
    pub(super) fn halve(&mut self) -> bool {
        let n_tried = self.end() - self.n_settled;
        if n_tried > 1 {
            self.ends.push(self.n_settled + n_tried / 2);
        }
        n_tried > 1
    }

    /// Answers the callers of what was tried; gives back the intents that this settles, and the
    /// callers who wait for the last store.
    pub(super) fn settle(&mut self, appended: Appended) -> (Vec<EventId>, Option<Waiting>) {
        let tried = self.n_settled..self.end();
        let (receipts, last_answer) = appended.into_parts();
        if receipts.iter().any(Receipt::is_kept) {
            self.shared.losses.let_go();
        }
        let now = self.shared.stamper.monotonic();
        let (mut intents, mut callers) = (Vec::new(), Vec::new());
        let entries = self.entries[tried].iter_mut().enumerate();
        for ((place, entry), receipt) in entries.zip(receipts) {
            if receipt.is_kept() {
                self.shared.meters.kept(now.saturating_sub(entry.entered));
                if last_answer.is_some() {
                    let last: Option<Answer> = entry.answers.last.take();
                    callers.extend(last.map(|answer| (place, answer)));
                }
            }
            if is_intended(entry) {
                intents.push(entry.event.id);
            }
            settle_one(&self.shared, entry, receipt, self.is_in_doubt);
        }
        self.go_on();
        let waiting = last_answer
            .filter(|_| !callers.is_empty())
            .map(|answer| Waiting { answer, callers });
        (intents, waiting)
    }

    /// Tells the callers of what was tried that it failed for good.
    pub(super) fn fail(&mut self, error: &Error) {
        let tried = self.n_settled..self.end();
        if let Some(n_held_back) = self.shared.admits(&self.shared.failures) {
            let n_events = tried.len();
            tracing::error!(%error, n_events, n_held_back, "audit events were not stored");
        }
        let answer = Err(error.clone());
        for entry in &mut self.entries[tried] {
            self.shared.meters.failed.add_one();
            lose(&self.shared, entry, LossReason::SinkFailed);
            entry.answers.answer(&answer);
        }
        self.go_on();
    }

    fn end(&self) -> usize {
        self.ends.last().copied().unwrap_or(self.n_settled)
    }

    /// Gives back the room of what was tried, and goes on behind it.
    fn go_on(&mut self) {
        let end = self.end();
        self.shared
            .queue
            .release(&self.entries[self.n_settled..end]);
        self.n_settled = end;
        self.ends.pop();
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let open = self.entries.split_off(self.n_settled);
        self.shared.queue.put_back(self.since, open);
    }
}

/// Whether an intent stands for the record.
const fn is_intended(entry: &Entry) -> bool {
    match entry.origin {
        Origin::Call { is_announced, .. } => is_announced,
        Origin::Interrupted => true,
        Origin::Loss(..) => false,
    }
}

fn settle_one(shared: &Shared, entry: &mut Entry, receipt: Receipt, is_in_doubt: bool) {
    if let Origin::Loss(reason, _) = entry.origin
        && receipt.is_kept()
    {
        shared.losses.told(reason);
    }
    let recorded = match receipt {
        Receipt::Stored => {
            shared.meters.stored.add_one();
            Ok(match shared.durability {
                Durability::Spooled => Recorded::Spooled,
                Durability::Committed | Durability::Queued => Recorded::Stored,
            })
        }
        Receipt::AlreadyStored => already_stored(shared, entry, is_in_doubt),
        // What is only presumed of a call gives way to what the store knows of it.
        Receipt::Refused(refusal)
            if matches!(entry.origin, Origin::Interrupted)
                && refusal.kind() == RefusalKind::Conflict =>
        {
            already_stored(shared, entry, false)
        }
        Receipt::Refused(refusal) => Err(refuse(shared, entry, refusal)),
    };
    entry.answers.answer(&recorded);
}

fn already_stored(shared: &Shared, entry: &Entry, is_in_doubt: bool) -> Result<Recorded, Error> {
    shared.meters.duplicates.add_one();
    // Unless it was this very batch that stored it, its number is in no store.
    if !is_in_doubt && !matches!(entry.origin, Origin::Loss(..)) {
        shared.losses.add(LossReason::Duplicate, entry.event.ts);
    }
    Ok(Recorded::AlreadyStored)
}

fn refuse(shared: &Shared, entry: &Entry, refusal: Refusal) -> Error {
    shared.meters.refused.add_one();
    let reason = match refusal.kind() {
        RefusalKind::Conflict => LossReason::Conflict,
        RefusalKind::Unstorable => LossReason::Unstorable,
    };
    if let Some(n_held_back) = shared.admits(&shared.refusals) {
        let (id, seq) = (entry.event.id, entry.event.seq);
        tracing::error!(%id, %seq, ?reason, n_held_back, "the store refuses an audit event");
    }
    lose(shared, entry, reason);
    refusal.into()
}

fn lose(shared: &Shared, entry: &Entry, reason: LossReason) {
    match entry.origin {
        Origin::Call { .. } | Origin::Interrupted => shared.losses.add(reason, entry.event.ts),
        Origin::Loss(reason, loss) => shared.losses.hold(reason, loss),
    }
}

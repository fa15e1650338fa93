use std::sync::Arc;

use super::acknowledgement::Recorded;
use super::audit_logger::Shared;
use super::loss::LossReason;
use super::queue::{Entry, Origin};
use crate::error::Error;
use crate::event::AuditEvent;
use crate::sink::{Receipt, Refusal, RefusalKind};

/// Records on their way through the sink. Those that were answered for are at the front; what is
/// still open when it is dropped goes back to the queue.
#[derive(Debug)]
pub(super) struct Batch {
    shared: Arc<Shared>,
    entries: Vec<Entry>,
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

    /// Answers the callers of what was tried.
    pub(super) fn settle(&mut self, receipts: Vec<Receipt>) {
        let tried = self.n_settled..self.end();
        if receipts.iter().any(Receipt::is_kept) {
            self.shared.losses.let_go();
        }
        for (entry, receipt) in self.entries[tried].iter_mut().zip(receipts) {
            settle_one(&self.shared, entry, receipt, self.is_in_doubt);
        }
        self.go_on();
    }

    /// Tells the callers of what was tried that it failed for good.
    pub(super) fn fail(&mut self, error: &Error) {
        let tried = self.n_settled..self.end();
        tracing::error!(%error, n_events = tried.len(), "audit events were not stored");
        for entry in &mut self.entries[tried] {
            self.shared.counters.failed.add_one();
            lose(&self.shared, entry, LossReason::SinkFailed);
            answer(entry, Err(error.clone()));
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
        self.shared.queue.put_back(open);
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
            shared.counters.stored.add_one();
            Ok(Recorded::Stored)
        }
        Receipt::AlreadyStored => {
            shared.counters.duplicates.add_one();
            // Unless it was this very batch that stored it, its number is in no store.
            if !is_in_doubt && matches!(entry.origin, Origin::Call { .. }) {
                shared.losses.add(LossReason::Duplicate, entry.event.ts);
            }
            Ok(Recorded::AlreadyStored)
        }
        Receipt::Refused(refusal) => Err(refuse(shared, entry, refusal)),
    };
    answer(entry, recorded);
}

fn refuse(shared: &Shared, entry: &Entry, refusal: Refusal) -> Error {
    shared.counters.refused.add_one();
    let reason = match refusal.kind() {
        RefusalKind::Conflict => LossReason::Conflict,
        RefusalKind::Unstorable => LossReason::Unstorable,
    };
    let event = &entry.event;
    tracing::error!(id = %event.id, seq = %event.seq, ?reason, "the store refuses an audit event");
    lose(shared, entry, reason);
    refusal.into()
}

fn lose(shared: &Shared, entry: &Entry, reason: LossReason) {
    match entry.origin {
        Origin::Call { .. } => shared.losses.add(reason, entry.event.ts),
        Origin::Loss(reason, loss) => shared.losses.hold(reason, loss),
    }
}

fn answer(entry: &mut Entry, recorded: Result<Recorded, Error>) {
    if let Some(answer) = entry.answer.take() {
        // Nobody may be listening any more: the caller left, and the record is where it is.
        drop(answer.send(recorded));
    }
}

use super::acknowledgement::Recorded;
use super::audit_logger::Shared;
use super::loss::LossReason;
use super::queue::{Entry, Origin};
use crate::error::{Error, ErrorKind};
use crate::event::AuditEvent;
use crate::sink::{Receipt, Refusal, RefusalKind};

/// Records on their way through the sink. Those that were answered for are at the front.
#[derive(Debug)]
pub(super) struct Batch {
    entries: Vec<Entry>,
    events: Vec<AuditEvent>,
    n_settled: usize,
    /// How many of the open records go to the sink next; fewer than all while a record that the
    /// sink refuses as a whole is being looked for.
    n_tried: usize,
}

impl Batch {
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        let events = entries.iter().map(|entry| entry.event.clone()).collect();
        Self {
            n_tried: entries.len(),
            entries,
            events,
            n_settled: 0,
        }
    }

    pub(super) fn is_settled(&self) -> bool {
        self.n_settled == self.entries.len()
    }

    /// What the sink is given next.
    pub(super) fn tried(&self) -> &[AuditEvent] {
        &self.events[self.n_settled..self.n_settled + self.n_tried]
    }

    /// Tries half as many at once, to find the one that the sink fails at; `false` if it was
    /// one alone.
    pub(super) fn halve(&mut self) -> bool {
        let can_halve = self.n_tried > 1;
        self.n_tried = self.n_tried.div_ceil(2);
        can_halve
    }

    /// Answers the callers of what was tried.
    pub(super) fn settle(&mut self, shared: &Shared, receipts: Vec<Receipt>) {
        let tried = self.n_settled..self.n_settled + self.n_tried;
        if receipts.iter().any(Receipt::is_kept) {
            shared.losses.let_go();
        }
        for (entry, receipt) in self.entries[tried].iter_mut().zip(receipts) {
            settle_one(shared, entry, receipt);
        }
        self.go_on(shared);
    }

    /// Tells the callers of what was tried that it failed for good.
    pub(super) fn fail(&mut self, shared: &Shared, error: &Error) {
        let tried = self.n_settled..self.n_settled + self.n_tried;
        for entry in &mut self.entries[tried] {
            shared.counters.failed.add_one();
            lose(shared, entry, LossReason::SinkFailed);
            answer(entry, Err(error.clone()));
        }
        self.go_on(shared);
    }

    /// The records that nobody answered for.
    pub(super) fn into_open(mut self) -> Vec<Entry> {
        self.entries.split_off(self.n_settled)
    }

    /// Gives back the room of what was tried, and goes on with all the rest.
    fn go_on(&mut self, shared: &Shared) {
        let end = self.n_settled + self.n_tried;
        shared.queue.release(&self.entries[self.n_settled..end]);
        self.n_settled = end;
        self.n_tried = self.entries.len() - end;
    }
}

fn settle_one(shared: &Shared, entry: &mut Entry, receipt: Receipt) {
    let recorded = match receipt {
        Receipt::Stored => {
            shared.counters.stored.add_one();
            Ok(Recorded::Stored)
        }
        Receipt::AlreadyStored => {
            shared.counters.duplicates.add_one();
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
    lose(shared, entry, reason);
    Error::with_source(ErrorKind::Rejected, "the store refuses the event", refusal)
}

fn lose(shared: &Shared, entry: &Entry, reason: LossReason) {
    let event = &entry.event;
    tracing::error!(id = %event.id, writer = %event.writer, seq = %event.seq, ?reason, "an audit event was not stored");
    match entry.origin {
        Origin::Call { .. } => shared.losses.add(reason, event.ts),
        Origin::Loss(reason, loss) => shared.losses.hold(reason, loss),
    }
}

fn answer(entry: &mut Entry, recorded: Result<Recorded, Error>) {
    if let Some(answer) = entry.answer.take() {
        // Nobody listens any more: the caller left, and the record is where it is.
        drop(answer.send(recorded));
    }
}

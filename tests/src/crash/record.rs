use std::collections::HashMap;

use audit_core::event::{EventId, Outcome};

use super::journal::{Answer, Line};

/// What the callers of all rounds learned.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub(super) n_rounds: usize,
    pub(super) n_kills: usize,
    pub(super) calls: HashMap<EventId, Call>,
    /// Answers that promise something.
    pub(super) n_ok: usize,
    pub(super) n_failed: usize,
    /// Events that a caller was told were in the store, and that were not there after the kill.
    pub(super) late: Vec<EventId>,
}

/// What is known of a call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Call {
    pub(super) is_announced: bool,
    /// The outcome that its caller was told is kept.
    pub(super) kept: Option<Outcome>,
}

impl Record {
    /// Nothing was learned yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A call may run.
    pub fn begun(&mut self, id: EventId, is_announced: bool) {
        self.calls.entry(id).or_default().is_announced |= is_announced;
    }

    /// A caller was told that its record is kept.
    pub fn kept(&mut self, id: EventId, outcome: Outcome) {
        self.n_ok += 1;
        self.calls.entry(id).or_default().kept = Some(outcome);
    }

    /// Takes a line of a victim; gives back the event that is in the store by now.
    pub(super) fn take(&mut self, line: Line) -> Option<EventId> {
        match line {
            Line::Begun { id, is_announced } => self.begun(id, is_announced),
            Line::Failed => self.n_failed += 1,
            Line::Opened => {}
            Line::Told {
                answer: Answer::Queued,
                ..
            } => {}
            Line::Told {
                id,
                answer,
                outcome,
            } => {
                self.kept(id, outcome);
                return (answer == Answer::Stored).then_some(id);
            }
        }
        None
    }
}

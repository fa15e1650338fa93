use std::collections::HashMap;

use audit_core::event::{AuditEvent, EventDraft, EventId};
use audit_core::reader::{Condition, Filter, PageRequest};
use audit_core::{AuditReader, Error};

/// What the store has of a batch before it is recorded.
///
/// A logger numbers an event before it hears that the store has it; then a number is in no store, and
/// the logger tells of a loss. Whoever sends a batch again should not fill the trail with those.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<EventId, AuditEvent>);

/// As many ids are asked for at once: every store takes as many terms.
const AT_ONCE: usize = 500;

impl Known {
    /// Asks for these ids.
    ///
    /// # Errors
    /// The store does not answer.
    pub(super) async fn ask(reader: &dyn AuditReader, ids: &[EventId]) -> Result<Self, Error> {
        let mut known = HashMap::new();
        for ids in ids.chunks(AT_ONCE) {
            let terms = ids.iter().copied().map(Condition::Id);
            let filter = terms.fold(Filter::all(), Filter::with);
            let page = reader
                .page_with_payloads(&PageRequest::new(filter).limit(ids.len())?)
                .await?;
            known.extend(page.events.into_iter().map(|event| (event.id, event)));
        }
        Ok(Self(known))
    }

    /// Whether the store has this very event. One that has its id and says something else goes to the
    /// store all the same, which sets it aside: that somebody tried is worth keeping.
    pub(super) fn has(&self, id: EventId, draft: &EventDraft) -> bool {
        self.0.get(&id).is_some_and(|stored| {
            let numbered = draft.clone().stamp(stored.writer.clone(), stored.seq);
            numbered.is_ok_and(|event| event.is_same_fact(stored))
        })
    }
}

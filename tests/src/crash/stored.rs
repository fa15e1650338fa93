use std::collections::{BTreeMap, BTreeSet};

use audit_core::Error;
use audit_core::event::{EventId, Outcome, Seq, WriterId};
use audit_core::reader::{AuditReader, Filter, Order, PageRequest, SeqGap};

/// What a store says after the last run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Stored {
    /// Everything that it lists.
    pub events: Vec<StoredEvent>,
    /// The numbers that it says are missing, by writer.
    pub gaps: BTreeMap<String, Vec<SeqGap>>,
    /// What was refused for good.
    pub n_dead_letters: usize,
}

/// As much of an event as the proof looks at.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredEvent {
    /// Its id.
    pub id: EventId,
    /// Who numbered it.
    pub writer: String,
    /// Its number.
    pub seq: Seq,
    /// What came of the call.
    pub outcome: Outcome,
}

const MOST_GAPS: usize = 100_000;

impl StoredEvent {
    /// An event of a writer.
    #[must_use]
    pub fn new(id: EventId, writer: &str, seq: Seq, outcome: Outcome) -> Self {
        Self {
            id,
            writer: writer.to_owned(),
            seq,
            outcome,
        }
    }
}

impl Stored {
    /// Reads everything.
    pub(super) async fn read(
        reader: &dyn AuditReader,
        n_dead_letters: usize,
    ) -> Result<Self, Error> {
        let events = list(reader).await?;
        let writers: BTreeSet<&str> = events.iter().map(|event| &*event.writer).collect();
        let mut gaps = BTreeMap::new();
        for writer in writers {
            let of_writer = reader.gaps(&WriterId::new(writer)?, MOST_GAPS).await?;
            gaps.insert(writer.to_owned(), of_writer);
        }
        Ok(Self {
            events,
            gaps,
            n_dead_letters,
        })
    }
}

async fn list(reader: &dyn AuditReader) -> Result<Vec<StoredEvent>, Error> {
    let first = PageRequest::new(Filter::all())
        .order(Order::OldestFirst)
        .limit(PageRequest::MAX_LIMIT)?;
    let mut events = Vec::new();
    let mut request = first.clone();
    loop {
        let page = reader.page(&request).await?;
        events.extend(page.events.iter().map(|event| {
            StoredEvent::new(event.id, event.writer.as_str(), event.seq, event.outcome)
        }));
        match page.next {
            Some(next) => request = first.clone().cursor(next)?,
            None => return Ok(events),
        }
    }
}

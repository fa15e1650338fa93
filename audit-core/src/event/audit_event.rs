use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::draft::EventDraft;
use super::metadata::{EventMetadata, EventSummary, PayloadReports};
use super::sequence::Seq;
use super::text::{Method, WriterId};
use crate::payload::Payload;

/// One immutable fact about one call: who, what, when, with what decision, what came of it.
///
/// A handle to a shared record: a clone costs a counter. The fields are read through
/// [`EventMetadata`], to which it dereferences; nothing can change them. `Debug` shows no payload.
///
/// # Examples
/// ```
/// use audit_core::event::{AuditEvent, EventId, Method, Outcome, Seq, Timestamp, WriterId};
///
/// let ts = Timestamp::from_micros(1_700_000_000_000_000)?;
/// let event = AuditEvent::draft(Method::new("tools/list")?)
///     .ts(ts)
///     .id(EventId::new(ts, 7))
///     .outcome(Outcome::Ok)
///     .stamp(WriterId::new("gateway-1")?, Seq::FIRST)?;
/// assert_eq!(event.status_code.as_u16(), 200);
/// # Ok::<(), audit_core::event::InvalidField>(())
/// ```
#[derive(Clone)]
pub struct AuditEvent(Arc<Record>);

/// What an event holds.
#[derive(PartialEq, Eq)]
pub(crate) struct Record {
    pub(super) metadata: EventMetadata,
    pub(super) request: Option<Payload>,
    pub(super) response: Option<Payload>,
}

impl AuditEvent {
    /// Begins an event of a method.
    pub fn draft(method: Method) -> EventDraft {
        EventDraft::new(method)
    }

    pub(super) fn from_record(record: Record) -> Self {
        Self(Arc::new(record))
    }

    /// Gives the number of an event that nobody shares yet: the queue's, when a record enters.
    pub(crate) fn set_seq(&mut self, seq: Seq) {
        let record = Arc::get_mut(&mut self.0);
        debug_assert!(record.is_some(), "an event is numbered before it is shared");
        if let Some(record) = record {
            record.metadata.seq = seq;
        }
    }

    /// The same fact, as this writer tells it; a queue gives it the number.
    pub(crate) fn of_writer(&self, writer: WriterId) -> Self {
        let record = &*self.0;
        Self(Arc::new(Record {
            metadata: EventMetadata {
                writer,
                ..record.metadata.clone()
            },
            request: record.request.clone(),
            response: record.response.clone(),
        }))
    }

    /// What the caller sent.
    #[must_use]
    pub fn request(&self) -> Option<&Payload> {
        self.0.request.as_ref()
    }

    /// What the tool answered.
    #[must_use]
    pub fn response(&self) -> Option<&Payload> {
        self.0.response.as_ref()
    }

    /// Whether both say the same, whoever numbered them: equal but for writer and number.
    ///
    /// What a store compares when an id comes again. A retry of the same event by another logger,
    /// or under another number of the same one, is no other event.
    #[must_use]
    pub fn is_same_fact(&self, other: &Self) -> bool {
        if Arc::ptr_eq(&self.0, &other.0) {
            return true;
        }
        let (mine, theirs) = (&*self.0, &*other.0);
        mine.metadata.is_same_fact(&theirs.metadata)
            && mine.request == theirs.request
            && mine.response == theirs.response
    }

    /// The event without its payloads, as lists show it.
    #[must_use]
    pub fn summary(&self) -> EventSummary {
        EventSummary {
            metadata: self.0.metadata.clone(),
            payload_report: PayloadReports {
                request: self.request().map(|payload| payload.report().clone()),
                response: self.response().map(|payload| payload.report().clone()),
            },
        }
    }

    /// The bytes that the event takes in memory, rounded up: what byte budgets count.
    #[must_use]
    pub fn size_in_memory(&self) -> usize {
        super::size::of_record(&self.0)
    }
}

impl Deref for AuditEvent {
    type Target = EventMetadata;

    fn deref(&self) -> &EventMetadata {
        &self.0.metadata
    }
}

impl PartialEq for AuditEvent {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for AuditEvent {}

impl fmt::Debug for AuditEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditEvent")
            .field("metadata", &self.0.metadata)
            .field("request", &self.0.request)
            .field("response", &self.0.response)
            .finish()
    }
}

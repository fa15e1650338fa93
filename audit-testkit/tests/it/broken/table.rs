//! The plainest store there is, with a place for one thing to be wrong.

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use audit_core::event::{AuditEvent, EventId, EventSummary, WriterId};
use audit_core::reader::{
    AuditReader, Count, Filter, FollowFrom, FollowPosition, FollowRequest, Followed, FollowedEvent,
    Page, PageRequest, SeqGap, Statistics, StatisticsRequest,
};
use audit_core::sink::{Appended, AuditSink, Durability, Forwarding, Health, Receipt, Refusal};
use audit_core::{Error, ErrorKind};
use tokio::sync::Notify;

use super::quirk::Quirk;

/// A store: its rows in the order of commit.
pub(super) struct Table<Q> {
    shared: Arc<Shared<Q>>,
}

struct Shared<Q> {
    quirk: Q,
    rows: Mutex<Rows>,
    committed: Notify,
}

#[derive(Default)]
pub(super) struct Rows {
    pub(super) kept: Vec<AuditEvent>,
    pub(super) is_closed: bool,
    pub(super) fails_next: bool,
    pub(super) room: Option<usize>,
    pub(super) unstorable: Option<EventId>,
}

impl Rows {
    pub(super) fn find(&self, id: EventId) -> Option<AuditEvent> {
        self.kept.iter().find(|event| event.id == id).cloned()
    }

    /// Whether the whole batch can be stored now.
    pub(super) fn admits(&mut self, events: &[AuditEvent]) -> Result<(), Error> {
        if self.is_closed {
            return Err(Error::new(ErrorKind::Closed, "closed"));
        }
        if std::mem::take(&mut self.fails_next) {
            return Err(Error::new(ErrorKind::Internal, "failed on request"));
        }
        let is_new = |event: &&AuditEvent| self.find(event.id).is_none();
        let n_new = events.iter().filter(is_new).count();
        if self.room.is_some_and(|room| self.kept.len() + n_new > room) {
            return Err(Error::new(ErrorKind::Full, "full"));
        }
        Ok(())
    }

    /// What becomes of one event; it is not stored yet.
    pub(super) fn receipt(&self, event: &AuditEvent) -> Receipt {
        if self.unstorable == Some(event.id) {
            return Receipt::Refused(Refusal::unstorable("not here"));
        }
        match self.find(event.id) {
            None => Receipt::Stored,
            Some(held) if held.is_same_fact(event) => Receipt::AlreadyStored,
            Some(_) => Receipt::Refused(Refusal::conflict()),
        }
    }

    pub(super) fn insert(&mut self, event: &AuditEvent) -> Receipt {
        let receipt = self.receipt(event);
        if receipt == Receipt::Stored {
            self.kept.push(event.clone());
        }
        receipt
    }
}

impl<Q: Quirk> Table<Q> {
    pub(super) fn new(rows: Rows) -> Self {
        Self {
            shared: Arc::new(Shared {
                quirk: Q::default(),
                rows: Mutex::new(rows),
                committed: Notify::new(),
            }),
        }
    }

    pub(super) fn quirk(&self) -> &Q {
        &self.shared.quirk
    }

    pub(super) fn rows(&self) -> MutexGuard<'_, Rows> {
        self.shared.rows.lock().unwrap()
    }

    pub(super) fn store(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let mut rows = self.rows();
        rows.admits(events)?;
        let receipts = events.iter().map(|event| rows.insert(event)).collect();
        drop(rows);
        self.shared.committed.notify_waiters();
        Ok(Appended::new(receipts))
    }

    pub(super) fn state(&self) -> Health {
        if self.rows().is_closed {
            Health::unavailable("closed")
        } else {
            Health::ready()
        }
    }

    /// What matches, by id.
    pub(super) fn list(&self, filter: &Filter, is_ascending: bool) -> Vec<AuditEvent> {
        let rows = self.rows();
        let matching = rows.kept.iter().filter(|event| filter.matches(event));
        let mut list: Vec<_> = matching.cloned().collect();
        list.sort_by_key(|event| event.id);
        if !is_ascending {
            list.reverse();
        }
        list
    }

    pub(super) fn scan(&self, request: &PageRequest) -> Vec<AuditEvent> {
        let scan = request.scan();
        let mut list = self.list(request.filter(), scan.is_ascending);
        list.retain(|event| match scan.bound {
            None => true,
            Some(bound) if scan.is_ascending => event.id > bound,
            Some(bound) => event.id < bound,
        });
        list.truncate(scan.limit);
        list
    }

    pub(super) fn n_matching(&self, filter: &Filter) -> u64 {
        u64::try_from(self.list(filter, true).len()).unwrap()
    }

    pub(super) fn seqs(&self, writer: &WriterId) -> Vec<audit_core::event::Seq> {
        let rows = self.rows();
        let of_writer = rows.kept.iter().filter(|event| event.writer == *writer);
        let mut seqs: Vec<_> = of_writer.map(|event| event.seq).collect();
        seqs.sort();
        seqs
    }

    /// The number of rows behind which a follower begins.
    pub(super) fn position(&self, request: &FollowRequest) -> Result<usize, Error> {
        match request.begins() {
            FollowFrom::After(position) => self.read_position(position),
            FollowFrom::Now => Ok(self.rows().kept.len()),
            _ => Ok(0),
        }
    }

    pub(super) fn read_position(&self, position: &FollowPosition) -> Result<usize, Error> {
        let foreign = || Error::new(ErrorKind::Invalid, "a position of another table");
        let (key, index) = position.as_str().split_once('-').ok_or_else(foreign)?;
        if key != self.key() {
            return Err(foreign());
        }
        index.parse().map_err(|_| foreign())
    }

    pub(super) fn write_position(&self, index: usize) -> FollowPosition {
        FollowPosition::new(format!("{}-{index}", self.key())).unwrap()
    }

    /// The address of the table: no two that live have the same.
    fn key(&self) -> String {
        format!("{:p}", Arc::as_ptr(&self.shared))
    }

    pub(super) async fn follow_from(
        &self,
        begin: usize,
        request: &FollowRequest,
    ) -> Result<Followed, Error> {
        let mut position = begin;
        let look = async {
            loop {
                let committed = self.shared.committed.notified();
                let events = self.look(request, &mut position);
                if !events.is_empty() || request.max_wait().is_zero() {
                    return events;
                }
                committed.await;
            }
        };
        let found = tokio::time::timeout(request.max_wait(), look).await;
        let position = self.write_position(position);
        Ok(Followed::new(found.unwrap_or_default(), position))
    }

    pub(super) fn look(&self, request: &FollowRequest, position: &mut usize) -> Vec<FollowedEvent> {
        let rows = self.rows();
        let mut events = Vec::new();
        for event in rows.kept.iter().skip(*position) {
            *position += 1;
            if request.filter().matches(event) {
                let event = self.shared.quirk.shown(event);
                events.push(FollowedEvent::new(self.write_position(*position), event));
            }
            if events.len() == request.max_events() {
                break;
            }
        }
        events
    }

    fn page_shown(&self, request: &PageRequest) -> Page<AuditEvent> {
        let quirk = &self.shared.quirk;
        let mut page = quirk.page(self, request);
        for event in &mut page.events {
            *event = quirk.shown(event);
        }
        page
    }
}

#[async_trait]
impl<Q: Quirk> AuditSink for Table<Q> {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        self.shared.quirk.append(self, events).await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.shared.quirk.flush(self).await
    }

    async fn health(&self) -> Health {
        self.shared.quirk.health(self)
    }

    async fn close(&self) -> Result<(), Error> {
        self.shared.quirk.close(self).await
    }

    fn durability(&self) -> Durability {
        Durability::Committed
    }

    fn forwarding(&self) -> Option<Forwarding> {
        None
    }
}

#[async_trait]
impl<Q: Quirk> AuditReader for Table<Q> {
    async fn get(&self, id: EventId) -> Result<Option<AuditEvent>, Error> {
        let quirk = &self.shared.quirk;
        Ok(quirk.get(self, id).map(|event| quirk.shown(&event)))
    }

    async fn page(&self, request: &PageRequest) -> Result<Page<EventSummary>, Error> {
        let page = self.page_shown(request);
        let quirk = &self.shared.quirk;
        let rows = page.events.iter().map(|event| quirk.summary(event));
        // The same cursors, whatever is wrong with the events.
        let mut summaries = Page::assemble(request, rows.collect());
        (summaries.next, summaries.previous) = (page.next, page.previous);
        summaries.events = page
            .events
            .iter()
            .map(|event| quirk.summary(event))
            .collect();
        Ok(summaries)
    }

    async fn page_with_payloads(&self, request: &PageRequest) -> Result<Page<AuditEvent>, Error> {
        Ok(self.page_shown(request))
    }

    async fn count(&self, filter: &Filter, cap: u64) -> Result<Count, Error> {
        Ok(self.shared.quirk.count(self, filter, cap))
    }

    async fn statistics(&self, request: &StatisticsRequest) -> Result<Statistics, Error> {
        Ok(self.shared.quirk.statistics(self, request))
    }

    async fn gaps(&self, writer: &WriterId, limit: usize) -> Result<Vec<SeqGap>, Error> {
        Ok(self.shared.quirk.gaps(self, writer, limit))
    }

    async fn follow(&self, request: &FollowRequest) -> Result<Followed, Error> {
        self.shared.quirk.follow(self, request).await
    }
}

impl<Q> Clone for Table<Q> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<Q> std::fmt::Debug for Table<Q> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").finish_non_exhaustive()
    }
}

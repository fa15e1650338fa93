use async_trait::async_trait;
use audit_core::event::{AuditEvent, EventId, EventSummary, WriterId};
use audit_core::reader::{
    AuditReader, Count, Filter, FollowFrom, FollowRequest, Followed, FollowedEvent, Page,
    PageRequest, SeqGap, Statistics, StatisticsRequest,
};
use audit_core::{Error, ErrorKind};

use crate::position::StoreKey;
use crate::store::{MemoryStore, State};

#[async_trait]
impl AuditReader for MemoryStore {
    async fn get(&self, id: EventId) -> Result<Option<AuditEvent>, Error> {
        Ok(self.read().log.get(id).cloned())
    }

    async fn page(&self, request: &PageRequest) -> Result<Page<EventSummary>, Error> {
        let scanned = self.scan(request, AuditEvent::summary);
        Ok(Page::assemble(request, scanned))
    }

    async fn page_with_payloads(&self, request: &PageRequest) -> Result<Page<AuditEvent>, Error> {
        let scanned = self.scan(request, AuditEvent::clone);
        Ok(Page::assemble(request, scanned))
    }

    async fn count(&self, filter: &Filter, cap: u64) -> Result<Count, Error> {
        // One more than the cap tells whether there are more.
        let stop = usize::try_from(cap.saturating_add(1)).unwrap_or(usize::MAX);
        let state = self.read();
        let matching = state.log.iter().filter(|event| filter.matches(event));
        let counted = u64::try_from(matching.take(stop).count()).unwrap_or(u64::MAX);
        Ok(Count::capped(counted, cap))
    }

    async fn statistics(&self, request: &StatisticsRequest) -> Result<Statistics, Error> {
        // Counting takes longer than an append may wait: it works on a copy of the handles.
        let events = self.recorded();
        Ok(Statistics::collect(request, &events))
    }

    async fn gaps(&self, writer: &WriterId, limit: usize) -> Result<Vec<SeqGap>, Error> {
        let state = self.read();
        let of_writer = state.log.iter().filter(|event| event.writer == *writer);
        let mut held: Vec<_> = of_writer.map(|event| event.seq).collect();
        held.sort_unstable();
        Ok(SeqGap::between(held, limit))
    }

    async fn follow(&self, request: &FollowRequest) -> Result<Followed, Error> {
        let (mut position, mut events) = self.first_look(request)?;
        if events.is_empty() && !request.max_wait().is_zero() {
            let found = self.next_events(request, &mut position);
            events = match tokio::time::timeout(request.max_wait(), found).await {
                Ok(found) => found?,
                Err(_) => Vec::new(),
            };
        }
        Ok(Followed::new(events, self.shared.key.write(position)?))
    }
}

impl MemoryStore {
    /// What a page is made of.
    fn scan<T>(&self, request: &PageRequest, row: impl Fn(&AuditEvent) -> T) -> Vec<T> {
        let scan = request.scan();
        let state = self.read();
        let events = state.log.scan(scan);
        events
            .filter(|event| request.filter().matches(event))
            .take(scan.limit)
            .map(row)
            .collect()
    }

    /// Where a follower begins, and what is there: under one lock, or the beginning could be
    /// forgotten in between.
    fn first_look(&self, request: &FollowRequest) -> Result<(u64, Vec<FollowedEvent>), Error> {
        let state = self.read();
        let mut position = match request.begins() {
            FollowFrom::After(position) => self.shared.key.read(position)?,
            FollowFrom::Beginning => state.log.begin(),
            FollowFrom::Now => state.log.end(),
            // A way to begin that was added later.
            _ => return Err(invalid("the memory store cannot follow from there")),
        };
        let events = state.look(self.shared.key, request, &mut position)?;
        Ok((position, events))
    }

    /// The matching events that are there, at least one. Moves the position behind whatever was
    /// looked at, so that it is true whenever this is dropped.
    async fn next_events(
        &self,
        request: &FollowRequest,
        position: &mut u64,
    ) -> Result<Vec<FollowedEvent>, Error> {
        loop {
            let committed = self.shared.committed.notified();
            let events = self.read().look(self.shared.key, request, position)?;
            if !events.is_empty() {
                return Ok(events);
            }
            committed.await;
        }
    }
}

impl State {
    fn look(
        &self,
        key: StoreKey,
        request: &FollowRequest,
        position: &mut u64,
    ) -> Result<Vec<FollowedEvent>, Error> {
        if *position < self.log.begin() {
            return Err(invalid(
                "events behind the position to follow from were forgotten: begin anew",
            ));
        }
        if *position > self.log.end() {
            return Err(invalid(
                "the position to follow from lies behind the end: begin anew",
            ));
        }
        let mut events = Vec::new();
        for (behind, event) in self.log.behind(*position) {
            *position = behind;
            if request.filter().matches(event) {
                events.push(FollowedEvent::new(key.write(behind)?, event.clone()));
            }
            if events.len() == request.max_events() {
                break;
            }
        }
        Ok(events)
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

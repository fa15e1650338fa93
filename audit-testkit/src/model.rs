//! The right answers, computed in the plainest way from all that was stored.

use audit_core::event::AuditEvent;
use audit_core::reader::{Count, Filter, Order, Statistics, StatisticsRequest};

/// All that was stored, in the order in which it was.
pub(crate) struct Model {
    events: Vec<AuditEvent>,
}

impl Model {
    pub(crate) fn new(events: &[AuditEvent]) -> Self {
        Self {
            events: events.to_vec(),
        }
    }

    /// The whole list of a filter.
    pub(crate) fn list(&self, filter: &Filter, order: Order) -> Vec<AuditEvent> {
        let mut events = self.committed(filter);
        events.sort_by_key(|event| event.id);
        if order == Order::NewestFirst {
            events.reverse();
        }
        events
    }

    /// What a follower of a filter sees.
    pub(crate) fn committed(&self, filter: &Filter) -> Vec<AuditEvent> {
        let matching = self.events.iter().filter(|event| filter.matches(event));
        matching.cloned().collect()
    }

    pub(crate) fn count(&self, filter: &Filter, cap: u64) -> Count {
        let n_events = u64::try_from(self.committed(filter).len()).unwrap_or(u64::MAX);
        Count::capped(n_events, cap)
    }

    pub(crate) fn statistics(&self, request: &StatisticsRequest) -> Statistics {
        Statistics::collect(request, &self.events)
    }
}

//! What the cases do with a subject again and again.

use audit_core::event::AuditEvent;
use audit_core::logger::LOSS_METHOD;
use audit_core::reader::{
    AuditReader, Filter, FollowFrom, FollowPosition, FollowRequest, Followed, Order, PageRequest,
};
use audit_core::sink::{Appended, AuditSink};

use crate::capabilities::Capabilities;
use crate::expect;
use crate::harness::{Harness, Subject};

/// A subject with its capabilities.
pub(crate) struct Opened {
    pub(crate) subject: Subject,
    pub(crate) capabilities: Capabilities,
}

impl Opened {
    pub(crate) async fn new(harness: &dyn Harness) -> Self {
        Self {
            subject: harness.open().await,
            capabilities: harness.capabilities(),
        }
    }

    pub(crate) fn sink(&self) -> &dyn AuditSink {
        &**self.subject.sink()
    }

    pub(crate) fn reader(&self) -> &dyn AuditReader {
        &**self.subject.reader()
    }

    /// Appends a batch that must be answered.
    pub(crate) async fn append(&self, events: &[AuditEvent]) -> Appended {
        let appended = self.sink().append(events).await;
        let appended = expect::ok("an append to a store that works is `Ok`", appended);
        let n_receipts = appended.receipts().len();
        expect::same("one receipt for each event", &events.len(), &n_receipts);
        appended
    }

    /// Appends a batch that must be kept, and waits until readers see it.
    pub(crate) async fn keep(&self, events: &[AuditEvent]) {
        let appended = self.append(events).await;
        for (event, receipt) in events.iter().zip(appended.receipts()) {
            assert!(
                receipt.is_kept(),
                "an event that a store can hold is kept\n     got: {receipt:?}\n   event: {event:?}"
            );
        }
        self.settle().await;
    }

    /// Waits until readers see what was answered.
    pub(crate) async fn settle(&self) {
        if !self.capabilities.is_visible_before_flush {
            let flushed = self.sink().flush().await;
            expect::ok("a flush of a store that works is `Ok`", flushed);
        }
    }

    /// Everything that the list shows, by id.
    pub(crate) async fn list(&self) -> Vec<AuditEvent> {
        let mut request = PageRequest::new(Filter::all())
            .order(Order::OldestFirst)
            .limit(PageRequest::MAX_LIMIT)
            .expect("the limit is allowed");
        let mut events = Vec::new();
        loop {
            let page = self.reader().page_with_payloads(&request).await;
            let page = expect::ok("a page can be read", page);
            events.extend(page.events);
            // A list that goes round in circles would never end.
            let is_rising = events.is_sorted_by_key(|event: &AuditEvent| event.id);
            assert!(is_rising, "a list of the oldest first has rising ids");
            let Some(next) = page.next else {
                if self.capabilities.tells_losses {
                    events.retain(|event| event.method.as_str() != LOSS_METHOD);
                }
                return events;
            };
            request = request.cursor(next).expect("the cursor is of this list");
        }
    }

    /// Fails unless the list shows these events and no others.
    #[track_caller]
    pub(crate) fn list_is(
        &self,
        promise: &str,
        expected: &[AuditEvent],
    ) -> impl Future<Output = ()> {
        let mut expected = expected.to_vec();
        expected.sort_by_key(|event| event.id);
        async move { expect::same_events(promise, &expected, &self.list().await) }
    }

    /// Follows, `limit` events at a time, until there are as many as are expected, and once more
    /// for those that nobody expects. Gives up when nothing comes for as long as the sink's
    /// patience.
    pub(crate) async fn follow(
        &self,
        filter: &Filter,
        from: FollowFrom,
        limit: usize,
        n_expected: usize,
    ) -> (Vec<AuditEvent>, FollowPosition) {
        let request = FollowRequest::new(filter.clone())
            .limit(limit)
            .expect("the limit is allowed");
        let mut events = Vec::new();
        let mut from = from;
        loop {
            let has_all = events.len() >= n_expected;
            let request = request.clone().from(from);
            let request = if has_all {
                request
            } else {
                request.wait(self.capabilities.patience)
            };
            let followed = self.follow_once(&request).await;
            // A reader that gives events for ever is wrong by the first that nobody expects.
            let is_over = followed.events.is_empty() || events.len() > n_expected;
            events.extend(followed.events.into_iter().map(|followed| followed.event));
            if is_over {
                return (events, followed.position);
            }
            from = FollowFrom::After(followed.position);
        }
    }

    pub(crate) async fn follow_once(&self, request: &FollowRequest) -> Followed {
        let followed = self.reader().follow(request).await;
        let followed = expect::ok("a store that works can be followed", followed);
        let n_events = followed.events.len();
        assert!(
            n_events <= request.max_events(),
            "an answer to a follower keeps its limit\nexpected: at most {}\n     got: {n_events}",
            request.max_events()
        );
        followed
    }
}

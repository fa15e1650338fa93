use std::sync::Arc;
use std::time::Duration;

use audit_core::event::AuditEvent;
use audit_core::sink::{Appended, AuditSink, Receipt, Refusal};
use audit_core::{Backoff, Error, ErrorKind};
use tokio::task::JoinHandle;

use super::backlog::Backlog;
use super::metrics::Meters;

/// The store behind a spool, asked one batch at a time.
#[derive(Debug)]
pub(super) struct Remote {
    sink: Arc<dyn AuditSink>,
    deadline: Duration,
    max_events: usize,
    /// How many events are sent at once. After an outage few, and more with each success: a store
    /// that comes up again is not met with all that waited.
    n_events: usize,
    backoff: Backoff,
}

/// How many events a store is first sent after an outage.
const FIRST: usize = 50;

impl Remote {
    pub(super) fn new(sink: Arc<dyn AuditSink>, deadline: Duration, max_events: usize) -> Self {
        Self {
            sink,
            deadline,
            max_events,
            n_events: max_events,
            backoff: Backoff::default(),
        }
    }

    /// How many events to send next.
    pub(super) fn batch_events(&self) -> usize {
        self.n_events
    }

    /// Sends the events until the store has answered for each. A store that does not work is
    /// waited for, without a limit on tries: the events are on the disk.
    pub(super) async fn append(
        &mut self,
        events: &[AuditEvent],
        backlog: &Backlog,
        meters: &Meters,
    ) -> Vec<Receipt> {
        let mut receipts = Vec::with_capacity(events.len());
        // Where stretches end, the innermost last: halves of halves, while an event is looked for
        // at which the store fails.
        let mut ends = vec![events.len()];
        while let Some(&end) = ends.last() {
            let begin = receipts.len();
            if begin == end {
                ends.pop();
                continue;
            }
            let n_tried = std::cmp::min(end - begin, self.n_events);
            let tried = &events[begin..begin + n_tried];
            match self.append_once(tried).await {
                Ok(appended) => {
                    receipts.extend(appended.into_receipts());
                    self.works_again();
                }
                Err(error) if !may_be_due_to_one(&error) => {
                    meters.retried();
                    self.wait(error, backlog).await;
                }
                Err(_) if n_tried > 1 => ends.push(begin + n_tried / 2),
                Err(error) => {
                    let reason = format!("the store fails at it: {error}");
                    receipts.push(Receipt::Refused(Refusal::unstorable(reason)));
                }
            }
        }
        receipts
    }

    async fn append_once(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let (sink, n_events) = (Arc::clone(&self.sink), events.len());
        let events = events.to_vec();
        // A task of its own: its panic is an error here, and no more.
        let append = AbortOnDrop(tokio::spawn(async move { sink.append(&events).await }));
        let appended = tokio::time::timeout(self.deadline, append).await;
        let appended = match appended {
            Ok(Ok(appended)) => appended?,
            Ok(Err(panic)) => {
                let text = "the store behind the spool panicked";
                return Err(Error::with_source(ErrorKind::Internal, text, panic));
            }
            Err(_) => {
                let text = "the store behind the spool does not answer";
                return Err(Error::new(ErrorKind::Timeout, text));
            }
        };
        if appended.receipts().len() == n_events {
            return Ok(appended);
        }
        let text = "the store did not answer for each event of a batch";
        Err(Error::new(ErrorKind::Internal, text))
    }

    fn works_again(&mut self) {
        if self.backoff.n_failures() > 0 {
            let retries = self.backoff.n_failures();
            tracing::info!(retries, "the store behind the spool works again");
            self.backoff = Backoff::default();
        }
        self.n_events = std::cmp::min(self.n_events.saturating_mul(2), self.max_events);
    }

    async fn wait(&mut self, error: Error, backlog: &Backlog) {
        let wait = self.backoff.next_wait();
        if self.backoff.is_worth_telling() {
            let retries = self.backoff.n_failures();
            tracing::warn!(%error, retries, "the store behind the spool is unavailable");
        }
        self.n_events = std::cmp::min(FIRST, self.max_events);
        backlog.failed(error);
        tokio::time::sleep(wait).await;
    }
}

/// Whether a batch may succeed without one of its events. What a store answers when it is full or
/// closed is none of them: it is waited for.
fn may_be_due_to_one(error: &Error) -> bool {
    error.is_rejected() || error.kind() == ErrorKind::Internal
}

/// A task that ends with whoever waits for it.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, tokio::task::JoinError>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

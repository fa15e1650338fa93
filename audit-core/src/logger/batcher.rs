use std::future::{self, Future};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::watch;

use super::audit_logger::Shared;
use super::backoff::Backoff;
use super::batch::Batch;
use super::loss;
use super::queue::Entry;
use crate::error::{Error, ErrorKind};
use crate::event::AuditEvent;
use crate::sink::Appended;

/// The task that brings records to the sink, one batch at a time.
///
/// One batch is in flight, hence events are stored in the order of their numbers; while it is, the
/// next one fills.
#[derive(Debug)]
pub(super) struct Batcher {
    shared: Arc<Shared>,
    max_events: usize,
    max_bytes: usize,
    given_up: watch::Receiver<bool>,
    finished: watch::Sender<Option<Finished>>,
    last_will: LastWill,
}

/// How the work of a batcher ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Finished {
    /// What was queued and is not stored.
    pub(super) unstored: Vec<AuditEvent>,
    /// Why the sink could not be flushed, if so.
    pub(super) flush_error: Option<Error>,
}

impl Batcher {
    pub(super) fn new(
        shared: Arc<Shared>,
        max_events: usize,
        max_bytes: usize,
        given_up: watch::Receiver<bool>,
        finished: watch::Sender<Option<Finished>>,
    ) -> Self {
        let last_will = LastWill {
            shared: Arc::clone(&shared),
            is_needed: true,
        };
        Self {
            shared,
            max_events,
            max_bytes,
            given_up,
            finished,
            last_will,
        }
    }

    /// Works until the queue was drained for good, or whoever waits for that gives up.
    pub(super) async fn run(mut self) {
        let end = match self.store_everything().await {
            Ok(()) => Finished {
                unstored: Vec::new(),
                flush_error: self.flush().await.err(),
            },
            Err(unstored) => self.give_up(unstored),
        };
        self.last_will.is_needed = false;
        self.finished.send_replace(Some(end));
    }

    /// `Err` holds the open records of a batch that was given up.
    async fn store_everything(&self) -> Result<(), Vec<Entry>> {
        let Self {
            shared,
            max_events,
            max_bytes,
            ..
        } = self;
        loop {
            self.tell_losses();
            let entries = tokio::select! {
                biased;
                () = self.giving_up() => return Err(Vec::new()),
                entries = shared.queue.next_batch(*max_events, *max_bytes) => entries,
            };
            let Some(entries) = entries else {
                return Ok(());
            };
            self.store(Batch::new(entries)).await?;
        }
    }

    fn tell_losses(&self) {
        let shared = &*self.shared;
        for (reason, loss) in shared.losses.take() {
            // Every field of the event is this crate's own.
            let Ok(event) = loss::event(reason, loss, &shared.stamper, &shared.writer) else {
                continue;
            };
            if shared.queue.push_own(event, reason, loss) {
                shared.counters.accepted.add_one();
            }
        }
    }

    async fn store(&self, mut batch: Batch) -> Result<(), Vec<Entry>> {
        let shared = &*self.shared;
        let mut backoff = Backoff::default();
        while !batch.is_settled() {
            let answer = tokio::select! {
                biased;
                () = self.giving_up() => return Err(batch.into_open()),
                answer = append(shared, batch.tried()) => answer,
            };
            match answer {
                Ok(appended) => {
                    shared.counters.batches.add_one();
                    batch.settle(shared, appended.into_receipts());
                }
                Err(error) if error.is_retryable() => {
                    shared.counters.retries.add_one();
                    if self.wait(&mut backoff, &error).await.is_break() {
                        return Err(batch.into_open());
                    }
                }
                // One record can be why a whole batch fails: its neighbors are stored without it.
                Err(error) if error.is_closed() || !batch.halve() => batch.fail(shared, &error),
                Err(_) => {}
            }
        }
        if backoff.n_failures() > 0 {
            tracing::info!(retries = backoff.n_failures(), "the audit sink works again");
        }
        Ok(())
    }

    async fn wait(&self, backoff: &mut Backoff, error: &Error) -> std::ops::ControlFlow<()> {
        let wait = backoff.next_wait();
        if backoff.is_worth_telling() {
            let retries = backoff.n_failures();
            tracing::warn!(%error, retries, "the audit sink is unavailable, its events are waiting");
        }
        tokio::select! {
            biased;
            () = self.giving_up() => std::ops::ControlFlow::Break(()),
            () = tokio::time::sleep(wait) => std::ops::ControlFlow::Continue(()),
        }
    }

    async fn flush(&self) -> Result<(), Error> {
        tokio::select! {
            biased;
            () = self.giving_up() => {
                Err(Error::new(ErrorKind::Timeout, "the sink was not flushed before the deadline"))
            }
            flushed = contain(self.shared.sink.flush()) => flushed,
        }
    }

    /// Completes when whoever shuts down does not want to wait any longer. The handle that could
    /// want it may be gone; then the work goes on to its end.
    async fn giving_up(&self) {
        let mut given_up = self.given_up.clone();
        if given_up.wait_for(|given_up| *given_up).await.is_err() {
            future::pending::<()>().await;
        }
    }

    fn give_up(&self, open: Vec<Entry>) -> Finished {
        let mut entries = open;
        entries.extend(self.shared.queue.close());
        self.shared.queue.release(&entries);
        let mut unstored = Vec::with_capacity(entries.len());
        for entry in entries {
            if let Some(answer) = entry.answer {
                let text = "the logger was shut down before the event was stored";
                drop(answer.send(Err(Error::new(ErrorKind::Closed, text))));
            }
            unstored.push(entry.event);
        }
        Finished {
            unstored,
            flush_error: None,
        }
    }
}

/// One append, with one receipt for each event.
async fn append(shared: &Shared, events: &[AuditEvent]) -> Result<Appended, Error> {
    let appended = contain(shared.sink.append(events)).await?;
    if appended.receipts().len() == events.len() {
        return Ok(appended);
    }
    Err(Error::new(
        ErrorKind::Internal,
        "the sink did not answer for each event of a batch",
    ))
}

/// Turns a panic of the sink into an error: it is one call of a plug-in, and the records behind it
/// still want to be stored.
async fn contain<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let mut work = std::pin::pin!(work);
    future::poll_fn(|context| {
        // A sink that panics while it is polled is not polled again.
        let polled = panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        polled.unwrap_or_else(|_| {
            Poll::Ready(Err(Error::new(
                ErrorKind::Internal,
                "the audit sink panicked",
            )))
        })
    })
    .await
}

/// Tells what a runtime that ends before its logger takes along, also if the task was never
/// polled.
#[derive(Debug)]
struct LastWill {
    shared: Arc<Shared>,
    is_needed: bool,
}

impl Drop for LastWill {
    fn drop(&mut self) {
        if !self.is_needed {
            return;
        }
        let n_events = self.shared.queue.usage().events;
        drop(self.shared.queue.close());
        if n_events > 0 {
            tracing::error!(
                n_events,
                "the runtime ended while audit events waited: they are lost"
            );
        }
    }
}

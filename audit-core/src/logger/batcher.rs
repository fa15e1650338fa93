use std::future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::{mpsc, watch};

use super::audit_logger::Shared;
use super::batch::Batch;
use super::last_answers::Waiting;
use super::loss;
use super::queue::{Next, Origin};
use crate::Backoff;
use crate::contain::Contained;
use crate::error::{Error, ErrorKind};
use crate::event::{AuditEvent, EventId};
use crate::sink::Appended;

/// The task that brings records to the sink, a batch at a time.
///
/// Unless more were asked for, one batch is in flight, hence events are stored in the order of
/// their numbers; while it is, the next one fills.
#[derive(Debug)]
pub(super) struct Batcher {
    shared: Arc<Shared>,
    max_events: usize,
    max_bytes: usize,
    max_in_flight: usize,
    given_up: watch::Receiver<bool>,
    /// Where callers wait for the last store; `None` for a sink that answers once.
    last_answers: Option<mpsc::UnboundedSender<Waiting>>,
    last_will: LastWill,
}

/// How the work of a batcher ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Finished {
    /// What was queued and is not stored.
    pub(super) unstored: Vec<AuditEvent>,
    /// Calls that had begun and can no longer be recorded.
    pub(super) n_open_calls: usize,
    /// Why the sink could not be flushed, if so.
    pub(super) flush_error: Option<Error>,
}

/// Whoever shuts down does not want to wait any longer.
struct GivenUp;

impl Batcher {
    pub(super) fn new(
        shared: Arc<Shared>,
        max_events: usize,
        max_bytes: usize,
        max_in_flight: usize,
        given_up: watch::Receiver<bool>,
        last_answers: Option<mpsc::UnboundedSender<Waiting>>,
        finished: watch::Sender<Option<Finished>>,
    ) -> Self {
        let last_will = LastWill {
            shared: Arc::clone(&shared),
            finished,
            is_needed: true,
        };
        Self {
            shared,
            max_events,
            max_bytes,
            max_in_flight,
            given_up,
            last_answers,
            last_will,
        }
    }

    /// Works until the queue was drained for good, or whoever waits for that gives up.
    pub(super) async fn run(mut self) {
        let flush_error = match self.store_everything().await {
            Ok(()) => self.flush().await.err(),
            Err(GivenUp) => Some(not_flushed()),
        };
        self.last_will.finish(flush_error);
    }

    async fn store_everything(&self) -> Result<(), GivenUp> {
        let Self {
            shared,
            max_events,
            max_bytes,
            ..
        } = self;
        let mut may_be_interrupted = shared.intents.is_some();
        // What is in flight goes back to the queue when it is dropped.
        let mut in_flight = InFlight::default();
        // Whether only what is in flight can bring something new.
        let mut is_drained = false;
        loop {
            if may_be_interrupted {
                may_be_interrupted = self.take_over().await?;
            }
            if self.tell_losses() {
                is_drained = false;
            }
            shared.publish();
            if is_drained && in_flight.is_empty() {
                return Ok(());
            }
            let has_place = in_flight.len() < self.max_in_flight;
            let next = tokio::select! {
                biased;
                () = self.giving_up() => return Err(GivenUp),
                done = in_flight.next(), if !in_flight.is_empty() => {
                    done?;
                    continue;
                }
                next = shared.queue.next(*max_events, *max_bytes), if has_place && !is_drained => next,
            };
            match next {
                Next::Batch(entries) => {
                    in_flight.push(self.store(Batch::new(Arc::clone(shared), entries)));
                }
                Next::Changed => {}
                Next::Drained => is_drained = true,
            }
        }
    }

    /// Puts calls of loggers that died into the queue, a batch of them; whether there may be more.
    async fn take_over(&self) -> Result<bool, GivenUp> {
        let shared = &*self.shared;
        let Some(intents) = &shared.intents else {
            return Ok(false);
        };
        let taken = tokio::select! {
            biased;
            () = self.giving_up() => return Err(GivenUp),
            taken = shared.in_time(Contained::new(|| intents.take_over(self.max_events))) => taken,
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                tracing::error!(%error, "calls that a crash left open could not be looked for");
                return Ok(false);
            }
        };
        let entered = shared.stamper.monotonic();
        for event in &taken {
            let event = event.of_writer(shared.writer.clone());
            if shared.queue.push_own(event, Origin::Interrupted, entered) {
                shared.meters.interrupted.add_one();
                shared.meters.accepted.add_one();
            }
        }
        Ok(!taken.is_empty())
    }

    /// Forgets intents of which the records are kept. What cannot be forgotten comes back at the
    /// next start, and does no harm.
    async fn settle_intents(&self, ids: &[EventId]) {
        let Some(intents) = self.shared.intents.as_ref().filter(|_| !ids.is_empty()) else {
            return;
        };
        let settled = self.shared.in_time(Contained::new(|| intents.settle(ids)));
        if let Err(error) = settled.await
            && let Some(n_held_back) = self.shared.admits(&self.shared.failures)
        {
            tracing::warn!(%error, n_held_back, "intents of recorded calls could not be settled");
        }
    }

    /// Puts what was lost into the queue, as events; whether there was any.
    fn tell_losses(&self) -> bool {
        let shared = &*self.shared;
        let losses = shared.losses.take();
        let is_any = !losses.is_empty();
        for (reason, loss) in losses {
            // Every field of the event is this crate's own.
            let Ok(event) = loss::event(reason, loss, &shared.stamper, &shared.writer) else {
                continue;
            };
            let entered = shared.stamper.monotonic();
            if shared
                .queue
                .push_own(event, Origin::Loss(reason, loss), entered)
            {
                shared.meters.accepted.add_one();
            }
        }
        is_any
    }

    async fn store(&self, mut batch: Batch) -> Result<(), GivenUp> {
        let mut backoff = Backoff::default();
        while !batch.is_settled() {
            let answer = tokio::select! {
                biased;
                () = self.giving_up() => return Err(GivenUp),
                answer = append(&self.shared, batch.tried()) => answer,
            };
            match answer {
                Ok(appended) => {
                    self.shared.meters.answered(appended.receipts().len());
                    let (intents, waiting) = batch.settle(appended);
                    if let (Some(waiting), Some(last_answers)) = (waiting, &self.last_answers) {
                        // The task ends behind this one.
                        drop(last_answers.send(waiting));
                    }
                    self.settle_intents(&intents).await;
                }
                Err(error) if error.is_retryable() => {
                    batch.doubt();
                    self.shared.meters.retries.add_one();
                    self.wait(&mut backoff, &error).await?;
                }
                // One record can be why a batch fails: its neighbors are stored without it.
                Err(error) if !may_be_due_to_one(&error) || !batch.halve() => batch.fail(&error),
                Err(_) => {}
            }
        }
        if backoff.n_failures() > 0 {
            tracing::info!(retries = backoff.n_failures(), "the audit sink works again");
        }
        Ok(())
    }

    async fn wait(&self, backoff: &mut Backoff, error: &Error) -> Result<(), GivenUp> {
        let wait = backoff.next_wait();
        self.shared.publish();
        if backoff.is_worth_telling() {
            let retries = backoff.n_failures();
            tracing::warn!(%error, retries, "the audit sink is unavailable, its events are waiting");
        }
        tokio::select! {
            biased;
            () = self.giving_up() => Err(GivenUp),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }

    async fn flush(&self) -> Result<(), Error> {
        tokio::select! {
            biased;
            () = self.giving_up() => Err(not_flushed()),
            flushed = Contained::new(|| self.shared.sink.flush()) => flushed,
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
}

/// The batches that are being stored.
#[derive(Default)]
struct InFlight<'a>(Vec<Storing<'a>>);

type Storing<'a> = Pin<Box<dyn Future<Output = Result<(), GivenUp>> + Send + 'a>>;

impl<'a> InFlight<'a> {
    fn push(&mut self, batch: impl Future<Output = Result<(), GivenUp>> + Send + 'a) {
        self.0.push(Box::pin(batch));
    }

    /// The end of whichever ends first. Cancel safe.
    async fn next(&mut self) -> Result<(), GivenUp> {
        future::poll_fn(|context| {
            let mut ended =
                self.0.iter_mut().enumerate().filter_map(|(place, batch)| {
                    match batch.as_mut().poll(context) {
                        Poll::Ready(done) => Some((place, done)),
                        Poll::Pending => None,
                    }
                });
            let Some((place, done)) = ended.next() else {
                return Poll::Pending;
            };
            drop(self.0.swap_remove(place));
            Poll::Ready(done)
        })
        .await
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One append, with one receipt for each event.
async fn append(shared: &Shared, events: &[AuditEvent]) -> Result<Appended, Error> {
    let appended = shared
        .in_time(Contained::new(|| shared.sink.append(events)))
        .await?;
    if appended.receipts().len() == events.len() {
        return Ok(appended);
    }
    Err(Error::new(
        ErrorKind::Internal,
        "the sink did not answer for each event of a batch",
    ))
}

/// Whether the batch may succeed without one of its events.
fn may_be_due_to_one(error: &Error) -> bool {
    error.is_rejected() || error.kind() == ErrorKind::Internal
}

fn not_flushed() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "the sink was not flushed before the deadline",
    )
}

/// Ends the queue with the task, however the task ends: at its end, given up, or taken along by a
/// runtime that ends before its logger, even before the task was polled once.
#[derive(Debug)]
struct LastWill {
    shared: Arc<Shared>,
    finished: watch::Sender<Option<Finished>>,
    is_needed: bool,
}

impl LastWill {
    fn finish(&mut self, flush_error: Option<Error>) {
        self.is_needed = false;
        let queue = &self.shared.queue;
        let entries = queue.close();
        queue.release(&entries);
        let n_open_calls = queue.room().n_open();
        let mut unstored = Vec::with_capacity(entries.len());
        let text = "the logger ended before the event was stored";
        let ended = Err(Error::new(ErrorKind::Closed, text));
        for mut entry in entries {
            entry.answers.answer(&ended);
            unstored.push(entry.event);
        }
        self.finished.send_replace(Some(Finished {
            unstored,
            n_open_calls,
            flush_error,
        }));
    }
}

impl Drop for LastWill {
    fn drop(&mut self) {
        if self.is_needed {
            let text = "the logger's runtime ended before it was shut down";
            self.finish(Some(Error::new(ErrorKind::Closed, text)));
            tracing::error!("the runtime ended before the audit logger was shut down");
        }
    }
}

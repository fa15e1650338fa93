use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::{Appended, AuditSink, Durability, Forwarding, Health};
use crate::Backoff;
use crate::error::{Error, ErrorKind};
use crate::event::AuditEvent;

/// Tries an append again while its error is retryable, with backoff: for whoever uses a sink
/// without a logger, and for a sink of a [`FanOut`](super::FanOut) under `All`. A logger has no
/// need of it: it tries for as long as it takes.
///
/// # Contract
/// No try begins when [`max_elapsed`](Self::max_elapsed) has gone by since the append began; the
/// last error is the answer. A try that hangs is ended by the
/// [deadline of a try](Self::attempt_deadline), or not at all, if there is none.
///
/// An error that is not retryable is given back at once. Should an earlier try have failed in a way
/// that leaves open whether it stored the batch, the error is retryable all the same, with that
/// other one as its source: the batch may be there.
///
/// A flush is tried again like an append. Closing is not: a sink that was closed says `Ok`.
///
/// Waits and deadlines go by the timer of the runtime that polls the append.
///
/// # Cancel safety
/// That of the sink within: what is dropped is one of its appends, or a wait.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use audit_core::AuditSink;
/// use audit_core::sink::Retry;
///
/// fn patient(sink: impl AuditSink) -> impl AuditSink {
///     Retry::new(sink)
///         .max_elapsed(Duration::from_secs(20))
///         .attempt_deadline(Duration::from_secs(5))
/// }
/// ```
#[derive(Debug)]
pub struct Retry<S> {
    inner: S,
    max_elapsed: Duration,
    attempt_deadline: Option<Duration>,
}

impl<S: AuditSink> Retry<S> {
    /// Tries for 30 seconds, each time without a deadline.
    pub const fn new(inner: S) -> Self {
        Self {
            inner,
            max_elapsed: Duration::from_secs(30),
            attempt_deadline: None,
        }
    }

    /// How long after its beginning an append may still be tried again.
    #[must_use]
    pub const fn max_elapsed(mut self, max_elapsed: Duration) -> Self {
        self.max_elapsed = max_elapsed;
        self
    }

    /// How long one try may take; then it failed, in a retryable way.
    #[must_use]
    pub const fn attempt_deadline(mut self, deadline: Duration) -> Self {
        self.attempt_deadline = Some(deadline);
        self
    }

    /// The sink within.
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    async fn patiently<T, F>(&self, call: impl Fn() -> F + Send + Sync) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let begun = Instant::now();
        let mut backoff = Backoff::default();
        loop {
            let error = match self.attempt(call()).await {
                Ok(done) => return Ok(done),
                Err(error) if error.is_retryable() => error,
                Err(error) if backoff.n_failures() > 0 => return Err(in_doubt(error)),
                Err(error) => return Err(error),
            };
            let wait = backoff.next_wait();
            if begun.elapsed() + wait >= self.max_elapsed {
                return Err(error);
            }
            if backoff.is_worth_telling() {
                let retries = backoff.n_failures();
                tracing::warn!(%error, retries, "an audit sink is unavailable, it is tried again");
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt<T>(
        &self,
        call: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let Some(deadline) = self.attempt_deadline else {
            return call.await;
        };
        let answer = tokio::time::timeout(deadline, call).await;
        answer.unwrap_or_else(|_| {
            let text = "no answer before the deadline of a try";
            Err(Error::new(ErrorKind::Timeout, text))
        })
    }
}

fn in_doubt(error: Error) -> Error {
    let text = "the sink fails, and an earlier try may have stored the batch";
    Error::with_source(ErrorKind::Unavailable, text, error)
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: AuditSink> AuditSink for Retry<S> {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        self.patiently(|| self.inner.append(events)).await
    }

    async fn flush(&self) -> Result<(), Error> {
        self.patiently(|| self.inner.flush()).await
    }

    async fn health(&self) -> Health {
        self.inner.health().await
    }

    async fn close(&self) -> Result<(), Error> {
        self.inner.close().await
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }

    fn forwarding(&self) -> Option<Forwarding> {
        self.inner.forwarding()
    }
}

use std::panic::{self, AssertUnwindSafe};

use async_trait::async_trait;

use super::{Appended, AuditSink, Durability, Forwarding, Health, Receipt};
use crate::error::Error;
use crate::event::{AuditEvent, CheckName, Outcome};

/// Writes a line to the log for each event that the sink within answered for: who, what, with what
/// outcome, and what became of the record.
///
/// # Contract
/// The target is `audit::tee`, and the level goes by the outcome: `INFO` where the call did what it
/// was asked for, `WARN` where the caller was refused, asked for something wrong, left, or was
/// answered with an error, `ERROR` where the gateway or an upstream failed. An event that the sink
/// refuses is `ERROR`, with the reason: the line is all that is left of it.
///
/// Nothing of a payload is shown. Texts that came from outside are quoted and escaped: no text can
/// make a line, a field or a color of its own.
///
/// There are no lines for a batch that failed: who appended it is told, and comes again. An event
/// that is appended again is written again, as `already_stored`.
///
/// The append is neither changed nor failed: not by a subscriber that panics either. What the
/// subscriber takes, it takes of the task that appends: give it a writer that does not block.
///
/// # Cancel safety
/// That of the sink within. The lines of a batch are written without an await.
///
/// # Examples
/// ```
/// use audit_core::AuditSink;
/// use audit_core::sink::TeeLog;
///
/// fn visible(sink: impl AuditSink) -> impl AuditSink {
///     TeeLog::new(sink)
/// }
/// ```
#[derive(Debug)]
pub struct TeeLog<S> {
    inner: S,
}

/// The target of the lines.
const TARGET: &str = "audit::tee";

impl<S: AuditSink> TeeLog<S> {
    /// A sink that tells the log what this one keeps.
    pub const fn new(inner: S) -> Self {
        Self { inner }
    }

    /// The sink within.
    pub const fn inner(&self) -> &S {
        &self.inner
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: AuditSink> AuditSink for TeeLog<S> {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let appended = self.inner.append(events).await?;
        for (event, receipt) in events.iter().zip(appended.receipts()) {
            // A log that fails is no reason to say that a record was not kept.
            drop(panic::catch_unwind(AssertUnwindSafe(|| {
                write(event, receipt);
            })));
        }
        Ok(appended)
    }

    async fn flush(&self) -> Result<(), Error> {
        self.inner.flush().await
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

fn write(event: &AuditEvent, receipt: &Receipt) {
    /// The level has to be known where a line stands in the source.
    macro_rules! line {
        ($level:ident) => {
            tracing::event!(
                target: TARGET,
                tracing::Level::$level,
                id = %event.id,
                ts = %event.ts,
                outcome = event.outcome.as_str(),
                status_code = event.status_code.as_u16(),
                latency_ms = %event.latency_ms,
                method = ?event.method.as_str(),
                tool_name = event.tool_name.as_ref().map(|it| tracing::field::debug(it.as_str())),
                api_key_id = event.api_key_id.as_ref().map(|it| tracing::field::debug(it.as_str())),
                role = ?event.role.as_str(),
                auth = event.decision.check(CheckName::Auth).verdict.as_str(),
                authz = event.decision.check(CheckName::Authz).verdict.as_str(),
                rate = event.decision.check(CheckName::Rate).verdict.as_str(),
                upstream = event.upstream.as_ref().map(|it| tracing::field::debug(it.as_str())),
                session_id = event.session_id.as_ref().map(|it| tracing::field::debug(it.as_str())),
                request_id = event.request_id.as_ref().map(|it| tracing::field::debug(it.as_str())),
                trace_id = event.trace_id.as_ref().map(tracing::field::display),
                client_name = event.client.name.as_ref().map(|it| tracing::field::debug(it.as_str())),
                client_version = event.client.version.as_ref().map(|it| tracing::field::debug(it.as_str())),
                client_address = event.client.address.as_ref().map(|it| tracing::field::debug(it.as_str())),
                writer = ?event.writer.as_str(),
                seq = event.seq.get(),
                receipt = word(receipt),
                reason = refusal(receipt).map(tracing::field::debug),
                "a call was recorded"
            )
        };
    }
    match level(event.outcome, receipt) {
        Level::Error => line!(ERROR),
        Level::Info => line!(INFO),
        Level::Warn => line!(WARN),
    }
}

enum Level {
    Error,
    Info,
    Warn,
}

fn level(outcome: Outcome, receipt: &Receipt) -> Level {
    if !receipt.is_kept() {
        return Level::Error;
    }
    match outcome {
        Outcome::Ok => Level::Info,
        Outcome::Cancelled
        | Outcome::Denied
        | Outcome::InvalidRequest
        | Outcome::RateLimited
        | Outcome::RpcError
        | Outcome::ToolError
        | Outcome::Unauthenticated => Level::Warn,
        Outcome::Aborted
        | Outcome::InternalError
        | Outcome::Interrupted
        | Outcome::Timeout
        | Outcome::UpstreamDisconnected
        | Outcome::UpstreamUnavailable => Level::Error,
    }
}

fn word(receipt: &Receipt) -> &'static str {
    match receipt {
        Receipt::AlreadyStored => "already_stored",
        Receipt::Refused(_) => "refused",
        Receipt::Stored => "stored",
    }
}

fn refusal(receipt: &Receipt) -> Option<String> {
    match receipt {
        Receipt::Refused(refusal) => Some(refusal.to_string()),
        Receipt::AlreadyStored | Receipt::Stored => None,
    }
}

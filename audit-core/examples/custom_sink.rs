//! A whole sink on a hundred lines: events as lines of JSON, to anything that can be written to.
//!
//! Run it with `cargo run --example custom_sink`. It promises no more than it keeps: what was
//! written may still be in a buffer of the operating system, so its durability is `Queued`, and
//! what is written twice is known for as long as the sink lives.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use audit_core::event::{AuditEvent, EventDraft, EventId, Method, Outcome};
use audit_core::sink::{Appended, AuditSink, Durability, Forwarding, Health, Receipt, Refusal};
use audit_core::{AuditLogger, Error, ErrorKind};

struct JsonLines<W> {
    state: Mutex<State<W>>,
}

struct State<W> {
    /// Nobody writes to it any more when it is gone: closed, or broken.
    output: Option<W>,
    written: BTreeMap<EventId, AuditEvent>,
}

impl<W: Write + Send + 'static> JsonLines<W> {
    fn new(output: W) -> Self {
        let (output, written) = (Some(output), BTreeMap::new());
        let state = Mutex::new(State { output, written });
        Self { state }
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> State<W> {
    fn append(&mut self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let closed = || Error::new(ErrorKind::Closed, "the lines have ended");
        let output = self.output.as_mut().ok_or_else(closed)?;
        let (mut lines, mut new, mut receipts) = (String::new(), BTreeMap::new(), Vec::new());
        for event in events {
            let known = self.written.get(&event.id).or_else(|| new.get(&event.id));
            receipts.push(match known {
                Some(known) if known == event => Receipt::AlreadyStored,
                Some(_) => Receipt::Refused(Refusal::conflict()),
                None => {
                    lines.push_str(&event.to_json());
                    lines.push('\n');
                    new.insert(event.id, event.clone());
                    Receipt::Stored
                }
            });
        }
        let written = output.write_all(lines.as_bytes());
        if let Err(source) = written.and_then(|()| output.flush()) {
            // Half a line may be out there: nothing may follow it.
            self.output = None;
            let text = "the lines cannot be written";
            return Err(Error::with_source(ErrorKind::Internal, text, source));
        }
        self.written.append(&mut new);
        Ok(Appended::new(receipts))
    }
}

#[async_trait]
impl<W: Write + Send + 'static> AuditSink for JsonLines<W> {
    /// One write for a batch, and no await: there is nothing to cancel in the middle.
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        self.state().append(events)
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn health(&self) -> Health {
        match self.state().output {
            Some(_) => Health::ready(),
            None => Health::unavailable("the lines have ended"),
        }
    }

    async fn close(&self) -> Result<(), Error> {
        self.state().output = None;
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Queued
    }

    fn forwarding(&self) -> Option<Forwarding> {
        None
    }
}

impl<W> fmt::Debug for JsonLines<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines").finish_non_exhaustive()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn StdError>> {
    let logger = AuditLogger::builder(JsonLines::new(std::io::stdout()))
        .durability(Durability::Queued)
        .build()?;
    for (method, outcome) in [
        ("tools/list", Outcome::Ok),
        ("tools/call", Outcome::ToolError),
        ("tools/call", Outcome::Timeout),
    ] {
        let draft = EventDraft::new(Method::new(method)?).outcome(outcome);
        logger.log_event(draft).await?;
    }
    let report = logger.shutdown(std::time::Duration::from_secs(5)).await;
    assert!(report.is_complete(), "{report:?}");
    Ok(())
}

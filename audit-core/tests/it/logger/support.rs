//! What the logger's tests share: a sink that does as it is told, clocks, drafts.

use std::fmt;
use std::future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use audit_core::event::{AuditEvent, EventDraft, Method, Timestamp, ToolName};
use audit_core::sink::{Appended, Durability, Forwarding, Health, Receipt, Refusal};
use audit_core::{AuditLogger, AuditSink, Error, ErrorKind};
use audit_memory::MemoryStore;

/// What a scripted sink does with a batch.
#[derive(Debug)]
pub(crate) enum Act {
    /// Answers for fewer events than it was given.
    AnswerShort,
    /// Fails before it stores anything.
    Fail(ErrorKind),
    /// Never answers.
    Hang,
    /// Panics.
    Panic,
    /// Refuses the events of which the tool has this name, and stores the others.
    Refuse(&'static str),
    /// Stores the batch.
    Store,
    /// Stores the batch, and fails all the same.
    StoreAndFail(ErrorKind),
}

type Script = dyn FnMut(usize, &[AuditEvent]) -> Act + Send;

/// A memory store behind a script that is asked for each append, by its number from 0.
pub(crate) struct ScriptedSink {
    pub(crate) store: MemoryStore,
    script: Mutex<Box<Script>>,
    batches: Mutex<Vec<usize>>,
    /// One permit lets one append begin.
    gate: Option<tokio::sync::Semaphore>,
}

impl ScriptedSink {
    pub(crate) fn new(
        script: impl FnMut(usize, &[AuditEvent]) -> Act + Send + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            store: MemoryStore::new(),
            script: Mutex::new(Box::new(script)),
            batches: Mutex::default(),
            gate: None,
        })
    }

    /// A sink that stores, each batch only when it is let.
    pub(crate) fn gated() -> Arc<Self> {
        Arc::new(Self {
            store: MemoryStore::new(),
            script: Mutex::new(Box::new(|_, _| Act::Store)),
            batches: Mutex::default(),
            gate: Some(tokio::sync::Semaphore::new(0)),
        })
    }

    pub(crate) fn open_gate(&self, n_batches: usize) {
        self.gate
            .as_ref()
            .expect("a gated sink")
            .add_permits(n_batches);
    }

    /// The sizes of the batches that came in.
    pub(crate) fn batches(&self) -> Vec<usize> {
        self.batches.lock().unwrap().clone()
    }
}

impl fmt::Debug for ScriptedSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedSink").finish_non_exhaustive()
    }
}

#[async_trait]
impl AuditSink for ScriptedSink {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let attempt = {
            let mut batches = self.batches.lock().unwrap();
            batches.push(events.len());
            batches.len() - 1
        };
        if let Some(gate) = &self.gate {
            gate.acquire()
                .await
                .expect("the gate is never closed")
                .forget();
        }
        let act = (self.script.lock().unwrap())(attempt, events);
        let failed = |kind| Err(Error::new(kind, "as the script says"));
        match act {
            Act::AnswerShort => Ok(Appended::all_stored(events.len() - 1)),
            Act::Fail(kind) => failed(kind),
            Act::Hang => future::pending().await,
            Act::Panic => std::panic::panic_any("as the script says"),
            Act::Refuse(tool) => refuse(&self.store, events, tool).await,
            Act::Store => self.store.append(events).await,
            Act::StoreAndFail(kind) => {
                assert!(self.store.append(events).await?.is_all_kept());
                failed(kind)
            }
        }
    }

    async fn flush(&self) -> Result<(), Error> {
        self.store.flush().await
    }

    async fn health(&self) -> Health {
        self.store.health().await
    }

    async fn close(&self) -> Result<(), Error> {
        self.store.close().await
    }

    fn durability(&self) -> Durability {
        Durability::Committed
    }

    fn forwarding(&self) -> Option<Forwarding> {
        None
    }
}

async fn refuse(store: &MemoryStore, events: &[AuditEvent], tool: &str) -> Result<Appended, Error> {
    let mut receipts = Vec::new();
    for event in events {
        receipts.push(if is_of_tool(event, tool) {
            Receipt::Refused(Refusal::unstorable("as the script says"))
        } else {
            store
                .append(std::slice::from_ref(event))
                .await?
                .into_receipts()
                .remove(0)
        });
    }
    Ok(Appended::new(receipts))
}

pub(crate) fn is_of_tool(event: &AuditEvent, tool: &str) -> bool {
    event
        .tool_name
        .as_ref()
        .is_some_and(|name| name.as_str() == tool)
}

/// A moment by its microseconds.
pub(crate) fn moment(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).unwrap()
}

pub(crate) fn draft(tool: &str) -> EventDraft {
    EventDraft::new(Method::tools_call()).tool_name(ToolName::new(tool).unwrap())
}

pub(crate) fn logger(sink: impl AuditSink) -> AuditLogger {
    AuditLogger::builder(sink).build().unwrap()
}

/// The tools of stored events, in the order in which they were stored.
pub(crate) fn tools(events: &[AuditEvent]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| Some(event.tool_name.as_ref()?.as_str()))
        .collect()
}

/// Fails a test that hangs, instead of the whole run.
pub(crate) async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work)
        .await
        .expect("it should not take this long")
}

/// Polls a future once.
pub(crate) async fn poll_once<T>(mut work: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await
}

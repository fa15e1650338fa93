use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use audit_core::event::AuditEvent;
use audit_core::reader::AuditReader;
use audit_core::sink::AuditSink;

use crate::capabilities::Capabilities;

/// How the suite gets at what it tests: opens it, kills it, makes it fail.
///
/// Only [`open`](Self::open) is required, and an async function without arguments is a harness
/// too. Each hook beyond it belongs to one field of [`Capabilities`]; a hook that is not there
/// answers with nothing, and a capability that is declared without its hook fails the case.
///
/// # Examples
/// ```
/// use async_trait::async_trait;
/// use audit_memory::{MemoryConfig, MemoryStore};
/// use audit_testkit::{Capabilities, Harness, Subject};
///
/// struct Memory;
///
/// #[async_trait]
/// impl Harness for Memory {
///     fn capabilities(&self) -> Capabilities {
///         Capabilities::new().is_bounded(true)
///     }
///
///     async fn open(&self) -> Subject {
///         let store = MemoryStore::new();
///         Subject::new(store.clone(), store)
///     }
///
///     async fn open_with_room_for(&self, n_events: usize) -> Option<Subject> {
///         let store = MemoryStore::with_config(MemoryConfig::new().max_events(n_events));
///         Some(Subject::new(store.clone(), store))
///     }
/// }
/// # audit_testkit::conformance::run("a_full_store_keeps_nothing_of_a_batch", Memory);
/// ```
#[async_trait]
pub trait Harness: Send + Sync {
    /// What the sink can be asked to show, and what it cannot do.
    fn capabilities(&self) -> Capabilities {
        Capabilities::new()
    }

    /// Opens a new, empty store: a database, a schema, a file of its own for each test, since
    /// all tests run at once.
    async fn open(&self) -> Subject;

    /// Opens a new, empty store with room for so many events; `None` where there is no bound.
    async fn open_with_room_for(&self, n_events: usize) -> Option<Subject> {
        let _ = n_events;
        None
    }

    /// Drops the sink as a crash would, without closing it, and opens what is left of its store;
    /// `None` where nothing is left.
    async fn reopen(&self, subject: Subject) -> Option<Subject> {
        drop(subject);
        None
    }

    /// Makes the next append of this sink answer with an error, and whatever comes behind it
    /// work again. Whether that can be done.
    async fn fail_next_append(&self, subject: &Subject) -> bool {
        let _ = subject;
        false
    }

    /// Opens a new, empty store with an event that it refuses for what it is; `None` where it
    /// refuses none.
    async fn open_with_unstorable(&self) -> Option<(Subject, AuditEvent)> {
        None
    }
}

#[async_trait]
impl<F, Fut> Harness for F
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Subject> + Send,
{
    async fn open(&self) -> Subject {
        self().await
    }
}

/// What is tested: a sink, and a reader that shows what it stored.
///
/// The reader may be that of another store, where a sink has none of its own: a spool is read
/// through the store that it forwards to.
pub struct Subject {
    sink: Arc<dyn AuditSink>,
    reader: Arc<dyn AuditReader>,
    guard: Option<Box<dyn Any + Send + Sync>>,
}

impl Subject {
    /// A sink and the reader of its store.
    #[must_use]
    pub fn new(sink: impl AuditSink, reader: impl AuditReader) -> Self {
        Self {
            sink: Arc::new(sink),
            reader: Arc::new(reader),
            guard: None,
        }
    }

    /// The same, with something that lives as long: a folder, a database, a switch that the
    /// harness needs to make it fail.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }

    /// The sink.
    #[must_use]
    pub fn sink(&self) -> &Arc<dyn AuditSink> {
        &self.sink
    }

    /// The reader.
    #[must_use]
    pub fn reader(&self) -> &Arc<dyn AuditReader> {
        &self.reader
    }

    /// What was given to [`with_guard`](Self::with_guard), if it is of this type.
    #[must_use]
    pub fn guard<T: Any>(&self) -> Option<&T> {
        self.guard.as_deref()?.downcast_ref()
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("sink", &self.sink)
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}

//! What forwards to an intact sink is an intact sink.

use std::sync::Arc;

use audit_core::reader::AuditReader;
use audit_core::sink::AuditSink;
use audit_memory::MemoryStore;
use audit_testkit::{FaultPlan, FaultySink, Subject, conformance};

conformance!(boxed, async || {
    let store = MemoryStore::new();
    let sink: Box<dyn AuditSink> = Box::new(store.clone());
    let reader: Box<dyn AuditReader> = Box::new(store);
    Subject::new(sink, reader)
});

conformance!(shared, async || {
    let store = MemoryStore::new();
    let sink: Arc<dyn AuditSink> = Arc::new(store.clone());
    let reader: Arc<dyn AuditReader> = Arc::new(store);
    Subject::new(sink, reader)
});

conformance!(faulty_without_faults, async || {
    let store = MemoryStore::new();
    let sink = FaultySink::new(store.clone(), FaultPlan::new());
    Subject::new(sink, store)
});

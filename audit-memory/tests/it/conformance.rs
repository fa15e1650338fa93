//! The contract, case by case.

use async_trait::async_trait;
use audit_core::event::AuditEvent;
use audit_memory::{MemoryConfig, MemoryStore};
use audit_testkit::{Capabilities, Harness, Subject, fixture};

struct Memory;

#[async_trait]
impl Harness for Memory {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new().is_bounded(true).refuses_an_event(true)
    }

    async fn open(&self) -> Subject {
        let store = MemoryStore::new();
        Subject::new(store.clone(), store)
    }

    async fn open_with_room_for(&self, n_events: usize) -> Option<Subject> {
        let store = MemoryStore::with_config(MemoryConfig::new().max_events(n_events));
        Some(Subject::new(store.clone(), store))
    }

    async fn open_with_unstorable(&self) -> Option<(Subject, AuditEvent)> {
        let event = fixture::largest_event(1);
        let too_small = MemoryConfig::new().max_bytes(event.size_in_memory() - 1);
        let store = MemoryStore::with_config(too_small);
        Some((Subject::new(store.clone(), store), event))
    }
}

audit_testkit::conformance!(memory, Memory);

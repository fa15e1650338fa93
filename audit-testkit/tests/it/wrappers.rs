//! What forwards to an intact sink is an intact sink.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use audit_core::event::AuditEvent;
use audit_core::reader::AuditReader;
use audit_core::sink::{
    Appended, AuditSink, Durability, FanOut, FanOutRule, Forwarding, Health, Retry, TeeLog,
};
use audit_core::{Error, ErrorKind};
use audit_memory::{MemoryConfig, MemoryStore};
use audit_testkit::{Capabilities, FaultPlan, FaultySink, Harness, Subject, conformance, fixture};

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

/// What wraps two memory stores, each of which can be made to fail once; read through the second.
struct Wrapped {
    wrap: fn(Fragile, Fragile) -> Arc<dyn AuditSink>,
    capabilities: Capabilities,
}

/// A memory store that fails the next append, if it was told so.
#[derive(Debug)]
struct Fragile {
    store: MemoryStore,
    fails: Arc<AtomicBool>,
}

/// The switches of both.
type Switches = [Arc<AtomicBool>; 2];

impl Wrapped {
    fn around(&self, config: &MemoryConfig) -> Subject {
        let fragile = || Fragile {
            store: MemoryStore::with_config(*config),
            fails: Arc::default(),
        };
        let (one, two) = (fragile(), fragile());
        let switches: Switches = [&one, &two].map(|it| Arc::clone(&it.fails));
        let reader = two.store.clone();
        Subject::new((self.wrap)(one, two), reader).with_guard(switches)
    }
}

#[async_trait]
impl Harness for Wrapped {
    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    async fn open(&self) -> Subject {
        self.around(&MemoryConfig::new())
    }

    async fn open_with_room_for(&self, n_events: usize) -> Option<Subject> {
        Some(self.around(&MemoryConfig::new().max_events(n_events)))
    }

    async fn fail_next_append(&self, subject: &Subject) -> bool {
        for fails in subject.guard::<Switches>().expect("two switches") {
            fails.store(true, Ordering::SeqCst);
        }
        true
    }

    async fn open_with_unstorable(&self) -> Option<(Subject, AuditEvent)> {
        let event = fixture::largest_event(1);
        let too_small = MemoryConfig::new().max_bytes(event.size_in_memory() - 1);
        Some((self.around(&too_small), event))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl AuditSink for Fragile {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        if self.fails.swap(false, Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "as the test says"));
        }
        self.store.append(events).await
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
        self.store.durability()
    }

    fn forwarding(&self) -> Option<Forwarding> {
        self.store.forwarding()
    }
}

/// The stores of the tests, whole: nothing is left out but that the store is killed.
fn whole() -> Capabilities {
    Capabilities::new()
        .is_bounded(true)
        .refuses_an_event(true)
        .fails_on_request(true)
}

fn fan_out(rule: FanOutRule, one: impl AuditSink, two: impl AuditSink) -> FanOut {
    FanOut::builder(rule)
        .sink("one", one)
        .sink("two", two)
        .build()
        .expect("two sinks and a runtime")
}

conformance!(
    fan_out_to_all,
    Wrapped {
        wrap: |one, two| Arc::new(fan_out(FanOutRule::All, one, two)),
        capabilities: whole(),
    }
);

conformance!(
    fan_out_to_any,
    Wrapped {
        wrap: |one, two| Arc::new(fan_out(FanOutRule::Any, one, two)),
        // The other one may have been the first.
        capabilities: whole().is_visible_before_flush(false),
    }
);

conformance!(
    fan_out_to_a_primary,
    Wrapped {
        wrap: |one, two| Arc::new(fan_out(FanOutRule::Primary, two, one)),
        capabilities: whole(),
    }
);

conformance!(
    fan_out_to_a_copy,
    Wrapped {
        wrap: |one, two| Arc::new(fan_out(FanOutRule::Primary, one, two)),
        // What is read is the copy.
        capabilities: whole().is_visible_before_flush(false),
    }
);

conformance!(
    retried,
    Wrapped {
        wrap: |_, two| Arc::new(Retry::new(two)),
        // It does not fail: it tries again.
        capabilities: whole().fails_on_request(false),
    }
);

conformance!(
    teed,
    Wrapped {
        wrap: |_, two| Arc::new(TeeLog::new(two)),
        capabilities: whole(),
    }
);

conformance!(
    stacked,
    Wrapped {
        wrap: |one, two| {
            let (one, two) = (TeeLog::new(one), TeeLog::new(Retry::new(two)));
            Arc::new(Retry::new(fan_out(FanOutRule::All, one, two)))
        },
        capabilities: whole().fails_on_request(false),
    }
);

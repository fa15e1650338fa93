//! A conversation and what is on record of it.

use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::{AuditEvent, Outcome};
use audit_core::logger::Overload;
use audit_mcp::conversation::{Conversation, ConversationBuilder, Origin, Passage, Side};
use audit_memory::MemoryStore;
use serde_json::{Value, json};

pub(crate) struct Stand {
    pub(crate) store: MemoryStore,
    pub(crate) logger: AuditLogger,
    pub(crate) conversation: Conversation,
}

impl Stand {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(build: impl FnOnce(ConversationBuilder) -> ConversationBuilder) -> Self {
        let store = MemoryStore::new();
        let logger = AuditLogger::builder(store.clone()).build().unwrap();
        Self::of(store, logger, build)
    }

    /// With room for so many calls that are open.
    pub(crate) fn with_room(
        n_calls: usize,
        build: impl FnOnce(ConversationBuilder) -> ConversationBuilder,
    ) -> Self {
        let store = MemoryStore::new();
        let logger = AuditLogger::builder(store.clone())
            .queue_events(n_calls)
            .overload(Overload::Reject)
            .build()
            .unwrap();
        Self::of(store, logger, build)
    }

    fn of(
        store: MemoryStore,
        logger: AuditLogger,
        build: impl FnOnce(ConversationBuilder) -> ConversationBuilder,
    ) -> Self {
        let conversation = build(Conversation::builder(logger.clone())).build();
        Self {
            store,
            logger,
            conversation,
        }
    }

    pub(crate) async fn pass(&self, sender: Side, frame: impl ToString) -> Passage {
        let origin = match sender {
            Side::Client => Origin::new(),
            Side::Server => Origin::server(),
        };
        let frame = frame.to_string();
        self.conversation
            .pass(sender, frame.as_bytes(), &origin)
            .await
    }

    /// Something that is let through.
    pub(crate) async fn client(&self, frame: impl ToString) {
        assert_eq!(self.pass(Side::Client, frame).await, Passage::Forward);
    }

    pub(crate) async fn server(&self, frame: impl ToString) {
        assert_eq!(self.pass(Side::Server, frame).await, Passage::Forward);
    }

    /// All records, when no call is open any more.
    pub(crate) async fn events(&self) -> Vec<AuditEvent> {
        let report = self.logger.shutdown(Duration::from_secs(10)).await;
        assert!(report.is_complete(), "{report:?}");
        self.store.recorded()
    }

    /// Method, request id and outcome of all records.
    pub(crate) async fn outcomes(&self) -> Vec<(String, Option<String>, Outcome)> {
        self.events().await.iter().map(line).collect()
    }

    pub(crate) async fn only_event(&self) -> AuditEvent {
        let mut events = self.events().await;
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }
}

pub(crate) fn line(event: &AuditEvent) -> (String, Option<String>, Outcome) {
    let id = event.request_id.as_ref().map(|id| id.as_str().to_owned());
    (event.method.as_str().to_owned(), id, event.outcome)
}

pub(crate) fn call(id: impl Into<Value>) -> Value {
    request(
        id,
        "tools/call",
        &json!({ "name": "search", "arguments": { "q": "x" } }),
    )
}

pub(crate) fn request(id: impl Into<Value>, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
}

pub(crate) fn result(id: impl Into<Value>, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "result": result })
}

pub(crate) fn error(id: impl Into<Value>, code: i64) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "error": { "code": code, "message": "no" } })
}

pub(crate) fn cancel(id: impl Into<Value>) -> Value {
    let params = json!({ "requestId": id.into(), "reason": "enough" });
    json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params })
}

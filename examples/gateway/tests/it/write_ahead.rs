//! Rules by tool hold from the first moment.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use audit_core::event::{AuditEvent, EventId, Outcome};
use audit_core::logger::{AuditPolicy, IntentLog, PolicyRule};
use audit_core::{Error, Glob};
use serde_json::json;

use super::stage::{Era, Stage, tool};

/// What was on record before a tool ran.
#[derive(Clone, Debug, Default)]
struct Intents(Arc<Mutex<Vec<AuditEvent>>>);

#[async_trait]
impl IntentLog for Intents {
    async fn open(&self, intents: &[AuditEvent]) -> Result<(), Error> {
        self.0.lock().unwrap().extend_from_slice(intents);
        Ok(())
    }

    async fn settle(&self, _ids: &[EventId]) -> Result<(), Error> {
        Ok(())
    }

    async fn take_over(&self, _limit: usize) -> Result<Vec<AuditEvent>, Error> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn what_deletes_is_on_record_with_its_arguments_before_it_runs() {
    let intents = Intents::default();
    let rule = PolicyRule::new()
        .tool(Glob::new("delete_*"))
        .write_ahead(true);
    let stage = Stage::with_logger(
        |_| {},
        |builder| {
            builder
                .policy(AuditPolicy::new().rule(rule))
                .intents(intents.clone())
        },
    )
    .await;
    let operator = stage.demo.keys.operator.clone();
    stage
        .call(Era::Earlier, &operator, "search", json!({ "query": "x" }))
        .await;
    let customer = json!({ "customer_id": "7", "note": operator });
    stage
        .call(Era::Earlier, &operator, "delete_customer", customer)
        .await;

    let records = stage.records(2).await;
    let announced = intents.0.lock().unwrap().clone();
    let [intent] = &announced[..] else {
        panic!("one intent, not {announced:?}");
    };
    assert_eq!(intent.id, records[1].id);
    assert_eq!(intent.outcome, Outcome::Interrupted);
    assert_eq!(tool(intent), "delete_customer");
    let asked = intent.request().unwrap().json().unwrap();
    assert!(asked.contains(r#""customer_id":"7""#), "{asked}");
    assert!(!asked.contains(&operator), "{asked}");
}

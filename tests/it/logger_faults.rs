//! The logger over a sink that goes wrong on a written plan: nothing is lost, nothing is doubled.

use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::{AuditEvent, EventDraft, Method, Outcome, Seq};
use audit_core::reader::AuditReader;
use audit_memory::MemoryStore;
use audit_testkit::{FaultPlan, FaultySink, Gate};
use tokio::task::JoinSet;

fn draft() -> EventDraft {
    EventDraft::new(Method::tools_call()).outcome(Outcome::Ok)
}

fn logger(store: &MemoryStore, plan: FaultPlan) -> AuditLogger {
    let sink = FaultySink::new(store.clone(), plan);
    AuditLogger::builder(sink).build().unwrap()
}

async fn are_there_once(store: &MemoryStore, logger: &AuditLogger, n_events: u64) {
    let mut seqs: Vec<Seq> = store.recorded().iter().map(|event| event.seq).collect();
    seqs.sort();
    let expected: Vec<Seq> = (1..=n_events).map(|seq| Seq::new(seq).unwrap()).collect();
    assert_eq!(seqs, expected);
    assert_eq!(store.gaps(logger.writer(), 10).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn an_outage_and_lost_answers_delay_and_neither_lose_nor_double() {
    let store = MemoryStore::new();
    let plan = FaultPlan::new()
        .fail(3)
        .store_then_fail(1)
        .pass(1)
        .delay(Duration::from_secs(20))
        .store_then_fail(2);
    let logger = logger(&store, plan);
    for _ in 0..10 {
        logger.log_event(draft()).await.unwrap();
    }
    are_there_once(&store, &logger, 10).await;
}

#[tokio::test(start_paused = true)]
async fn a_torn_batch_is_mended_by_the_retry() {
    let store = MemoryStore::new();
    let logger = logger(&store, FaultPlan::new().tear(1).tear(0));
    let mut calls = JoinSet::new();
    for _ in 0..4 {
        let logger = logger.clone();
        calls.spawn(async move { logger.log_event(draft()).await });
    }
    for recorded in calls.join_all().await {
        recorded.unwrap();
    }
    are_there_once(&store, &logger, 4).await;
}

#[tokio::test]
async fn whoever_waits_at_a_store_that_hangs_is_answered_when_it_works() {
    let (store, gate) = (MemoryStore::new(), Gate::new());
    let logger = logger(&store, FaultPlan::new().hang(&gate));
    let same = logger.clone();
    let waiting = tokio::spawn(async move { same.log_event(draft()).await });
    gate.arrived(1).await;
    assert_eq!(store.recorded(), [] as [AuditEvent; 0]);
    gate.open();
    waiting.await.unwrap().unwrap();
    are_there_once(&store, &logger, 1).await;
}

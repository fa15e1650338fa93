//! A logger before a spool: durability per call, attempts on record, shutdown.

use std::time::Duration;

use audit_core::event::{EventDraft, Method, Outcome, ToolName};
use audit_core::logger::{AuditPolicy, PolicyRule, Recorded};
use audit_core::sink::Durability;
use audit_core::{AuditLogger, AuditSink as _, ErrorKind, Glob};
use audit_memory::MemoryStore;
use audit_testkit::{FaultPlan, FaultySink, Gate};

use super::support::{Folder, crash, soon};

fn draft(tool: &str) -> EventDraft {
    EventDraft::new(Method::tools_call()).tool_name(ToolName::new(tool).unwrap())
}

#[tokio::test]
async fn each_caller_gets_the_answer_that_was_asked_for() {
    let folder = Folder::new();
    let gate = Gate::new();
    let store = MemoryStore::new();
    let spool = folder
        .open(FaultySink::new(store.clone(), FaultPlan::new().hang(&gate)))
        .await;
    let policy = AuditPolicy::new()
        .rule(
            PolicyRule::new()
                .tool(Glob::new("delete_*"))
                .durability(Durability::Committed),
        )
        .rule(
            PolicyRule::new()
                .outcome(Outcome::Denied)
                .durability(Durability::Queued),
        );
    let logger = AuditLogger::builder(spool.clone())
        .policy(policy)
        .build()
        .unwrap();

    let spooled = logger.log_event(draft("read").outcome(Outcome::Ok));
    assert_eq!(soon(spooled).await.unwrap(), Recorded::Spooled);
    let queued = logger.log_event(draft("read").outcome(Outcome::Denied));
    assert_eq!(soon(queued).await.unwrap(), Recorded::Queued);
    let call = logger.begin(draft("delete_user")).await.unwrap();
    let mut committed = std::pin::pin!(call.finish(Outcome::Ok));
    let call = logger.begin(draft("read")).await.unwrap();
    let both = call.finish_in_two_steps(Outcome::Ok);
    assert_eq!(soon(both.kept).await.unwrap(), Recorded::Spooled);
    let mut last = std::pin::pin!(both.last);
    gate.arrived(1).await;
    let is_answered = async |answer: std::pin::Pin<&mut audit_core::logger::Acknowledgement>| {
        tokio::time::timeout(Duration::ZERO, answer).await.is_ok()
    };
    assert!(!is_answered(committed.as_mut()).await && !is_answered(last.as_mut()).await);
    assert_eq!(store.n_events(), 0);
    gate.open();
    assert_eq!(soon(committed).await.unwrap(), Recorded::Stored);
    assert_eq!(soon(last).await.unwrap(), Recorded::Stored);
    let report = soon(logger.shutdown(Duration::from_secs(9))).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.n_stored, report.n_forwarding), (4, 0));
    assert_eq!(store.n_events(), 4);
}

#[tokio::test]
async fn a_shutdown_reports_what_waits_in_the_spool_and_the_next_start_sends_it() {
    let folder = Folder::new();
    let down = FaultySink::new(MemoryStore::new(), FaultPlan::new().fail(1).for_ever());
    let spool = folder.open(down).await;
    let logger = AuditLogger::builder(spool.clone()).build().unwrap();
    for _ in 0..7 {
        let logged = logger.log_event(draft("read").outcome(Outcome::Ok));
        assert_eq!(soon(logged).await.unwrap(), Recorded::Spooled);
    }
    let report = soon(logger.shutdown(Duration::from_millis(20))).await;
    assert!(!report.is_complete());
    assert_eq!((report.n_stored, report.n_forwarding), (7, 7));
    assert!(report.unstored.is_empty(), "they are in the spool");
    assert!(report.flush_error.is_some());
    drop(logger);
    crash(spool).await;
    let store = MemoryStore::new();
    let spool = folder.open(store.clone()).await;
    soon(spool.flush()).await.unwrap();
    assert_eq!(store.n_events(), 7);
}

#[tokio::test]
async fn a_call_that_a_crash_left_open_is_recorded_as_interrupted_once() {
    let folder = Folder::new();
    let policy = AuditPolicy::new().rule(
        PolicyRule::new()
            .tool(Glob::new("delete_*"))
            .write_ahead(true),
    );
    let store = MemoryStore::new();
    let spool = folder.open(store.clone()).await;
    let logger = |spool: &audit_sqlite::Spool| {
        AuditLogger::builder(spool.clone())
            .intents(spool.clone())
            .policy(policy.clone())
            .build()
            .unwrap()
    };
    let first = logger(&spool);
    let done = first.begin(draft("delete_a")).await.unwrap();
    let open = first.begin(draft("delete_b")).await.unwrap();
    let harmless = first.begin(draft("read")).await.unwrap();
    let (done_id, open_id) = (done.id(), open.id());
    soon(done.finish(Outcome::Ok)).await.unwrap();
    assert_eq!(first.counters().announced, 2);
    // As a crash would: neither call is dropped.
    let _never_dropped = std::mem::ManuallyDrop::new((open, harmless));
    soon(first.shutdown(Duration::ZERO)).await;
    drop(first);
    soon(spool.flush()).await.unwrap();
    crash_held(&folder, spool).await;

    for n_starts in 1..=3 {
        let spool = folder.open(store.clone()).await;
        let again = logger(&spool);
        assert!(
            soon(again.shutdown(Duration::from_secs(9)))
                .await
                .is_complete()
        );
        let interrupted = u64::from(n_starts == 1);
        assert_eq!(
            again.counters().interrupted,
            interrupted,
            "start {n_starts}"
        );
        drop(again);
        crash_held(&folder, spool).await;
    }
    let recorded = store.recorded();
    assert_eq!(recorded.len(), 2);
    let outcome = |id| {
        recorded
            .iter()
            .find(|event| event.id == id)
            .unwrap()
            .outcome
    };
    assert_eq!(outcome(done_id), Outcome::Ok);
    assert_eq!(outcome(open_id), Outcome::Interrupted);
}

/// The logger's tasks hold the spool for a moment longer.
async fn crash_held(_: &Folder, spool: audit_sqlite::Spool) {
    soon(spool.close()).await.ok();
    crash(spool).await;
}

#[tokio::test]
async fn a_tool_does_not_run_when_its_attempt_cannot_be_kept() {
    let folder = Folder::new();
    let spool = folder.open(MemoryStore::new()).await;
    let policy = AuditPolicy::new().rule(PolicyRule::new().write_ahead(true));
    let logger = AuditLogger::builder(spool.clone())
        .intents(spool.clone())
        .policy(policy.clone())
        .build()
        .unwrap();
    soon(spool.close()).await.unwrap();
    let error = logger.begin(draft("delete")).await.unwrap_err();
    assert!(error.is_closed());
    assert_eq!(logger.counters().open_calls, 0);
    assert_eq!(logger.counters().accepted, 0, "nothing is recorded of it");
    let error = AuditLogger::builder(MemoryStore::new())
        .policy(policy)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("intents"), "{error}");
}

//! How a logger can end, and what its report must say then.

use std::sync::Arc;
use std::time::Duration;

use audit_core::event::{AuditEvent, Outcome};
use audit_core::logger::{LOSS_METHOD, Overload, Recorded, ShutdownReport};
use audit_core::sink::Durability;
use audit_core::{AuditLogger, Error, ErrorKind};
use audit_memory::MemoryStore;
use audit_testkit::{FaultPlan, FaultySink, Gate};

use super::support::{ScriptedSink, draft, logger, soon};

#[tokio::test(start_paused = true)]
async fn every_shutdown_reports_the_call_that_was_still_open() {
    let logger = logger(MemoryStore::new());
    let open = logger.begin(draft("open")).await.unwrap();
    for _ in 0..2 {
        let report = logger.shutdown(Duration::from_secs(1)).await;
        assert_eq!(report.n_open_calls, 1, "{report:?}");
        assert!(
            report.flush_error.is_some() && !report.is_complete(),
            "{report:?}"
        );
    }
    assert!(open.finish(Outcome::Ok).await.unwrap_err().is_closed());
}

#[tokio::test]
async fn what_was_shed_is_told_even_if_nothing_else_happens() {
    let store = MemoryStore::new();
    let logger = AuditLogger::builder(store.clone())
        .queue_events(1)
        .overload(Overload::Shed)
        .build()
        .unwrap();
    let kept = logger.begin(draft("kept")).await.unwrap();
    let shed = logger.begin(draft("shed")).await.unwrap();
    let is_told = |events: &[AuditEvent]| events.iter().any(|it| it.method.as_str() == LOSS_METHOD);
    soon(store.wait_for(is_told)).await;
    kept.finish(Outcome::Ok).await.unwrap();
    let report = soon(logger.shutdown(Duration::from_secs(30))).await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(shed.finish(Outcome::Ok).await.unwrap(), Recorded::Shed);
    assert_eq!(store.recorded().len(), 2, "one call, one loss event");
}

#[tokio::test]
async fn loss_events_do_not_fill_the_queue() {
    let sink = ScriptedSink::gated();
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .queue_events(4)
        .batch_events(1)
        .overload(Overload::Shed)
        .durability(Durability::Queued)
        .build()
        .unwrap();
    for _ in 0..500 {
        drop(logger.begin(draft("t")).await.unwrap());
        sink.open_gate(1);
        tokio::task::yield_now().await;
        let held = logger.counters();
        assert!(held.queued_events <= 4 + 1, "{held:?}");
    }
    sink.open_gate(10_000);
    assert!(
        soon(logger.shutdown(Duration::from_secs(30)))
            .await
            .is_complete()
    );
}

#[tokio::test(start_paused = true)]
async fn the_sink_is_flushed_at_the_end_and_no_longer_than_the_deadline() {
    let flush = |plan: FaultPlan| {
        let sink = FaultySink::new(MemoryStore::new(), FaultPlan::new()).on_flush(plan);
        async move { logger(sink).shutdown(Duration::from_secs(5)).await }
    };
    let report = flush(FaultPlan::new().fail(1)).await;
    assert!(
        report
            .flush_error
            .is_some_and(|error| error.kind() == ErrorKind::Unavailable)
    );
    let report = flush(FaultPlan::new().hang(&Gate::new())).await;
    assert!(
        report
            .flush_error
            .is_some_and(|error| error.kind() == ErrorKind::Timeout)
    );
    let report = flush(FaultPlan::new().panic()).await;
    assert!(
        report
            .flush_error
            .is_some_and(|error| error.kind() == ErrorKind::Internal)
    );
    assert!(flush(FaultPlan::new()).await.is_complete());
}

#[test]
fn a_report_is_complete_only_if_every_field_says_so() {
    let report = |change: fn(&mut ShutdownReport)| {
        let mut report = ShutdownReport::default();
        change(&mut report);
        report.is_complete()
    };
    assert!(report(|report| report.n_stored = 7));
    assert!(!report(|report| report.n_refused = 1));
    assert!(!report(|report| report.n_untold_losses = 1));
    assert!(!report(|report| report.n_open_calls = 1));
    assert!(!report(
        |report| report.unstored = vec![audit_testkit::fixture::event(1)]
    ));
    assert!(!report(
        |report| report.flush_error = Some(Error::new(ErrorKind::Timeout, "x"))
    ));
}

#[test]
fn a_runtime_without_a_timer_is_refused_with_what_to_do() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let builder = AuditLogger::builder(MemoryStore::new()).runtime(runtime.handle().clone());
    let error = builder.build().unwrap_err();
    assert!(error.to_string().contains("enable_time"), "{error}");
}

//! How a logger can end, and what its report must say then.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use audit_core::event::{AuditEvent, Outcome};
use audit_core::logger::{LOSS_METHOD, Overload, Recorded, ShutdownReport};
use audit_core::sink::{Appended, Durability, Health};
use audit_core::{AuditLogger, AuditSink, Error, ErrorKind};
use audit_memory::MemoryStore;
use audit_testkit::{FaultPlan, FaultySink, Gate};

use super::support::{Act, ScriptedSink, draft, logger, soon, tools};

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
async fn a_waiting_call_does_not_hold_up_a_shutdown() {
    let logger = AuditLogger::builder(MemoryStore::new())
        .queue_events(1)
        .build()
        .unwrap();
    let open = logger.begin(draft("open")).await.unwrap();
    let waiting = tokio::spawn({
        let logger = logger.clone();
        async move { logger.begin(draft("waiting")).await.map(drop) }
    });
    tokio::task::yield_now().await;
    let shutdown = tokio::spawn({
        let logger = logger.clone();
        async move { logger.shutdown(Duration::from_secs(30)).await }
    });
    assert!(soon(waiting).await.unwrap().unwrap_err().is_closed());
    drop(open);
    assert!(soon(shutdown).await.unwrap().is_complete());
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

#[tokio::test]
async fn a_store_that_is_full_is_asked_once_for_a_batch() {
    let sink = ScriptedSink::new(|_, _| Act::Fail(ErrorKind::Full));
    let logger = logger(Arc::clone(&sink));
    let mut answers = Vec::new();
    for _ in 0..100 {
        answers.push(logger.begin(draft("t")).await.unwrap().finish(Outcome::Ok));
    }
    for answer in answers {
        assert_eq!(soon(answer).await.unwrap_err().kind(), ErrorKind::Full);
    }
    assert_eq!(
        sink.batches()
            .iter()
            .filter(|n_events| **n_events > 1)
            .count(),
        1
    );
}

#[tokio::test]
async fn a_record_at_fault_is_found_with_two_appends_a_record_at_the_most() {
    let sink = ScriptedSink::new(|_, _| Act::Fail(ErrorKind::Rejected));
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .durability(Durability::Queued)
        .build()
        .unwrap();
    for _ in 0..64 {
        logger.log_event(draft("t")).await.unwrap();
    }
    let report = soon(logger.shutdown(Duration::from_secs(30))).await;
    // The loss event is one more record.
    assert!(
        sink.batches().len() <= 2 * 65,
        "{} appends",
        sink.batches().len()
    );
    assert_eq!((report.n_untold_losses, report.unstored.len()), (64, 0));
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
fn a_runtime_that_ends_gives_back_what_remained() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let sink = ScriptedSink::new(|_, _| Act::Hang);
    let logger = AuditLogger::builder(sink)
        .runtime(runtime.handle().clone())
        .durability(Durability::Queued)
        .build()
        .unwrap();
    runtime.block_on(async {
        logger.log_event(draft("in flight")).await.unwrap();
        tokio::task::yield_now().await;
        logger.log_event(draft("queued")).await.unwrap();
    });
    let open = runtime.block_on(logger.begin(draft("open"))).unwrap();
    drop(runtime);
    let other = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    // The timer of a shutdown is that of the runtime that is gone: nobody needs it any more.
    let handle = other.handle().clone();
    let report = handle.block_on(async { logger.shutdown(Duration::from_secs(1)).await });
    assert_eq!(tools(&report.unstored), ["in flight", "queued"]);
    assert_eq!(report.n_open_calls, 1);
    assert_eq!(logger.counters().queued_events, 0);
    drop(open);
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

#[tokio::test(start_paused = true)]
async fn a_sink_that_panics_before_or_behind_its_future_loses_nothing() {
    let logger = logger(Explosive {
        store: MemoryStore::new(),
    });
    let error = logger.log_event(draft("before")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    let answer = logger
        .begin(draft("behind"))
        .await
        .unwrap()
        .finish(Outcome::Ok);
    let report = logger.shutdown(Duration::from_secs(1)).await;
    assert!(tools(&report.unstored).contains(&"behind"), "{report:?}");
    assert!(answer.await.unwrap_err().is_closed());
}

/// Panics when an append begins, for events of the tool `before`; hangs for others, and panics
/// when that is dropped.
#[derive(Debug)]
struct Explosive {
    store: MemoryStore,
}

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::panic::panic_any("dropped");
        }
    }
}

/// Written without `async_trait`, whose methods never panic before there is a future.
impl AuditSink for Explosive {
    fn append<'a, 'b, 'c>(
        &'a self,
        events: &'b [AuditEvent],
    ) -> Pin<Box<dyn Future<Output = Result<Appended, Error>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        if tools(events) == ["before"] {
            std::panic::panic_any("no future at all");
        }
        let bomb = PanicsOnDrop;
        Box::pin(async move {
            let _bomb = bomb;
            std::future::pending().await
        })
    }

    fn flush<'a, 'b>(&'a self) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        self.store.flush()
    }

    fn health<'a, 'b>(&'a self) -> Pin<Box<dyn Future<Output = Health> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        self.store.health()
    }

    fn close<'a, 'b>(&'a self) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        self.store.close()
    }

    fn durability(&self) -> Durability {
        Durability::Committed
    }
}

impl fmt::Debug for PanicsOnDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PanicsOnDrop")
    }
}

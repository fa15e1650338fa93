use std::sync::Arc;
use std::time::Duration;

use audit_core::event::Outcome;
use audit_core::{AuditLogger, ErrorKind};
use audit_memory::MemoryStore;
use audit_testkit::{FaultPlan, FaultySink, Gate};

use super::support::{Act, ScriptedSink, draft, logger, poll_once, soon, tools};

const LONG: Duration = Duration::from_secs(9);

#[tokio::test]
async fn a_second_shutdown_reports_the_flush_that_failed_under_the_first() {
    let plan = FaultPlan::new().fail(1);
    let logger = logger(FaultySink::new(MemoryStore::new(), FaultPlan::new()).on_flush(plan));
    for _ in 0..2 {
        let report = soon(logger.shutdown(LONG)).await;
        let error = report.flush_error.as_ref().map(audit_core::Error::kind);
        assert_eq!(error, Some(ErrorKind::Unavailable), "{report:?}");
        assert!(!report.is_complete());
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_shutdowns_at_once_the_shortest_deadline_holds() {
    let logger = logger(ScriptedSink::new(|_, _| Act::Hang));
    let call = logger.begin(draft("a")).await.unwrap();
    let answer = call.finish(Outcome::Ok);
    let begin = tokio::time::Instant::now();
    let short = Duration::from_secs(2);
    let (long, short_one) =
        soon(async { tokio::join!(logger.shutdown(LONG), logger.shutdown(short)) }).await;
    assert_eq!(begin.elapsed(), short);
    for report in [long, short_one] {
        assert_eq!(tools(&report.unstored), ["a"]);
    }
    assert!(answer.await.unwrap_err().is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_does_not_hold_up_shutdown() {
    let logger = AuditLogger::builder(MemoryStore::new())
        .queue_events(1)
        .build()
        .unwrap();
    let call = logger.begin(draft("a")).await.unwrap();
    let mut waiting = Box::pin(logger.begin(draft("b")));
    assert!(poll_once(waiting.as_mut()).await.is_pending());
    let shutdown = tokio::spawn({
        let logger = logger.clone();
        async move { logger.shutdown(LONG).await }
    });
    tokio::task::yield_now().await;
    soon(call.finish(Outcome::Ok)).await.unwrap();
    // The batcher has nothing more to do and waits for the call that waits for room.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    drop(waiting);
    let begin = tokio::time::Instant::now();
    assert!(soon(shutdown).await.unwrap().is_complete());
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_last_call_that_ends_ends_the_shutdown() {
    let sink = ScriptedSink::new(|_, _| Act::Store);
    let logger = logger(Arc::clone(&sink));
    let calls = [
        logger.begin(draft("a")).await.unwrap(),
        logger.begin(draft("b")).await.unwrap(),
    ];
    let shutdown = tokio::spawn({
        let logger = logger.clone();
        async move { logger.shutdown(LONG).await }
    });
    let begin = tokio::time::Instant::now();
    for call in calls {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert!(!shutdown.is_finished());
        drop(call);
    }
    let report = soon(shutdown).await.unwrap();
    assert!(report.is_complete() && report.n_stored == 2, "{report:?}");
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn the_sink_is_flushed_behind_the_last_record_and_once() {
    let gate = Gate::new();
    let plan = FaultPlan::new().hang(&gate).for_ever();
    let store = MemoryStore::new();
    let sink = FaultySink::new(store.clone(), FaultPlan::new()).on_flush(plan);
    let logger = logger(sink);
    let calls = [
        logger.begin(draft("a")).await.unwrap(),
        logger.begin(draft("b")).await.unwrap(),
    ];
    let shutdown = tokio::spawn({
        let logger = logger.clone();
        async move { logger.shutdown(LONG).await }
    });
    for call in calls {
        soon(call.finish(Outcome::Ok)).await.unwrap();
    }
    soon(gate.arrived(1)).await;
    assert_eq!(tools(&store.recorded()), ["a", "b"]);
    assert!(!shutdown.is_finished(), "the report waits for the flush");
    gate.open();
    assert!(soon(shutdown).await.unwrap().is_complete());
    let mut again = Box::pin(gate.arrived(2));
    assert!(poll_once(again.as_mut()).await.is_pending());
}

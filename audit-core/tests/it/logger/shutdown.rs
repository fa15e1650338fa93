use std::sync::Arc;
use std::time::Duration;

use audit_core::event::Outcome;
use audit_core::logger::Recorded;
use audit_core::sink::Durability;
use audit_core::{AuditLogger, ErrorKind};
use audit_memory::MemoryStore;

use super::support::{Act, ScriptedSink, draft, logger, poll_once, soon, tools};

#[tokio::test]
async fn shutdown_stores_what_is_queued_and_takes_no_more() {
    let store = MemoryStore::new();
    let logger = AuditLogger::builder(store.clone())
        .durability(Durability::Queued)
        .build()
        .unwrap();
    for _ in 0..100 {
        logger.log_event(draft("t")).await.unwrap();
    }
    let report = soon(logger.shutdown(Duration::from_secs(30))).await;
    assert!(report.is_complete() && report.n_stored == 100, "{report:?}");
    assert_eq!(store.recorded().len(), 100);
    assert!(logger.begin(draft("late")).await.unwrap_err().is_closed());
    assert!(
        logger
            .log_event(draft("late"))
            .await
            .unwrap_err()
            .is_closed()
    );
    assert!(!logger.health().await.is_ready());
    assert_eq!(store.recorded().len(), 100);
}

#[tokio::test]
async fn shutdown_waits_for_the_calls_that_are_open() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    let call = logger.begin(draft("open")).await.unwrap();
    let shutdown = tokio::spawn({
        let logger = logger.clone();
        async move { logger.shutdown(Duration::from_secs(30)).await }
    });
    soon(async {
        while logger.health().await.is_ready() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!shutdown.is_finished());
    assert_eq!(
        soon(call.finish(Outcome::Ok)).await.unwrap(),
        Recorded::Stored
    );
    let report = soon(shutdown).await.unwrap();
    assert!(report.is_complete() && report.n_stored == 1, "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_what_remains_is_given_back_and_its_callers_are_told() {
    let sink = ScriptedSink::new(|attempt, _| if attempt == 0 { Act::Store } else { Act::Hang });
    let logger = logger(Arc::clone(&sink));
    logger.log_event(draft("stored")).await.unwrap();
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(
            logger
                .begin(draft("hanging"))
                .await
                .unwrap()
                .finish(Outcome::Ok),
        );
    }
    tokio::task::yield_now().await;
    answers.push(
        logger
            .begin(draft("queued"))
            .await
            .unwrap()
            .finish(Outcome::Ok),
    );
    let open = logger.begin(draft("open")).await.unwrap();

    let deadline = Duration::from_secs(7);
    let begin = tokio::time::Instant::now();
    let report = logger.shutdown(deadline).await;
    assert_eq!(begin.elapsed(), deadline);
    assert_eq!(report.n_stored, 1);
    assert_eq!(report.n_open_calls, 1);
    assert_eq!(
        tools(&report.unstored),
        ["hanging", "hanging", "hanging", "queued"]
    );
    assert!(!report.is_complete());
    for answer in answers {
        assert!(answer.await.unwrap_err().is_closed());
    }
    assert!(open.finish(Outcome::Ok).await.unwrap_err().is_closed());

    // What was given back can be stored elsewhere, once.
    let elsewhere = MemoryStore::new();
    let appended = audit_core::AuditSink::append(&elsewhere, &report.unstored)
        .await
        .unwrap();
    assert!(appended.is_all_kept());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_during_an_outage_gives_the_batch_back() {
    let sink = ScriptedSink::new(|_, _| Act::Fail(ErrorKind::Unavailable));
    let logger = AuditLogger::builder(sink)
        .durability(Durability::Queued)
        .build()
        .unwrap();
    for _ in 0..10 {
        logger.log_event(draft("t")).await.unwrap();
    }
    let report = logger.shutdown(Duration::from_secs(60)).await;
    assert_eq!(report.unstored.len(), 10);
    let held = logger.counters();
    assert_eq!((held.queued_events, held.queued_bytes), (0, 0));
}

#[tokio::test]
async fn a_shutdown_that_is_cancelled_can_be_waited_for_again() {
    let sink = ScriptedSink::gated();
    let logger = logger(Arc::clone(&sink));
    let answer = logger.begin(draft("a")).await.unwrap().finish(Outcome::Ok);
    {
        let mut shutdown = std::pin::pin!(logger.shutdown(Duration::from_secs(30)));
        assert!(poll_once(shutdown.as_mut()).await.is_pending());
    }
    sink.open_gate(1);
    soon(answer).await.unwrap();
    let reports = soon(async {
        tokio::join!(
            logger.shutdown(Duration::from_secs(30)),
            logger.shutdown(Duration::from_secs(30))
        )
    })
    .await;
    assert!(reports.0.is_complete() && reports.1.is_complete());
    assert_eq!(reports.0.n_stored, 1);
}

#[tokio::test]
async fn dropping_the_last_handle_stores_what_is_queued() {
    let sink = ScriptedSink::gated();
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .durability(Durability::Queued)
        .build()
        .unwrap();
    let clone = logger.clone();
    logger.log_event(draft("a")).await.unwrap();
    drop(logger);
    clone.log_event(draft("b")).await.unwrap();
    let open = clone.begin(draft("open")).await.unwrap();
    drop(clone);
    sink.open_gate(9);
    drop(open);
    let events = soon(sink.store.wait_for(|events| events.len() == 3)).await;
    assert_eq!(tools(&events), ["a", "b", "open"]);
}

#[test]
fn a_runtime_that_ends_tells_whoever_waits() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let sink = ScriptedSink::new(|_, _| Act::Hang);
    let logger = AuditLogger::builder(sink)
        .runtime(runtime.handle().clone())
        .build()
        .unwrap();
    let call = runtime.block_on(logger.begin(draft("a"))).unwrap();
    let answer = call.finish(Outcome::Ok);
    drop(runtime);
    let other = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    other.block_on(async {
        assert!(answer.await.unwrap_err().is_closed());
        assert!(logger.begin(draft("b")).await.unwrap_err().is_closed());
        let report = soon(logger.shutdown(Duration::from_secs(30))).await;
        assert!(report.flush_error.is_some_and(|error| error.is_closed()));
    });
}

//! Trying again.

use std::error::Error as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use audit_core::ErrorKind;
use audit_core::sink::{AuditSink, Receipt, Retry};
use audit_memory::MemoryStore;
use audit_testkit::{FaultPlan, FaultySink, Gate, fixture};
use tokio::time::Instant;

use super::super::logger::support::poll_once;
use super::support::faulty;

#[tokio::test(start_paused = true)]
async fn a_sink_that_comes_back_in_time_stores_once() {
    let (sink, store) = faulty(FaultPlan::new().fail(5).store_then_fail(1).fail(2));
    let retry = Retry::new(Arc::clone(&sink));
    let batch = fixture::events(1..=3);
    let appended = retry.append(&batch).await.unwrap();
    assert_eq!(appended.receipts(), vec![Receipt::AlreadyStored; 3]);
    assert_eq!((sink.n_appends(), store.recorded()), (9, batch));
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_when_the_time_is_over_and_not_before() {
    let (sink, _) = faulty(FaultPlan::new().fail(1).for_ever());
    let retry = Retry::new(Arc::clone(&sink)).max_elapsed(Duration::from_secs(20));
    let begun = Instant::now();
    let error = retry.append(&fixture::events(1..=1)).await.unwrap_err();
    assert!(error.is_retryable());
    // The last wait that did not fit was of five seconds at the most.
    let took = begun.elapsed();
    let range = Duration::from_secs(15)..Duration::from_secs(20);
    assert!(range.contains(&took), "{took:?}");
    assert!(sink.n_appends() > 5, "{}", sink.n_appends());
    let never = Retry::new(Arc::clone(&sink)).max_elapsed(Duration::ZERO);
    let n_before = sink.n_appends();
    never.append(&fixture::events(1..=1)).await.unwrap_err();
    assert_eq!(sink.n_appends(), n_before + 1, "one try, and no other");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_retryable_is_tried_once() {
    for kind in [
        ErrorKind::Closed,
        ErrorKind::Corrupt,
        ErrorKind::Full,
        ErrorKind::Internal,
        ErrorKind::Invalid,
        ErrorKind::Overloaded,
        ErrorKind::Rejected,
    ] {
        let (sink, _) = faulty(FaultPlan::new().fail_with(1, kind));
        let retry = Retry::new(Arc::clone(&sink));
        let begun = Instant::now();
        let error = retry.append(&fixture::events(1..=1)).await.unwrap_err();
        assert_eq!((error.kind(), sink.n_appends()), (kind, 1));
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_behind_a_lost_answer_leaves_open_what_was_stored() {
    let plan = FaultPlan::new()
        .store_then_fail(1)
        .fail_with(1, ErrorKind::Closed);
    let (sink, store) = faulty(plan);
    let batch = fixture::events(1..=1);
    let error = Retry::new(sink).append(&batch).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!(
        error.source().unwrap().to_string(),
        "failed by the plan of faults"
    );
    assert_eq!(store.recorded(), batch);
}

#[tokio::test(start_paused = true)]
async fn a_try_that_hangs_ends_at_its_deadline() {
    let (sink, store) = faulty(FaultPlan::new().hang(&Gate::new()));
    let retry = Retry::new(Arc::clone(&sink)).attempt_deadline(Duration::from_secs(3));
    let begun = Instant::now();
    let appended = retry.append(&fixture::events(1..=2)).await.unwrap();
    assert!(appended.is_all_kept());
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_secs(3) && took < Duration::from_secs(4),
        "{took:?}"
    );
    assert_eq!((sink.n_appends(), store.n_events()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn an_append_that_is_dropped_at_any_await_can_be_repeated() {
    for n_polls in 0..12 {
        let plan = FaultPlan::new()
            .fail(1)
            .hang(&Gate::new())
            .store_then_fail(1)
            .fail(1);
        let (sink, store) = faulty(plan);
        let retry = Retry::new(sink).attempt_deadline(Duration::from_secs(1));
        let batch = fixture::events(1..=3);
        {
            let mut append = pin!(retry.append(&batch));
            for _ in 0..n_polls {
                if poll_once(append.as_mut()).await.is_ready() {
                    break;
                }
                tokio::time::advance(Duration::from_millis(400)).await;
            }
        }
        assert!(retry.append(&batch).await.unwrap().is_all_kept());
        assert_eq!(store.recorded(), batch, "dropped after {n_polls} polls");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flush_is_tried_again_and_a_close_is_not() {
    let sink = FaultySink::new(MemoryStore::new(), FaultPlan::new())
        .on_flush(FaultPlan::new().fail(3))
        .on_close(FaultPlan::new().fail(1));
    let retry = Retry::new(sink);
    retry.flush().await.unwrap();
    assert_eq!(
        retry.close().await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
}

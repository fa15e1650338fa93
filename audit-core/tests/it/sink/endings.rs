//! A fan-out that is dropped ends its tasks.

use std::sync::Arc;
use std::time::Duration;

use audit_core::sink::{AuditSink, FanOutRule};
use audit_testkit::{FaultPlan, Gate, fixture};

use super::super::logger::support::soon;
use super::support::{builder, fan_out, faulty, let_run};

#[tokio::test(start_paused = true)]
async fn dropping_an_idle_fan_out_ends_its_tasks_and_leaves_its_sinks_open() {
    let (sink, _) = faulty(FaultPlan::new());
    let fan_out = fan_out(FanOutRule::Any, vec![Arc::clone(&sink) as _]);
    let_run().await;
    assert!(Arc::strong_count(&sink) > 1);
    drop(fan_out);
    let_run().await;
    assert_eq!(Arc::strong_count(&sink), 1);
    assert!(sink.health().await.is_ready());
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_for_still_reaches_a_slow_copy() {
    let (works, _) = faulty(FaultPlan::new());
    let (slow, copied) = faulty(FaultPlan::new().delay(Duration::from_secs(5)).fail(2));
    let fan_out = fan_out(FanOutRule::Primary, vec![works, Arc::clone(&slow) as _]);
    for number in 1..=3 {
        assert!(
            fan_out
                .append(&fixture::events(number..=number))
                .await
                .unwrap()
                .is_all_kept()
        );
    }
    drop(fan_out);
    soon(copied.wait_for(|events| events.len() == 3)).await;
    let_run().await;
    assert_eq!(Arc::strong_count(&slow), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hung_sink_does_not_keep_a_task_for_ever() {
    let (works, _) = faulty(FaultPlan::new());
    let (hangs, _) = faulty(FaultPlan::new().hang(&Gate::new()).for_ever());
    let fan_out = builder(FanOutRule::Primary, vec![works, Arc::clone(&hangs) as _]);
    let fan_out = fan_out
        .close_deadline(Duration::from_secs(5))
        .build()
        .unwrap();
    assert!(
        fan_out
            .append(&fixture::events(1..=1))
            .await
            .unwrap()
            .is_all_kept()
    );
    drop(fan_out);
    let_run().await;
    tokio::time::advance(Duration::from_millis(4_999)).await;
    let_run().await;
    assert_eq!(Arc::strong_count(&hangs), 2);
    tokio::time::advance(Duration::from_millis(2)).await;
    let_run().await;
    assert_eq!(Arc::strong_count(&hangs), 1);
}

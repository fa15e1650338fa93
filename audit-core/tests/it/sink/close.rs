//! Closing drains, and says what it could not.

use std::sync::Arc;
use std::time::Duration;

use audit_core::ErrorKind;
use audit_core::sink::{AuditSink, FanOutRule};
use audit_testkit::{FaultPlan, Gate, fixture};
use tokio::time::Instant;

use super::support::{builder, fan_out, faulty, missed};

#[tokio::test(start_paused = true)]
async fn close_drains_the_lanes_and_closes_every_sink() {
    let (works, _) = faulty(FaultPlan::new());
    let slow = FaultPlan::new().delay(Duration::from_secs(9)).fail(5);
    let (slow, copied) = faulty(slow);
    let fan_out = fan_out(
        FanOutRule::Primary,
        vec![Arc::clone(&works) as _, Arc::clone(&slow) as _],
    );
    for number in 1..=10 {
        assert!(
            fan_out
                .append(&fixture::events(number..=number))
                .await
                .unwrap()
                .is_all_kept()
        );
    }
    fan_out.close().await.unwrap();
    assert_eq!(copied.recorded(), fixture::events(1..=10));
    for sink in [works, slow] {
        assert!(!sink.health().await.is_ready(), "it is closed");
    }
    assert!(
        fan_out
            .append(&fixture::events(1..=1))
            .await
            .unwrap_err()
            .is_closed()
    );
    assert!(fan_out.append(&[]).await.unwrap_err().is_closed());
}

#[tokio::test(start_paused = true)]
async fn close_tells_what_a_hung_sink_did_not_get() {
    for rule in [FanOutRule::Any, FanOutRule::Primary] {
        let (works, store) = faulty(FaultPlan::new());
        let (hangs, _) = faulty(FaultPlan::new().hang(&Gate::new()).for_ever());
        let fan_out = builder(rule, vec![Arc::clone(&works) as _, hangs]);
        let fan_out = fan_out
            .close_deadline(Duration::from_secs(7))
            .build()
            .unwrap();
        for number in 1..=4 {
            assert!(
                fan_out
                    .append(&fixture::events(number..=number))
                    .await
                    .unwrap()
                    .is_all_kept()
            );
        }
        let begun = Instant::now();
        let error = fan_out.close().await.unwrap_err();
        assert_eq!(begun.elapsed(), Duration::from_secs(7));
        assert_eq!(error.kind(), ErrorKind::Timeout);
        let text = error.to_string();
        assert!(text.contains("4 events for the sink `b`"), "{text}");
        assert_eq!(missed(&fan_out), [0, 4], "{rule}");
        assert_eq!(store.n_events(), 4);
        assert!(!works.health().await.is_ready(), "it is closed");
        fan_out.close().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_under_all_when_it_is_closed_is_told_to_its_caller() {
    let (hangs, _) = faulty(FaultPlan::new().hang(&Gate::new()).for_ever());
    let fan_out = builder(FanOutRule::All, vec![hangs]).deadline(Duration::from_secs(60));
    let fan_out = fan_out
        .close_deadline(Duration::from_secs(1))
        .build()
        .unwrap();
    let batch = fixture::events(1..=2);
    let (answer, closed) = tokio::join!(biased; fan_out.append(&batch), fan_out.close());
    assert!(answer.unwrap_err().is_closed());
    assert!(closed.unwrap_err().to_string().contains("2 events"));
    assert_eq!(missed(&fan_out), [0]);
}

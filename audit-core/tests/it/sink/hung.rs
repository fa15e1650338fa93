//! A sink that hangs delays no other, and no answer that need not wait for it.

use std::sync::Arc;
use std::time::Duration;

use audit_core::ErrorKind;
use audit_core::sink::{AuditSink, FanOutRule, Receipt};
use audit_testkit::{FaultPlan, Gate, fixture};
use tokio::time::Instant;

use super::super::logger::support::soon;
use super::support::{builder, fan_out, faulty, let_run, waiting};

const DEADLINE: Duration = Duration::from_secs(10);

fn hung() -> FaultPlan {
    FaultPlan::new().hang(&Gate::new()).for_ever()
}

#[tokio::test(start_paused = true)]
async fn a_hung_sink_delays_neither_answer_nor_others_under_any() {
    let (hangs, held) = faulty(hung());
    let (works, store) = faulty(FaultPlan::new());
    for sinks in [
        [Arc::clone(&hangs), Arc::clone(&works)],
        [Arc::clone(&works), Arc::clone(&hangs)],
    ] {
        let begun = Instant::now();
        let fan_out = fan_out(FanOutRule::Any, sinks.map(|it| it as _).to_vec());
        for number in 1..=100 {
            let appended = fan_out.append(&fixture::events(number..=number)).await;
            assert!(appended.unwrap().is_all_kept());
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
    assert_eq!(store.recorded(), fixture::events(1..=100));
    assert_eq!(held.n_events(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_hung_copy_delays_neither_the_primary_nor_another_copy() {
    let (hangs, _) = faulty(hung());
    let ((primary, first), (copy, second)) = (faulty(FaultPlan::new()), faulty(FaultPlan::new()));
    let fan_out = fan_out(FanOutRule::Primary, vec![primary, hangs, copy]);
    let begun = Instant::now();
    for number in 1..=100 {
        let appended = fan_out.append(&fixture::events(number..=number)).await;
        assert!(appended.unwrap().is_all_kept());
    }
    let_run().await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(first.recorded(), fixture::events(1..=100));
    assert_eq!(second.recorded(), fixture::events(1..=100));
    assert_eq!(waiting(&fan_out), [0, 100, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_hung_primary_delays_no_copy() {
    let ((hangs, _), (copy, store)) = (faulty(hung()), faulty(FaultPlan::new()));
    let fan_out = fan_out(FanOutRule::Primary, vec![hangs, copy]);
    let begun = Instant::now();
    let batch = fixture::events(1..=3);
    let (answer, copied_after) = tokio::join!(fan_out.append(&batch), async {
        store.wait_for(|events| events.len() == 3).await;
        begun.elapsed()
    });
    assert_eq!(copied_after, Duration::ZERO);
    assert!(answer.unwrap_err().is_retryable());
    assert_eq!(begun.elapsed(), DEADLINE);
}

#[tokio::test(start_paused = true)]
async fn under_all_the_others_have_the_batch_while_the_answer_waits() {
    let gate = Gate::new();
    let (hangs, late) = faulty(FaultPlan::new().hang(&gate));
    let (works, store) = faulty(FaultPlan::new());
    let fan_out = fan_out(FanOutRule::All, vec![hangs, works]);
    let begun = Instant::now();
    let batch = fixture::events(1..=3);
    let (answer, stored_after) = tokio::join!(fan_out.append(&batch), async {
        store.wait_for(|events| events.len() == 3).await;
        begun.elapsed()
    });
    assert_eq!(stored_after, Duration::ZERO);
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("`a`"), "{error}");
    assert_eq!(begun.elapsed(), DEADLINE);
    // The retry stores once everywhere.
    let again = fan_out.append(&batch).await.unwrap();
    assert_eq!(again.receipts(), vec![Receipt::Stored; 3]);
    assert_eq!(late.recorded(), batch);
    assert_eq!(store.recorded(), batch);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_behind_a_hung_append_waits_for_it_once() {
    let (hangs, _) = faulty(hung());
    let fan_out = builder(FanOutRule::All, vec![hangs]).deadline(DEADLINE);
    let fan_out = fan_out.build().unwrap();
    let begun = Instant::now();
    let (one, two, three) = (
        fixture::events(1..=1),
        fixture::events(2..=2),
        fixture::events(3..=3),
    );
    let answers = tokio::join!(
        fan_out.append(&one),
        fan_out.append(&two),
        fan_out.append(&three)
    );
    for answer in [answers.0, answers.1, answers.2] {
        assert!(answer.unwrap_err().is_retryable());
    }
    assert_eq!(begun.elapsed(), DEADLINE);
}

#[tokio::test(start_paused = true)]
async fn each_lane_has_the_deadline_it_was_given() {
    use audit_core::sink::{FanOut, LaneOptions};
    let short = LaneOptions::new().deadline(Duration::from_secs(1));
    let ((hangs, _), (works, _)) = (faulty(hung()), faulty(FaultPlan::new().delay(DEADLINE / 2)));
    let fan_out = FanOut::builder(FanOutRule::All)
        .sink_with("a", hangs, short)
        .sink("b", works)
        .build()
        .unwrap();
    let begun = Instant::now();
    let answer = fan_out.append(&fixture::events(1..=1)).await;
    assert!(answer.unwrap_err().to_string().contains("`a`"));
    assert_eq!(begun.elapsed(), DEADLINE / 2, "the slow sink is in time");
}

#[tokio::test(start_paused = true)]
async fn a_sink_whose_health_hangs_is_unavailable_and_delays_no_probe_for_long() {
    #[derive(Debug)]
    struct Deaf;
    #[async_trait::async_trait]
    impl AuditSink for Deaf {
        async fn append(
            &self,
            events: &[audit_core::AuditEvent],
        ) -> Result<audit_core::sink::Appended, audit_core::Error> {
            Ok(audit_core::sink::Appended::all_stored(events.len()))
        }
        async fn flush(&self) -> Result<(), audit_core::Error> {
            std::future::pending().await
        }
        async fn health(&self) -> audit_core::sink::Health {
            std::future::pending().await
        }
        async fn close(&self) -> Result<(), audit_core::Error> {
            Ok(())
        }
        fn durability(&self) -> audit_core::sink::Durability {
            audit_core::sink::Durability::Queued
        }
        fn forwarding(&self) -> Option<audit_core::sink::Forwarding> {
            None
        }
    }
    let sinks = || {
        vec![
            Arc::new(Deaf) as Arc<dyn AuditSink>,
            faulty(FaultPlan::new()).0 as _,
        ]
    };
    let begun = Instant::now();
    assert!(!fan_out(FanOutRule::All, sinks()).health().await.is_ready());
    assert!(
        !fan_out(FanOutRule::Primary, sinks())
            .health()
            .await
            .is_ready()
    );
    let any = fan_out(FanOutRule::Any, sinks());
    let health = any.health().await;
    assert!(health.is_ready() && health.reason.unwrap().contains("sink `a`"));
    assert_eq!(begun.elapsed(), Duration::from_secs(6));
    // Nor a flush that another answers.
    soon(any.flush()).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(6));
    assert_eq!(any.durability(), audit_core::sink::Durability::Queued);
}

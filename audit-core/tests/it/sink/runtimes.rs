use audit_core::ErrorKind;
use audit_core::sink::{AuditSink, FanOutRule};
use audit_testkit::{FaultPlan, Gate, fixture};
use tokio::runtime::{Builder, Runtime};

use super::super::logger::support::soon;
use super::support::{builder, fan_out, faulty};

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap()
}

#[test]
fn every_rule_works_on_either_runtime() {
    for runtime in [current_thread(), multi_thread()] {
        for rule in [FanOutRule::All, FanOutRule::Any, FanOutRule::Primary] {
            runtime.block_on(soon(async {
                let ((one, first), (two, second)) = (
                    faulty(FaultPlan::new().fail(2)),
                    faulty(FaultPlan::new().pass(10).store_then_fail(2)),
                );
                let fan_out = fan_out(rule, vec![one, two]);
                for number in 0..50 {
                    let batch = fixture::events([2 * number + 1, 2 * number + 2]);
                    while fan_out.append(&batch).await.is_err() {
                        // An answer that comes at once leaves no room for the lanes.
                        tokio::task::yield_now().await;
                    }
                }
                fan_out.close().await.unwrap();
                for store in [first, second] {
                    assert_eq!(store.recorded(), fixture::events(1..=100), "{rule}");
                }
            }));
        }
    }
}

#[test]
fn a_fan_out_wants_a_runtime_with_a_timer() {
    let build = || builder(FanOutRule::All, vec![faulty(FaultPlan::new()).0]).build();
    assert_eq!(build().unwrap_err().kind(), ErrorKind::Invalid);
    let without_a_timer = Builder::new_current_thread().build().unwrap();
    let refused = without_a_timer.block_on(async { build() });
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn a_runtime_that_ends_leaves_nobody_waiting() {
    let runtime = current_thread();
    let (hangs, _) = faulty(FaultPlan::new().hang(&Gate::new()).for_ever());
    let (works, _) = faulty(FaultPlan::new());
    let fan_out = runtime.block_on(async {
        let fan_out = fan_out(FanOutRule::Primary, vec![works, hangs]);
        let appended = fan_out.append(&fixture::events(1..=2)).await;
        assert!(appended.unwrap().is_all_kept());
        fan_out
    });
    drop(runtime);
    current_thread().block_on(async {
        let appended = soon(fan_out.append(&fixture::events(3..=3))).await;
        assert!(appended.unwrap_err().is_closed());
        assert!(
            soon(fan_out.flush()).await.is_ok(),
            "the primary had everything"
        );
        assert!(soon(fan_out.close()).await.is_err());
    });
    assert_eq!(super::support::missed(&fan_out), [0, 2]);
}

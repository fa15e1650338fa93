//! Sinks that are down, panic or refuse, and come back.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use audit_core::ErrorKind;
use audit_core::sink::{AuditSink, FanOutRule, Receipt};
use audit_testkit::{FaultPlan, Gate, fixture};

use super::super::logger::support::{Act, ScriptedSink, poll_once, soon};
use super::support::{fan_out, faulty, let_run, missed, until, waiting};

const RULES: [FanOutRule; 3] = [FanOutRule::All, FanOutRule::Any, FanOutRule::Primary];

#[tokio::test(start_paused = true)]
async fn a_sink_that_comes_back_gets_what_is_in_its_lane_in_order() {
    for rule in [FanOutRule::Any, FanOutRule::Primary] {
        let (down, store) = faulty(FaultPlan::new().fail(8).store_then_fail(1).fail(2));
        let (works, _) = faulty(FaultPlan::new());
        let fan_out = fan_out(rule, vec![works, down]);
        for number in 0..20 {
            let batch = fixture::events([3 * number + 3, 3 * number + 1, 3 * number + 2]);
            assert!(fan_out.append(&batch).await.unwrap().is_all_kept());
        }
        let events = soon(store.wait_for(|events| events.len() == 60)).await;
        let order = (0..20).flat_map(|number| [3, 1, 2].map(|place| 3 * number + place));
        assert_eq!(events, fixture::events(order), "{rule}");
        fan_out.flush().await.unwrap();
        assert_eq!(
            (missed(&fan_out), waiting(&fan_out)),
            (vec![0, 0], vec![0, 0])
        );
        let health = fan_out.health().await;
        assert_eq!(health.reason, None, "{rule}");
    }
}

#[tokio::test(start_paused = true)]
async fn when_no_sink_keeps_it_the_error_is_retryable_and_repeats_fill_no_lane() {
    let ((one, first), (two, second)) = (
        faulty(FaultPlan::new().fail(40)),
        faulty(FaultPlan::new().fail(40)),
    );
    let fan_out = fan_out(FanOutRule::Any, vec![one, two]);
    let batch = fixture::events(1..=4);
    let mut n_errors = 0;
    let kept = loop {
        match fan_out.append(&batch).await {
            Ok(appended) => break appended,
            Err(error) => assert!(error.is_retryable(), "{error:?}"),
        }
        n_errors += 1;
        assert_eq!(waiting(&fan_out), [4, 4], "after {n_errors} errors");
        tokio::time::advance(Duration::from_millis(50)).await;
    };
    assert!(n_errors > 10, "{n_errors}");
    assert!(kept.is_all_kept());
    for store in [&first, &second] {
        store.wait_for(|events| events.len() == 4).await;
    }
    fan_out.flush().await.unwrap();
    assert_eq!(
        (first.recorded(), second.recorded()),
        (batch.clone(), batch)
    );
    assert_eq!(missed(&fan_out), [0, 0]);
}

#[tokio::test]
async fn a_panic_in_one_sink_reaches_no_other() {
    for rule in RULES {
        for place in 0..2 {
            let panics = ScriptedSink::new(|_, _| Act::Panic);
            let (works, store) = faulty(FaultPlan::new());
            let mut sinks: Vec<Arc<dyn AuditSink>> = vec![works];
            sinks.insert(place, panics);
            let fan_out = fan_out(rule, sinks);
            let answer = soon(fan_out.append(&fixture::events(1..=2))).await;
            let is_waited_for =
                rule == FanOutRule::All || rule == FanOutRule::Primary && place == 0;
            match answer {
                Ok(appended) => assert!(!is_waited_for && appended.is_all_kept(), "{rule} {place}"),
                Err(error) => {
                    assert!(is_waited_for, "{rule} {place}");
                    assert_eq!(error.kind(), ErrorKind::Internal);
                }
            }
            soon(store.wait_for(|events| events.len() == 2)).await;
            let health = fan_out.health().await;
            assert!(health.is_ready(), "{health:?}");
            // And once more: the lane did not end with the panic.
            drop(soon(fan_out.append(&fixture::events(3..=3))).await);
            soon(store.wait_for(|events| events.len() == 3)).await;
        }
    }
}

#[tokio::test]
async fn an_event_at_which_a_copy_panics_does_not_take_its_neighbors_along() {
    let poison = fixture::event(7);
    let is_poisoned = move |events: &[audit_core::AuditEvent]| events.contains(&poison);
    let copy = ScriptedSink::new(move |_, events| match is_poisoned(events) {
        true => Act::Panic,
        false => Act::Store,
    });
    let (works, store) = faulty(FaultPlan::new());
    let fan_out = fan_out(FanOutRule::Primary, vec![works, Arc::clone(&copy) as _]);
    let batch = fixture::events(1..=10);
    assert!(fan_out.append(&batch).await.unwrap().is_all_kept());
    until(&fan_out, |lanes| lanes[1].n_events == 0).await;
    let_run().await;
    assert_eq!(store.recorded(), batch);
    let all_but_the_poison = fixture::events((1..=10).filter(|number| *number != 7));
    assert_eq!(copy.store.recorded(), all_but_the_poison);
    assert_eq!(missed(&fan_out), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_everywhere_stores_once() {
    for rule in RULES {
        let plan = || FaultPlan::new().store_then_fail(1);
        let ((one, first), (two, second)) = (faulty(plan()), faulty(plan()));
        let fan_out = fan_out(rule, vec![one, two]);
        let batch = fixture::events(1..=2);
        let error = fan_out.append(&batch).await.unwrap_err();
        assert!(error.is_retryable(), "{rule}");
        tokio::time::advance(Duration::from_secs(1)).await;
        let_run().await;
        let again = fan_out.append(&batch).await.unwrap();
        assert_eq!(again.receipts(), vec![Receipt::AlreadyStored; 2], "{rule}");
        fan_out.flush().await.unwrap();
        assert_eq!(
            (first.recorded(), second.recorded()),
            (batch.clone(), batch)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_append_that_is_dropped_at_any_await_is_stored_once_and_leaves_no_gap() {
    for rule in RULES {
        for n_polls in 0..8 {
            let gates = [Gate::new(), Gate::new()];
            let plans = gates.clone().map(|gate| FaultPlan::new().hang(&gate));
            let [(one, first), (two, second)] = plans.map(faulty);
            let fan_out = fan_out(rule, vec![one, two]);
            let batch = fixture::events(1..=3);
            {
                let mut append = pin!(fan_out.append(&batch));
                for poll in 0..n_polls {
                    if poll == 3 {
                        gates[poll % 2].open();
                    }
                    if poll_once(append.as_mut()).await.is_ready() {
                        break;
                    }
                    let_run().await;
                }
            }
            let_run().await;
            for store in [&first, &second] {
                assert!([0, 3].contains(&store.n_events()), "{rule}, {n_polls}");
            }
            gates.iter().for_each(Gate::open);
            // Before the first, should it not be there; behind it else.
            let (again, next) = (&batch, fixture::events(4..=5));
            assert!(soon(fan_out.append(again)).await.unwrap().is_all_kept());
            assert!(soon(fan_out.append(&next)).await.unwrap().is_all_kept());
            fan_out.flush().await.unwrap();
            for store in [&first, &second] {
                assert_eq!(
                    store.recorded(),
                    fixture::events(1..=5),
                    "{rule}, {n_polls}"
                );
            }
            assert_eq!(missed(&fan_out), [0, 0]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_flush_waits_for_a_slow_copy_and_not_for_ever_for_one_that_is_down() {
    let (works, _) = faulty(FaultPlan::new());
    let (slow, copied) = faulty(FaultPlan::new().delay(Duration::from_secs(9)));
    let (down, _) = faulty(FaultPlan::new().fail(1).for_ever());
    let fan_out = fan_out(FanOutRule::Primary, vec![works, slow, down]);
    let batch = fixture::events(1..=2);
    assert!(fan_out.append(&batch).await.unwrap().is_all_kept());
    let begun = tokio::time::Instant::now();
    fan_out.flush().await.unwrap();
    assert_eq!(copied.recorded(), batch);
    assert_eq!(
        begun.elapsed(),
        Duration::from_secs(10),
        "the deadline of the lane"
    );
    assert_eq!(waiting(&fan_out), [0, 0, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_of_all_fails_with_the_sink_that_does() {
    let (works, _) = faulty(FaultPlan::new());
    let broken = audit_testkit::FaultySink::new(audit_memory::MemoryStore::new(), FaultPlan::new())
        .on_flush(FaultPlan::new().fail(3));
    let broken: Arc<dyn AuditSink> = Arc::new(broken);
    for (rule, is_ok) in [(FanOutRule::All, false), (FanOutRule::Any, true)] {
        let fan_out = fan_out(rule, vec![Arc::clone(&broken), Arc::clone(&works) as _]);
        assert_eq!(fan_out.flush().await.is_ok(), is_ok, "{rule}");
    }
    let primary = fan_out(FanOutRule::Primary, vec![broken, works]);
    assert_eq!(
        primary.flush().await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
}

#[tokio::test(start_paused = true)]
async fn who_comes_again_to_a_sink_that_works_again_waits_for_its_answer() {
    let gate = Gate::new();
    let (sink, store) = faulty(FaultPlan::new().fail(1).pass(1).hang(&gate));
    let fan_out = fan_out(FanOutRule::Any, vec![sink]);
    let (one, two) = (fixture::events(1..=1), fixture::events(2..=2));
    for batch in [&one, &two] {
        assert!(fan_out.append(batch).await.unwrap_err().is_retryable());
    }
    soon(gate.arrived(1)).await;
    let mut again = pin!(fan_out.append(&two));
    assert!(poll_once(again.as_mut()).await.is_pending());
    gate.open();
    assert!(soon(again).await.unwrap().is_all_kept());
    assert_eq!(store.recorded(), fixture::events(1..=2));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_left_its_lane_is_not_remembered() {
    let (sink, store) = faulty(FaultPlan::new().fail(1));
    let fan_out = fan_out(FanOutRule::Any, vec![Arc::clone(&sink) as _]);
    let batch = fixture::events(1..=2);
    assert!(fan_out.append(&batch).await.unwrap_err().is_retryable());
    store.wait_for(|events| events.len() == 2).await;
    until(&fan_out, |lanes| lanes[0].n_events == 0).await;
    let again = fan_out.append(&batch).await.unwrap();
    assert_eq!(again.receipts(), vec![Receipt::AlreadyStored; 2]);
    assert_eq!(sink.n_appends(), 3, "the store was asked");
}

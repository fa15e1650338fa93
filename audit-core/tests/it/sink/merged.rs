//! What comes of the receipts of several sinks.

use std::sync::Arc;

use audit_core::ErrorKind;
use audit_core::sink::{AuditSink, FanOut, FanOutRule, LaneOptions, Receipt};
use audit_testkit::{FaultPlan, Gate, fixture};

use super::support::{fan_out, faulty, missed};

#[tokio::test]
async fn a_refusal_by_one_sink_is_told_or_counted() {
    let table = [
        (FanOutRule::All, [false, false, true], [0, 0]),
        (FanOutRule::Any, [true, true, true], [1, 1]),
        (FanOutRule::Primary, [false, true, true], [0, 1]),
    ];
    for (rule, kept, n_missed) in table {
        let (one, first) = faulty(FaultPlan::new().refuse(0));
        let (two, second) = faulty(FaultPlan::new().refuse(1));
        let fan_out = fan_out(rule, vec![one, two]);
        let batch = fixture::events(1..=3);
        let appended = fan_out.append(&batch).await.unwrap();
        fan_out.flush().await.unwrap();
        let is_kept: Vec<_> = appended.receipts().iter().map(Receipt::is_kept).collect();
        assert_eq!(is_kept, kept, "{rule}");
        assert_eq!(missed(&fan_out), n_missed, "{rule}");
        assert_eq!(first.recorded(), fixture::events([2, 3]));
        assert_eq!(second.recorded(), fixture::events([1, 3]));
    }
}

#[tokio::test]
async fn an_event_that_every_sink_refuses_is_refused_and_missed_by_none() {
    for rule in [FanOutRule::All, FanOutRule::Any, FanOutRule::Primary] {
        let sinks = [0, 0].map(|place| faulty(FaultPlan::new().refuse(place)).0 as _);
        let fan_out = fan_out(rule, sinks.to_vec());
        let appended = fan_out.append(&fixture::events(1..=2)).await.unwrap();
        let is_kept: Vec<_> = appended.receipts().iter().map(Receipt::is_kept).collect();
        assert_eq!(is_kept, [false, true], "{rule}");
        fan_out.flush().await.unwrap();
        assert_eq!(missed(&fan_out), [0, 0], "{rule}");
    }
}

#[tokio::test]
async fn a_sink_that_answers_short_is_not_believed() {
    use super::super::logger::support::{Act, ScriptedSink};
    let short = ScriptedSink::new(|_, _| Act::AnswerShort);
    let (works, _) = faulty(FaultPlan::new());
    let fan_out = fan_out(FanOutRule::All, vec![short, works]);
    let error = fan_out.append(&fixture::events(1..=2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[tokio::test(start_paused = true)]
async fn a_full_lane_of_all_is_a_retryable_error() {
    let (hangs, _) = faulty(FaultPlan::new().hang(&Gate::new()));
    let fan_out = FanOut::builder(FanOutRule::All)
        .sink_with("a", hangs, LaneOptions::new().events(2))
        .build()
        .unwrap();
    let (one, two) = (fixture::events(1..=2), fixture::events(3..=3));
    tokio::select! {
        biased;
        answer = fan_out.append(&one) => panic!("it hangs: {answer:?}"),
        answer = fan_out.append(&two) => {
            assert_eq!(answer.unwrap_err().kind(), ErrorKind::Unavailable);
        }
    }
    assert_eq!(missed(&fan_out), [0], "its caller knows");
}

#[tokio::test]
async fn a_fan_out_without_sinks_or_with_two_of_a_name_is_refused() {
    let sink = || -> Arc<dyn AuditSink> { faulty(FaultPlan::new()).0 };
    let none = FanOut::builder(FanOutRule::All).build();
    let twice = FanOut::builder(FanOutRule::All)
        .sink("a", sink())
        .sink("a", sink())
        .build();
    let unnamed = FanOut::builder(FanOutRule::All).sink("", sink()).build();
    let no_room = LaneOptions::new().events(0);
    let no_room = FanOut::builder(FanOutRule::All)
        .sink_with("a", sink(), no_room)
        .build();
    for refused in [none, twice, unnamed, no_room] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_again_was_there_also_while_a_copy_has_it_not() {
    for rule in [FanOutRule::Any, FanOutRule::Primary] {
        let (hangs, _) = faulty(FaultPlan::new().hang(&Gate::new()).for_ever());
        let (works, _) = faulty(FaultPlan::new());
        let fan_out = fan_out(rule, vec![works, hangs]);
        let batch = fixture::events(1..=2);
        for expected in [
            Receipt::Stored,
            Receipt::AlreadyStored,
            Receipt::AlreadyStored,
        ] {
            let appended = fan_out.append(&batch).await.unwrap();
            assert_eq!(appended.receipts(), vec![expected; 2], "{rule}");
        }
    }
}

//! What a lane misses is counted once, told by health and by the log.

use std::time::Duration;

use audit_core::sink::{AuditSink, FanOut, FanOutRule, LaneOptions, Readiness};
use audit_testkit::{FaultPlan, Gate, fixture};

use super::support::{Log, faulty, let_run, missed, waiting};
use crate::recorder::Recorder;

fn recorded(build: impl FnOnce() -> FanOut) -> (FanOut, Recorder) {
    let recorder = Recorder::default();
    let fan_out = metrics::with_local_recorder(&recorder, build);
    (fan_out, recorder)
}

#[tokio::test(start_paused = true)]
async fn what_a_full_lane_misses_stands_in_health_counter_and_log() {
    let log = Log::default();
    let _log = log.listen();
    let gate = Gate::new();
    let (hangs, copied) = faulty(FaultPlan::new().hang(&gate));
    let (works, store) = faulty(FaultPlan::new());
    // What this one answers late changes nothing of what the other one missed.
    let (slow, _) = faulty(FaultPlan::new().delay(Duration::from_secs(1)));
    let (fan_out, recorder) = recorded(|| {
        FanOut::builder(FanOutRule::Primary)
            .name("f")
            .sink("works", works)
            .sink_with("hangs", hangs, LaneOptions::new().events(3))
            .sink("slow", slow)
            .build()
            .unwrap()
    });
    assert_eq!(fan_out.health().await.readiness, Readiness::Ready);
    for number in 0..5 {
        let batch = fixture::events([2 * number + 1, 2 * number + 2]);
        assert!(fan_out.append(&batch).await.unwrap().is_all_kept());
    }
    // One batch is in flight, and the next does not fit behind it.
    assert_eq!(
        (missed(&fan_out), waiting(&fan_out)),
        (vec![0, 8, 0], vec![0, 2, 10])
    );
    let missed_by_full = "audit_lane_missed_total{fan_out=f,sink=hangs,reason=lane_full}";
    assert_eq!(recorder.raised(), [(missed_by_full.to_owned(), 8)].into());
    assert_eq!(recorder.value("audit_lane_events{fan_out=f,sink=hangs}"), 2);
    let health = fan_out.health().await;
    assert_eq!(health.readiness, Readiness::Degraded);
    let reason = health.reason.unwrap();
    assert!(
        reason.contains("sink `hangs`") && reason.contains("missed 8 events"),
        "{reason}"
    );
    let lines = log.that_say("misses audit events");
    assert_eq!(lines.len(), 1, "{lines:?}");
    let fields = ["sink", "reason", "n_missed"].map(|name| lines[0].field(name));
    assert_eq!(fields, ["hangs", "lane_full", "2"]);

    // What had room gets there, the hole stays told.
    gate.open();
    fan_out.flush().await.unwrap();
    assert_eq!(copied.recorded(), fixture::events(1..=2));
    assert_eq!((store.n_events(), missed(&fan_out)), (10, vec![0, 8, 0]));
    assert_eq!(fan_out.health().await.readiness, Readiness::Degraded);
    assert_eq!(recorder.value("audit_lane_events{fan_out=f,sink=hangs}"), 0);
    assert_eq!(recorder.value("audit_lane_bytes{fan_out=f,sink=hangs}"), 0);
    assert_eq!(
        recorder.value("audit_append_seconds{fan_out=f,sink=works}"),
        5
    );
    assert_eq!(
        recorder.value("audit_append_seconds{fan_out=f,sink=hangs}"),
        1
    );
    assert_eq!(recorder.n_zeros(), 0);
}

#[tokio::test(start_paused = true)]
async fn lines_that_were_held_back_are_told_by_the_next() {
    let log = Log::default();
    let _log = log.listen();
    let (full, _) = faulty(
        FaultPlan::new()
            .fail_with(1, audit_core::ErrorKind::Full)
            .for_ever(),
    );
    let (works, _) = faulty(FaultPlan::new());
    let fan_out = FanOut::builder(FanOutRule::Primary)
        .sink("works", works)
        .sink("full", full);
    let fan_out = fan_out.build().unwrap();
    for number in 1..=5 {
        assert!(
            fan_out
                .append(&fixture::events(number..=number))
                .await
                .unwrap()
                .is_all_kept()
        );
        let_run().await;
    }
    tokio::time::advance(Duration::from_secs(10)).await;
    assert!(
        fan_out
            .append(&fixture::events(6..=6))
            .await
            .unwrap()
            .is_all_kept()
    );
    let_run().await;
    let lines = log.that_say("misses audit events");
    let told: Vec<_> = lines.iter().map(|line| line.field("n_held_back")).collect();
    assert_eq!(told, ["0", "4"]);
    let last = ["reason", "n_missed"].map(|name| lines[1].field(name));
    assert_eq!(last, ["failed", "6"]);
    assert_eq!(missed(&fan_out), [0, 6]);
}

#[tokio::test(start_paused = true)]
async fn each_reason_has_a_counter_of_its_own() {
    let (works, _) = faulty(FaultPlan::new());
    let plan = FaultPlan::new()
        .refuse(0)
        .fail_with(1, audit_core::ErrorKind::Full);
    let (ill, _) = faulty(plan.hang(&Gate::new()).for_ever());
    let (fan_out, recorder) = recorded(|| {
        FanOut::builder(FanOutRule::Primary)
            .sink("works", works)
            .sink_with("ill", ill, LaneOptions::new().events(4))
            .build()
            .unwrap()
    });
    for (begin, n_events) in [(1, 2), (3, 3), (6, 4), (10, 5)] {
        let batch = fixture::events(begin..begin + n_events);
        assert!(fan_out.append(&batch).await.unwrap().is_all_kept());
        let_run().await;
    }
    fan_out.close().await.unwrap_err();
    let name =
        |reason| format!("audit_lane_missed_total{{fan_out=audit,sink=ill,reason={reason}}}");
    let expected = [
        ("refused", 1),
        ("failed", 3),
        ("closed", 4),
        ("lane_full", 5),
    ];
    let mut raised = recorder.raised();
    raised.retain(|name, _| name.contains("missed"));
    assert_eq!(raised, expected.map(|(reason, n)| (name(reason), n)).into());
    assert_eq!(missed(&fan_out), [0, 13]);
}

#[tokio::test(start_paused = true)]
async fn what_no_sink_keeps_is_missed_by_none_and_retries_are_counted() {
    let (down, _) = faulty(FaultPlan::new().fail(3));
    let (full, _) = faulty(FaultPlan::new().fail_with(1, audit_core::ErrorKind::Full));
    let (fan_out, recorder) = recorded(|| {
        let builder = FanOut::builder(FanOutRule::Any)
            .sink("down", down)
            .sink("full", full);
        builder.build().unwrap()
    });
    let batch = fixture::events(1..=3);
    assert!(fan_out.append(&batch).await.unwrap_err().is_retryable());
    assert_eq!(
        missed(&fan_out),
        [0, 0],
        "the caller knows, and comes again"
    );
    // The second sink takes it now, and the first one has it still in its lane.
    assert!(fan_out.append(&batch).await.unwrap().is_all_kept());
    fan_out.flush().await.unwrap();
    assert_eq!(missed(&fan_out), [0, 0]);
    let retries = "audit_lane_retries_total{fan_out=audit,sink=down}";
    assert_eq!(recorder.raised(), [(retries.to_owned(), 3)].into());
    assert_eq!(recorder.n_zeros(), 0);
}

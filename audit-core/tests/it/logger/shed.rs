//! The numbers that a logger answers for what it did not store itself.

use std::sync::Arc;
use std::time::Duration;

use audit_core::event::{AuditEvent, Outcome};
use audit_core::logger::{LOSS_METHOD, Overload, Recorded};
use audit_core::sink::Durability;
use audit_core::{AuditLogger, ErrorKind};

use super::support::{Act, ScriptedSink, draft, logger, soon, tools};

const LONG: Duration = Duration::from_secs(9);

fn counts_told(events: &[AuditEvent]) -> Vec<u64> {
    let count = |event: &AuditEvent| {
        let json = event.request().unwrap().json().unwrap();
        let told: serde_json::Value = serde_json::from_str(json).unwrap();
        told["count"].as_u64().unwrap()
    };
    let is_own = |event: &&AuditEvent| event.method.as_str() == LOSS_METHOD;
    events.iter().filter(is_own).map(count).collect()
}

#[tokio::test]
async fn a_shed_call_that_outlives_the_shutdown_was_told_before() {
    let sink = ScriptedSink::new(|_, _| Act::Store);
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .queue_events(1)
        .overload(Overload::Shed)
        .build()
        .unwrap();
    let kept = logger.begin(draft("kept")).await.unwrap();
    let shed = logger.begin(draft("shed")).await.unwrap();
    let answer = kept.finish(Outcome::Ok);
    let report = soon(logger.shutdown(LONG)).await;
    assert_eq!((report.n_open_calls, report.n_untold_losses), (0, 0));
    assert_eq!(counts_told(&sink.store.recorded()), [1]);
    assert_eq!(soon(answer).await.unwrap(), Recorded::Stored);
    assert_eq!(shed.finish(Outcome::Ok).await.unwrap(), Recorded::Shed);
    assert_eq!(logger.counters().shed, 1, "it is counted once");
}

#[tokio::test]
async fn what_is_shed_while_a_loss_event_is_under_way_is_told_by_the_next_one() {
    let sink = ScriptedSink::gated();
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .queue_events(1)
        .overload(Overload::Shed)
        .durability(Durability::Queued)
        .build()
        .unwrap();
    let kept = logger.begin(draft("kept")).await.unwrap();
    for n_begun in 1..=3 {
        drop(logger.begin(draft("shed")).await.unwrap());
        // The loss event comes to the gate and stays there.
        soon(async {
            while sink.batches().is_empty() {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(sink.batches(), [1], "{n_begun}");
        assert_eq!(logger.counters().queued_events, 1, "{n_begun}");
    }
    sink.open_gate(9);
    soon(kept.finish(Outcome::Ok)).await.unwrap();
    assert!(soon(logger.shutdown(LONG)).await.is_complete());
    let events = sink.store.recorded();
    assert_eq!(counts_told(&events), [1, 2]);
    assert_eq!(tools(&events), ["kept"]);
}

#[tokio::test]
async fn while_more_is_shed_than_stored_one_loss_event_a_reason_is_queued() {
    const MOST: usize = 4;
    let sink = ScriptedSink::gated();
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .queue_events(MOST)
        .batch_events(1)
        .overload(Overload::Shed)
        .durability(Durability::Queued)
        .build()
        .unwrap();
    for round in 0..50 {
        for _ in 0..MOST + 2 {
            logger.log_event(draft("t")).await.unwrap();
        }
        sink.open_gate(1);
        // The next append begins, and before it the losses were told.
        soon(async {
            while sink.batches().len() < round + 2 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let held = logger.counters();
        assert!(held.queued_events <= MOST + 1, "{round}: {held:?}");
    }
    sink.open_gate(1_000);
    assert!(soon(logger.shutdown(LONG)).await.is_complete());
    let told: u64 = counts_told(&sink.store.recorded()).iter().sum();
    assert_eq!(told, logger.counters().shed);
}

#[tokio::test]
async fn losses_of_several_reasons_are_added_up_in_the_report() {
    let sink = ScriptedSink::new(|attempt, _| match attempt {
        0 => Act::Refuse("poison"),
        _ => Act::Fail(ErrorKind::Full),
    });
    let logger = logger(Arc::clone(&sink));
    let refused = soon(logger.log_event(draft("poison"))).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Rejected);
    for _ in 0..3 {
        let failed = soon(logger.log_event(draft("lost"))).await.unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Full);
    }
    let report = soon(logger.shutdown(LONG)).await;
    assert_eq!(report.n_untold_losses, 1 + 3, "{report:?}");
    // The loss event that was tried is one of the refused records.
    assert_eq!((report.n_stored, report.n_refused), (0, 1 + 3 + 1));
    assert!(!report.is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_stored_behind_a_lost_answer_counts_as_stored() {
    let sink = ScriptedSink::new(|attempt, _| match attempt {
        0 => Act::StoreAndFail(ErrorKind::Timeout),
        _ => Act::Store,
    });
    let logger = logger(Arc::clone(&sink));
    for expected in [Recorded::AlreadyStored, Recorded::Stored] {
        let recorded = soon(logger.log_event(draft("a"))).await.unwrap();
        assert_eq!(recorded, expected);
    }
    let report = soon(logger.shutdown(LONG)).await;
    assert_eq!(report.n_stored, 2, "{report:?}");
    assert!(report.is_complete());
    assert_eq!(sink.store.recorded().len(), 2);
}

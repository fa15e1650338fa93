use std::sync::Arc;
use std::time::Duration;

use audit_core::event::{AuditEvent, Outcome};
use audit_core::logger::{LOSS_METHOD, LOSS_ROLE, Overload, Recorded};
use audit_core::sink::Durability;
use audit_core::{AuditLogger, ErrorKind};
use audit_memory::MemoryStore;
use audit_testkit::ManualClock;
use serde_json::Value;

use super::support::{Act, ScriptedSink, draft, logger, moment, soon, tools};

fn losses(events: &[AuditEvent]) -> Vec<Value> {
    events
        .iter()
        .filter(|event| event.method.as_str() == LOSS_METHOD)
        .map(|event| serde_json::from_str(event.request().unwrap().json().unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn a_refused_event_is_told_to_its_caller_and_by_a_loss_event() {
    let sink = ScriptedSink::new(|_, _| Act::Refuse("poison"));
    let clock = ManualClock::new(moment(1_700_000_000_000_000));
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .clock(clock.clone())
        .build()
        .unwrap();
    let first = logger.begin(draft("poison")).await.unwrap();
    clock.advance(Duration::from_secs(60));
    let second = logger.begin(draft("poison")).await.unwrap();
    let neighbor = logger.begin(draft("fine")).await.unwrap();
    let answers = [first, second, neighbor].map(|call| call.finish(Outcome::Ok));
    let [first, second, neighbor] = answers;
    for refused in [first, second] {
        let error = soon(refused).await.unwrap_err();
        assert!(
            error.is_rejected() && std::error::Error::source(&error).is_some(),
            "{error:?}"
        );
    }
    assert_eq!(soon(neighbor).await.unwrap(), Recorded::Stored);
    let events = soon(sink.store.wait_for(|events| !losses(events).is_empty())).await;
    let loss = events.last().unwrap();
    assert_eq!(
        (loss.role.as_str(), loss.outcome),
        (LOSS_ROLE, Outcome::InternalError)
    );
    assert_eq!(
        losses(&events),
        [serde_json::json!({
            "reason": "unstorable",
            "count": 2,
            "since": "2023-11-14T22:13:20.000000Z",
            "until": "2023-11-14T22:14:20.000000Z",
        })]
    );
    assert_eq!(logger.counters().refused, 2);
}

#[tokio::test]
async fn what_was_shed_is_recorded_with_count_reason_and_window() {
    let sink = ScriptedSink::gated();
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .queue_events(1)
        .overload(Overload::Shed)
        .build()
        .unwrap();
    let kept = logger.begin(draft("kept")).await.unwrap();
    let shed = logger.begin(draft("shed")).await.unwrap();
    assert_eq!(shed.finish(Outcome::Ok).await.unwrap(), Recorded::Shed);
    assert_eq!(
        logger.log_event(draft("shed")).await.unwrap(),
        Recorded::Shed
    );
    drop(logger.begin(draft("shed")).await.unwrap());
    let answer = kept.finish(Outcome::Ok);
    sink.open_gate(2);
    soon(answer).await.unwrap();
    let events = soon(sink.store.wait_for(|events| events.len() == 2)).await;
    assert_eq!(tools(&events), ["kept"]);
    let loss = &losses(&events)[0];
    assert_eq!(
        (&loss["reason"], &loss["count"]),
        (&"queue_full".into(), &3.into()),
        "{loss}"
    );
    assert_eq!(logger.counters().shed, 3);
}

#[tokio::test]
async fn what_went_on_unrecorded_is_recorded_with_count_reason_and_window() {
    let sink = ScriptedSink::gated();
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .queue_events(1)
        .overload(Overload::Reject)
        .build()
        .unwrap();
    let kept = logger.begin(draft("kept")).await.unwrap();
    for _ in 0..3 {
        logger.begin(draft("unrecorded")).await.unwrap_err();
        logger.tell_unrecorded();
    }
    let answer = kept.finish(Outcome::Ok);
    sink.open_gate(5);
    soon(answer).await.unwrap();
    let n_told = |events: &[AuditEvent]| -> i64 {
        let losses = losses(events);
        losses
            .iter()
            .filter_map(|loss| loss["count"].as_i64())
            .sum()
    };
    let events = soon(sink.store.wait_for(|events| n_told(events) == 3)).await;
    for loss in losses(&events) {
        assert_eq!(loss["reason"], "unrecorded", "{loss}");
        assert!(
            loss["since"].is_string() && loss["until"].is_string(),
            "{loss}"
        );
    }
    assert_eq!(logger.counters().unrecorded, 3);
}

#[tokio::test]
async fn a_loss_that_cannot_be_told_is_told_when_the_sink_stores_again() {
    let sink = ScriptedSink::new(|_, events| {
        let is_told_to_work = events
            .iter()
            .any(|event| tools(std::slice::from_ref(event)) == ["works again"]);
        let is_after = events.iter().all(|event| event.seq.get() > 3);
        if is_told_to_work || is_after {
            Act::Store
        } else {
            Act::Fail(ErrorKind::Full)
        }
    });
    let logger = logger(Arc::clone(&sink));
    let error = soon(logger.log_event(draft("lost"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    // Number 2 was to tell of it and failed as well.
    soon(async {
        while logger.counters().failed < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(
        soon(logger.log_event(draft("works again"))).await.unwrap(),
        Recorded::Stored
    );
    let events = soon(sink.store.wait_for(|events| !losses(events).is_empty())).await;
    assert_eq!(tools(&events), ["works again"]);
    let told = losses(&events);
    assert_eq!((told.len(), &told[0]["count"]), (1, &1.into()), "{told:?}");
    assert!(
        logger
            .shutdown(Duration::from_secs(30))
            .await
            .n_untold_losses
            == 0
    );
}

#[tokio::test]
async fn a_loss_that_is_never_told_stands_in_the_report() {
    let sink = ScriptedSink::new(|_, _| Act::Fail(ErrorKind::Full));
    let logger = AuditLogger::builder(sink)
        .durability(Durability::Queued)
        .build()
        .unwrap();
    for _ in 0..5 {
        logger.log_event(draft("lost")).await.unwrap();
    }
    let report = soon(logger.shutdown(Duration::from_secs(30))).await;
    assert_eq!(report.n_untold_losses, 5, "{report:?}");
    assert!(!report.is_complete());
}

#[tokio::test]
async fn a_conflict_is_a_loss_of_its_own_kind() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    let ts = audit_core::event::Timestamp::from_micros(1).unwrap();
    let id = audit_core::event::EventId::new(ts, 1);
    logger
        .log_event(draft("first").ts(ts).id(id))
        .await
        .unwrap();
    assert!(
        logger
            .log_event(draft("second").ts(ts).id(id))
            .await
            .unwrap_err()
            .is_rejected()
    );
    let events = soon(store.wait_for(|events| !losses(events).is_empty())).await;
    assert_eq!(losses(&events)[0]["reason"], "conflict");
    assert_eq!(tools(&events), ["first"]);
}

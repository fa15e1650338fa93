use std::sync::Arc;
use std::time::Duration;

use audit_core::ErrorKind;
use audit_core::event::Outcome;
use audit_core::logger::Recorded;
use audit_core::reader::AuditReader as _;

use super::support::{Act, ScriptedSink, draft, is_of_tool, logger, soon, tools};

#[tokio::test(start_paused = true)]
async fn a_sink_that_is_down_is_waited_for_without_a_limit_on_tries() {
    let sink = ScriptedSink::new(|attempt, _| match attempt {
        0..200 => Act::Fail(ErrorKind::Unavailable),
        _ => Act::Store,
    });
    let logger = logger(Arc::clone(&sink));
    assert_eq!(
        logger.log_event(draft("a")).await.unwrap(),
        Recorded::Stored
    );
    assert_eq!(logger.counters().retries, 200);
    assert_eq!(tools(&sink.store.recorded()), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_behind_the_commit_stores_once() {
    let sink = ScriptedSink::new(|attempt, _| match attempt {
        0 => Act::StoreAndFail(ErrorKind::Timeout),
        _ => Act::Store,
    });
    let logger = logger(Arc::clone(&sink));
    assert_eq!(
        logger.log_event(draft("a")).await.unwrap(),
        Recorded::AlreadyStored
    );
    assert_eq!(tools(&sink.store.recorded()), ["a"]);
    assert_eq!(logger.counters().duplicates, 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_during_an_outage_takes_nothing_along() {
    let sink = ScriptedSink::new(|attempt, _| match attempt {
        0..5 => Act::Fail(ErrorKind::Unavailable),
        _ => Act::Store,
    });
    let logger = logger(Arc::clone(&sink));
    let waited = tokio::time::timeout(Duration::from_millis(1), logger.log_event(draft("a"))).await;
    assert!(waited.is_err(), "the sink is still down");
    soon(sink.store.wait_for(|events| tools(events) == ["a"])).await;
}

#[tokio::test]
async fn an_event_that_makes_the_sink_panic_does_not_take_its_neighbors_along() {
    let sink = ScriptedSink::new(|_, events| {
        if events.iter().any(|event| is_of_tool(event, "poison")) {
            Act::Panic
        } else {
            Act::Store
        }
    });
    isolates_the_poison(sink, ErrorKind::Internal).await;
}

#[tokio::test]
async fn an_event_for_which_the_sink_rejects_a_whole_batch_does_not_take_its_neighbors_along() {
    let sink = ScriptedSink::new(|_, events| {
        let is_poisoned = events.iter().any(|event| is_of_tool(event, "poison"));
        if is_poisoned {
            Act::Fail(ErrorKind::Rejected)
        } else {
            Act::Store
        }
    });
    isolates_the_poison(sink, ErrorKind::Rejected).await;
}

async fn isolates_the_poison(sink: Arc<ScriptedSink>, expected: ErrorKind) {
    let logger = logger(Arc::clone(&sink));
    let mut answers = Vec::new();
    for number in 0..40 {
        let tool = if number == 17 { "poison" } else { "fine" };
        answers.push(logger.begin(draft(tool)).await.unwrap().finish(Outcome::Ok));
    }
    for (number, answer) in answers.into_iter().enumerate() {
        let answer = soon(answer).await;
        if number == 17 {
            assert_eq!(answer.unwrap_err().kind(), expected);
        } else {
            assert_eq!(answer.unwrap(), Recorded::Stored, "event {number}");
        }
    }
    let events = soon(sink.store.wait_for(|events| events.len() == 40)).await;
    let stored: Vec<_> = events.iter().map(|event| event.seq.get()).collect();
    let all_but_the_poison: Vec<_> = (1..=41).filter(|number| *number != 18).collect();
    assert_eq!(
        stored, all_but_the_poison,
        "in order; number 41 tells of the loss"
    );
    let gaps = sink.store.gaps(logger.writer(), 10).await.unwrap();
    assert_eq!(
        gaps.iter()
            .map(|gap| (gap.first.get(), gap.last.get()))
            .collect::<Vec<_>>(),
        [(18, 18)]
    );
}

#[tokio::test]
async fn a_sink_that_answers_for_fewer_events_than_it_was_given_is_not_believed() {
    let sink = ScriptedSink::new(|_, _| Act::AnswerShort);
    let logger = logger(sink);
    let error = soon(logger.log_event(draft("a"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}

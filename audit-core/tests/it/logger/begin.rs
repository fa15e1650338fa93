use std::sync::Arc;
use std::time::Duration;

use audit_core::event::{Check, Decision, EventId, Latency, Outcome, Reason, Timestamp, ToolName};
use audit_core::logger::Overload;
use audit_core::payload::CallerCredential;
use audit_core::sink::{Durability, Forwarding, Health};
use audit_core::{AuditLogger, ErrorKind};
use audit_memory::MemoryStore;
use audit_testkit::ManualClock;

use super::support::{ScriptedSink, draft, logger, poll_once, soon, tools};

#[tokio::test]
async fn a_call_that_is_dropped_is_recorded_as_aborted() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    let id = logger.begin(draft("a")).await.unwrap().id();
    let events = soon(store.wait_for(|events| events.len() == 1)).await;
    assert_eq!((events[0].id, events[0].outcome), (id, Outcome::Aborted));
    assert_eq!(events[0].status_code.as_u16(), 0);
}

#[tokio::test]
async fn a_call_whose_task_panics_is_recorded_as_aborted() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    let call = logger.begin(draft("a")).await.unwrap();
    let task = tokio::spawn(async move {
        let _call = call;
        std::panic::panic_any("the tool is broken");
    });
    assert!(task.await.unwrap_err().is_panic());
    let events = soon(store.wait_for(|events| events.len() == 1)).await;
    assert_eq!(events[0].outcome, Outcome::Aborted);
}

#[tokio::test]
async fn a_call_whose_task_is_cancelled_is_recorded_as_aborted() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    let call = logger.begin(draft("a")).await.unwrap();
    let task = tokio::spawn(async move {
        let _call = call;
        std::future::pending::<()>().await;
    });
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let events = soon(store.wait_for(|events| events.len() == 1)).await;
    assert_eq!(events[0].outcome, Outcome::Aborted);
}

#[tokio::test]
async fn a_full_queue_is_met_before_the_tool_runs_and_not_after() {
    let sink = ScriptedSink::gated();
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .queue_events(1)
        .overload(Overload::Reject)
        .build()
        .unwrap();
    let call = logger.begin(draft("a")).await.unwrap();
    let error = logger.begin(draft("b")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    // The open call has its room, however full the queue is.
    let answer = call.finish(Outcome::Ok);
    assert_eq!(
        logger.log_event(draft("c")).await.unwrap_err().kind(),
        ErrorKind::Overloaded
    );
    sink.open_gate(9);
    soon(answer).await.unwrap();
    soon(logger.log_event(draft("d"))).await.unwrap();
    assert_eq!(tools(&sink.store.recorded()), ["a", "d"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_room_as_long_as_it_may() {
    let sink = ScriptedSink::gated();
    let wait = Duration::from_secs(3);
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .queue_events(1)
        .overload(Overload::Wait(wait))
        .build()
        .unwrap();
    let call = logger.begin(draft("a")).await.unwrap();
    let begin = tokio::time::Instant::now();
    assert_eq!(
        logger.begin(draft("b")).await.unwrap_err().kind(),
        ErrorKind::Overloaded
    );
    assert_eq!(begin.elapsed(), wait);

    let waiting = tokio::spawn({
        let logger = logger.clone();
        async move {
            logger
                .begin(draft("c"))
                .await
                .unwrap()
                .finish(Outcome::Ok)
                .await
        }
    });
    tokio::task::yield_now().await;
    sink.open_gate(2);
    call.finish(Outcome::Ok).await.unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(tools(&sink.store.recorded()), ["a", "c"]);
}

#[tokio::test]
async fn a_call_that_gives_up_waiting_leaves_no_trace() {
    let store = MemoryStore::new();
    let logger = AuditLogger::builder(store.clone())
        .queue_events(1)
        .build()
        .unwrap();
    let call = logger.begin(draft("a")).await.unwrap();
    {
        let mut waiting = std::pin::pin!(logger.begin(draft("b")));
        assert!(poll_once(waiting.as_mut()).await.is_pending());
    }
    call.finish(Outcome::Ok).await.unwrap();
    assert!(logger.shutdown(Duration::from_secs(30)).await.is_complete());
    assert_eq!(tools(&store.recorded()), ["a"]);
}

#[tokio::test]
async fn the_wait_for_room_is_part_of_the_latency() {
    let (store, clock) = (MemoryStore::new(), ManualClock::default());
    let builder = AuditLogger::builder(store.clone()).queue_events(1);
    let logger = builder.clock(clock.clone()).build().unwrap();
    let first = logger.begin(draft("first")).await.unwrap();
    let mut waiting = Box::pin(logger.begin(draft("waiting")));
    assert!(poll_once(waiting.as_mut()).await.is_pending());
    clock.advance(Duration::from_secs(3));
    first.finish(Outcome::Ok).await.unwrap();
    soon(waiting)
        .await
        .unwrap()
        .finish(Outcome::Ok)
        .await
        .unwrap();
    assert_eq!(store.recorded()[1].latency_ms.as_millis(), 3_000.0);
}

#[tokio::test]
async fn a_full_queue_is_no_healthy_one() {
    let logger = AuditLogger::builder(MemoryStore::new())
        .queue_events(1)
        .build()
        .unwrap();
    assert_eq!(logger.health().await, Health::ready());
    let call = logger.begin(draft("a")).await.unwrap();
    assert_ne!(logger.health().await, Health::ready());
    call.finish(Outcome::Ok).await.unwrap();
    assert_eq!(logger.health().await, Health::ready());
}

#[tokio::test]
async fn what_becomes_known_is_added_and_the_moment_stays() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    let mut call = logger.begin(draft("a")).await.unwrap();
    let id = call.id();
    let decision = Decision::allowed().rate(Check::error(Reason::new("redis is down").unwrap()));
    call.amend(|draft| {
        draft
            .decision(decision.clone())
            .latency(Latency::from_millis(7.0).unwrap())
    });
    call.amend(|draft| draft.ts(Timestamp::MIN).id(EventId::MIN));
    call.finish(Outcome::Timeout).await.unwrap();
    let event = &store.recorded()[0];
    assert_eq!(
        (event.id, event.outcome, event.status_code.as_u16()),
        (id, Outcome::Timeout, 504)
    );
    assert_eq!(
        (&event.decision, event.latency_ms.as_millis()),
        (&decision, 7.0)
    );
}

#[tokio::test]
async fn a_change_that_panics_keeps_what_was_known() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    let mut call = logger.begin(draft("a")).await.unwrap();
    let change = std::panic::AssertUnwindSafe(|| call.amend(|_| std::panic::panic_any("oops")));
    assert!(std::panic::catch_unwind(change).is_err());
    call.finish(Outcome::Ok).await.unwrap();
    assert_eq!(tools(&store.recorded()), ["a"]);
}

#[tokio::test]
async fn the_callers_credential_is_in_no_text_and_in_no_payload() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    let secret = format!(
        "{:x}-{:x}",
        0x1234_5678_9abc_u64 * 7_919,
        0xfeed_u64 * 104_729
    );
    let credential = CallerCredential::new(secret.clone());
    let tool = ToolName::lossy(format!("run {secret}"));
    let mut call = logger
        .begin(draft("a").tool_name(tool).credential(credential))
        .await
        .unwrap();
    call.request_value(&serde_json::json!({ "note": secret, &secret: [1] }));
    call.response_text(&format!("you said {secret}"));
    call.finish(Outcome::Ok).await.unwrap();
    let json = store.recorded()[0].to_json();
    assert!(!json.contains(&secret), "{json}");
    assert!(json.contains("run "), "{json}");
}

#[tokio::test]
async fn a_promise_that_the_sink_does_not_keep_is_refused() {
    #[derive(Debug)]
    struct ToStderr(MemoryStore);

    #[async_trait::async_trait]
    impl audit_core::AuditSink for ToStderr {
        async fn append(
            &self,
            events: &[audit_core::AuditEvent],
        ) -> Result<audit_core::sink::Appended, audit_core::Error> {
            self.0.append(events).await
        }

        async fn flush(&self) -> Result<(), audit_core::Error> {
            self.0.flush().await
        }

        async fn health(&self) -> Health {
            self.0.health().await
        }

        async fn close(&self) -> Result<(), audit_core::Error> {
            self.0.close().await
        }

        fn durability(&self) -> Durability {
            Durability::Queued
        }

        fn forwarding(&self) -> Option<Forwarding> {
            None
        }
    }

    let builder =
        AuditLogger::builder(ToStderr(MemoryStore::new())).durability(Durability::Committed);
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error.to_string().contains("committed") && error.to_string().contains("queued"),
        "{error}"
    );
    let logger = AuditLogger::builder(ToStderr(MemoryStore::new()))
        .build()
        .unwrap();
    assert_eq!(
        logger
            .with_durability(Durability::Spooled)
            .unwrap_err()
            .kind(),
        ErrorKind::Invalid
    );
}

#[tokio::test]
async fn bounds_that_cannot_work_are_refused_with_the_least_that_does() {
    let builder = || AuditLogger::builder(MemoryStore::new());
    for builder in [
        builder().queue_events(0),
        builder().batch_events(0),
        builder().queue_bytes(1_000),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("at least"), "{error}");
    }
}

#[test]
fn without_a_runtime_the_error_says_what_to_do() {
    let error = AuditLogger::builder(MemoryStore::new())
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}

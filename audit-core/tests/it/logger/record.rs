use std::sync::Arc;
use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::{AuditEvent, EventId, Outcome};
use audit_core::logger::Recorded;
use audit_core::payload::{CallerCredential, Payload, PayloadLevel, PayloadPolicy};
use audit_core::reader::AuditReader as _;
use audit_core::sink::Durability;
use audit_memory::MemoryStore;
use audit_testkit::ManualClock;

use super::support::{ScriptedSink, draft, logger, moment, soon, tools};

#[tokio::test]
async fn ok_means_that_the_store_has_it() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    let recorded = logger
        .log_event(draft("a").outcome(Outcome::Ok))
        .await
        .unwrap();
    assert_eq!(recorded, Recorded::Stored);
    assert_eq!(tools(&store.recorded()), ["a"]);
}

#[tokio::test]
async fn numbers_are_gapless_in_the_order_of_finishing() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    let first = logger.begin(draft("begun first")).await.unwrap();
    let second = logger.begin(draft("begun second")).await.unwrap();
    assert!(first.id() < second.id());
    second.finish(Outcome::Ok).await.unwrap();
    first.finish(Outcome::Ok).await.unwrap();
    let events = store.recorded();
    assert_eq!(tools(&events), ["begun second", "begun first"]);
    assert_eq!(
        events
            .iter()
            .map(|event| event.seq.get())
            .collect::<Vec<_>>(),
        [1, 2]
    );
    assert!(events.iter().all(|event| event.writer == *logger.writer()));
    assert_eq!(store.gaps(logger.writer(), 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_callers_leave_one_gapless_row_of_numbers() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let logger = logger.clone();
            tokio::spawn(async move {
                for _ in 0..40 {
                    logger
                        .log_event(draft("t").outcome(Outcome::Ok))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let events = store.recorded();
    let numbers: Vec<_> = events.iter().map(|event| event.seq.get()).collect();
    assert_eq!(
        numbers,
        (1..=2_000).collect::<Vec<_>>(),
        "stored in the order of their numbers"
    );
}

#[tokio::test]
async fn the_same_event_again_is_already_stored_and_its_number_is_accounted_for() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    let ts = moment(1_700_000_000_000_000);
    let id = EventId::new(ts, 1);
    logger.log_event(draft("a").ts(ts).id(id)).await.unwrap();
    let again = logger.log_event(draft("a").ts(ts).id(id)).await.unwrap();
    assert_eq!(again, Recorded::AlreadyStored);
    let events = soon(store.wait_for(|events| events.len() == 2)).await;
    assert_eq!(tools(&events), ["a"]);
    let told = events[1].request().unwrap().json().unwrap();
    assert!(told.contains(r#""reason":"duplicate","count":1"#), "{told}");
    let gaps = store.gaps(logger.writer(), 10).await.unwrap();
    assert_eq!(gaps.len(), 1, "number 2 is in no store: {gaps:?}");
}

#[tokio::test]
async fn while_a_batch_is_written_the_next_one_fills() {
    let sink = ScriptedSink::gated();
    let logger = logger(Arc::clone(&sink));
    let mut answers = vec![
        logger
            .begin(draft("first"))
            .await
            .unwrap()
            .finish(Outcome::Ok),
    ];
    // The batcher takes the first record and waits at the gate.
    soon(async {
        while sink.batches().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for _ in 0..100 {
        answers.push(
            logger
                .begin(draft("more"))
                .await
                .unwrap()
                .finish(Outcome::Ok),
        );
    }
    sink.open_gate(2);
    for answer in answers {
        assert_eq!(soon(answer).await.unwrap(), Recorded::Stored);
    }
    assert_eq!(sink.batches(), [1, 100]);
}

#[tokio::test]
async fn a_queued_record_does_not_wait_and_is_stored() {
    let sink = ScriptedSink::gated();
    let logger = logger(Arc::clone(&sink));
    let queued = logger.with_durability(Durability::Queued).unwrap();
    assert_eq!(
        soon(queued.log_event(draft("a"))).await.unwrap(),
        Recorded::Queued
    );
    assert!(sink.store.recorded().is_empty());
    sink.open_gate(1);
    soon(sink.store.wait_for(|events| tools(events) == ["a"])).await;
}

#[tokio::test]
async fn a_detached_answer_takes_nothing_away() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    logger
        .begin(draft("a"))
        .await
        .unwrap()
        .finish(Outcome::Ok)
        .detach();
    soon(store.wait_for(|events| tools(events) == ["a"])).await;
}

#[tokio::test]
async fn the_moment_is_when_the_call_began_and_the_latency_runs_on_its_own_clock() {
    let clock = ManualClock::new(moment(1_700_000_000_000_000));
    let store = MemoryStore::new();
    let logger = AuditLogger::builder(store.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    let call = logger.begin(draft("a")).await.unwrap();
    clock.advance(Duration::from_micros(1_500));
    // Somebody sets the wall clock while the tool runs.
    clock.set(moment(1_600_000_000_000_000));
    call.finish(Outcome::Ok).await.unwrap();
    let event = &store.recorded()[0];
    assert_eq!(event.ts.as_micros(), 1_700_000_000_000_000);
    assert_eq!(event.latency_ms.as_micros(), 1_500);
    assert!(event.id.is_of(event.ts));
}

#[tokio::test]
async fn a_clock_that_is_set_back_a_little_stands_still_and_a_large_step_is_followed() {
    let clock = ManualClock::new(moment(5_000_000));
    let store = MemoryStore::new();
    let logger = AuditLogger::builder(store.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    for micros in [
        5_000_000, 4_999_999, 4_500_000, 5_000_001, 1_000_000, 1_000_001,
    ] {
        clock.set(moment(micros));
        logger.log_event(draft("a")).await.unwrap();
    }
    let events = store.recorded();
    let moments: Vec<_> = events.iter().map(|event| event.ts.as_micros()).collect();
    assert_eq!(
        moments,
        [
            5_000_000, 5_000_000, 5_000_000, 5_000_001, 1_000_000, 1_000_001
        ]
    );
    assert!(
        events[..4].is_sorted_by(|a, b| a.id < b.id),
        "ids rise while the clock stands still"
    );
}

#[tokio::test]
async fn a_step_back_is_hidden_up_to_a_second() {
    for (step, expected) in [(999_999, 5_000_000), (1_000_000, 4_000_000)] {
        let clock = ManualClock::new(moment(5_000_000));
        let store = MemoryStore::new();
        let builder = AuditLogger::builder(store.clone());
        let logger = builder.clock(clock.clone()).build().unwrap();
        logger.log_event(draft("a")).await.unwrap();
        clock.set(moment(5_000_000 - step));
        logger.log_event(draft("b")).await.unwrap();
        assert_eq!(store.recorded()[1].ts.as_micros(), expected, "{step}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ids_of_concurrent_calls_are_in_the_order_of_their_moments() {
    let store = MemoryStore::new();
    let logger = logger(store.clone());
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let logger = logger.clone();
            tokio::spawn(async move {
                for _ in 0..500 {
                    drop(logger.begin(draft("t")).await.unwrap());
                }
            })
        })
        .collect();
    for caller in callers {
        soon(caller).await.unwrap();
    }
    assert!(logger.shutdown(Duration::from_secs(30)).await.is_complete());
    let mut events = store.recorded();
    assert_eq!(events.len(), 4_000);
    events.sort_by_key(|event| event.id);
    assert!(events.is_sorted_by(|a, b| a.id < b.id && a.ts <= b.ts));
}

#[test]
fn it_works_on_both_kinds_of_runtime() {
    let current = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let multi = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    for runtime in [current, multi] {
        let store = MemoryStore::new();
        let logger = AuditLogger::builder(store.clone())
            .runtime(runtime.handle().clone())
            .build()
            .unwrap();
        runtime.block_on(async {
            logger.log_event(draft("a")).await.unwrap();
            assert!(logger.shutdown(Duration::from_secs(30)).await.is_complete());
        });
        assert_eq!(tools(&store.recorded()), ["a"]);
    }
}

#[tokio::test]
async fn a_payload_of_ones_own_making_is_made_by_all_that_the_call_knows() {
    let policy = PayloadPolicy::builder()
        .level("quiet", PayloadLevel::Metadata)
        .build()
        .unwrap();
    let store = MemoryStore::new();
    let logger = AuditLogger::builder(store.clone())
        .payload_policy(policy)
        .build()
        .unwrap();
    for tool in ["quiet", "loud"] {
        let credential = CallerCredential::new("correct horse battery");
        let draft = draft(tool).credential(credential);
        let mut call = logger.begin(draft).await.unwrap();
        assert!(!call.has_request() && !call.has_response());
        let text = "said correct horse battery and went on";
        call.request_with(|context| Payload::from_text(text, &context.original_bytes(900)));
        assert!(call.has_request() && !call.has_response());
        call.response_with(|context| Payload::from_json("[1]", &context));
        assert!(call.has_response());
        call.finish(Outcome::Ok).await.unwrap();
    }
    let [quiet, loud] = &store.recorded()[..] else {
        panic!("two records, not {:?}", store.recorded());
    };
    let kept = |event: &AuditEvent| {
        let request = event.request().unwrap();
        (
            request.json().map(str::to_owned),
            request.report().original_bytes,
        )
    };
    assert_eq!(kept(quiet), (None, 900));
    let said = "\"said [REDACTED:caller_credential] and went [TRUNCATED:900]\"";
    assert_eq!(kept(loud), (Some(said.to_owned()), 900));
    assert_eq!(loud.response().unwrap().json(), Some("[1]"));
}

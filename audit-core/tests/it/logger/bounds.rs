use std::sync::Arc;
use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::{
    ApiKeyId, Check, Client, ClientAddress, ClientName, ClientVersion, Decision, EventDraft,
    Method, Outcome, Reason, RequestId, Role, RuleName, SessionId, ToolName, Upstream,
};
use audit_core::sink::Durability;

use super::support::{Act, ScriptedSink, draft, soon};

const BUDGET: usize = 200_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_stays_within_its_bytes_and_its_count_at_all_times() {
    let sink = ScriptedSink::new(|_, _| Act::Store);
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .queue_bytes(BUDGET)
        .queue_events(50)
        .durability(Durability::Queued)
        .build()
        .unwrap();
    let callers: Vec<_> = (0..20_usize)
        .map(|caller| {
            let logger = logger.clone();
            tokio::spawn(async move {
                for number in 0..100 {
                    let mut call = logger.begin(draft("t")).await.unwrap();
                    call.response_text(&"x ".repeat((caller * 97 + number * 31) % 4_000));
                    call.finish(Outcome::Ok).await.unwrap();
                    let held = logger.counters();
                    assert!(held.queued_bytes <= BUDGET, "{held:?}");
                    assert!(held.queued_events <= 50, "{held:?}");
                }
            })
        })
        .collect();
    for caller in callers {
        soon(caller).await.unwrap();
    }
    let report = logger.shutdown(Duration::from_secs(30)).await;
    assert_eq!((report.n_stored, report.is_complete()), (2_000, true));
    let most = logger.counters();
    assert!(
        most.most_queued_bytes <= BUDGET && most.most_queued_bytes > 0,
        "{most:?}"
    );
    assert!(most.most_queued_events <= 50, "{most:?}");
    assert_eq!(
        (most.queued_bytes, most.queued_events, most.open_calls),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn the_largest_event_takes_no_more_than_was_reserved_for_it() {
    let longest = |max_chars: usize| "\u{10ffff}".repeat(max_chars);
    let check = || {
        let check = Check::denied(Reason::new(longest(Reason::MAX_CHARS)).unwrap());
        check.rule(RuleName::new(longest(RuleName::MAX_CHARS)).unwrap())
    };
    let client = Client::new()
        .name(ClientName::new(longest(ClientName::MAX_CHARS)).unwrap())
        .version(ClientVersion::new(longest(ClientVersion::MAX_CHARS)).unwrap())
        .address(ClientAddress::new(longest(ClientAddress::MAX_CHARS)).unwrap());
    let event = EventDraft::new(Method::new(longest(Method::MAX_CHARS)).unwrap())
        .api_key_id(ApiKeyId::new(longest(ApiKeyId::MAX_CHARS)).unwrap())
        .role(Role::new(longest(Role::MAX_CHARS)).unwrap())
        .tool_name(ToolName::new(longest(ToolName::MAX_CHARS)).unwrap())
        .upstream(Upstream::new(longest(Upstream::MAX_CHARS)).unwrap())
        .session_id(SessionId::new(longest(SessionId::MAX_CHARS)).unwrap())
        .request_id(RequestId::new(longest(RequestId::MAX_CHARS)).unwrap())
        .client(client)
        .decision(Decision::new().auth(check()).authz(check()).rate(check()));
    let sink = ScriptedSink::new(|_, _| Act::Store);
    let smallest = AuditLogger::builder(Arc::clone(&sink))
        .queue_bytes(1)
        .build()
        .unwrap_err();
    let text = smallest.to_string();
    let budget: usize = text.rsplit(' ').next().unwrap().parse().unwrap();
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .queue_bytes(budget)
        .build()
        .unwrap();
    let mut call = logger.begin(event).await.unwrap();
    let many: Vec<_> = (0..40)
        .map(|number| format!("{number} {}", "y".repeat(90)))
        .collect();
    call.request_value(&many);
    call.response_value(&many);
    call.finish(Outcome::Ok).await.unwrap();
    let held = logger.counters();
    assert!(
        held.most_queued_bytes > budget / 2 && held.most_queued_bytes <= budget,
        "{held:?}"
    );
    // All the room came back: the queue takes another one.
    soon(logger.log_event(draft("next"))).await.unwrap();
}

#[tokio::test]
async fn a_batch_in_flight_counts_until_the_sink_has_answered() {
    let sink = ScriptedSink::gated();
    let logger = AuditLogger::builder(Arc::clone(&sink)).build().unwrap();
    let answer = logger.begin(draft("a")).await.unwrap().finish(Outcome::Ok);
    soon(async {
        while sink.batches().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let held = logger.counters();
    assert!(held.queued_events == 1 && held.queued_bytes > 0, "{held:?}");
    sink.open_gate(1);
    answer.await.unwrap();
    assert_eq!(logger.counters().queued_bytes, 0);
}

#[tokio::test]
async fn room_comes_back_whatever_became_of_the_call() {
    let sink = ScriptedSink::new(|attempt, _| {
        if attempt % 2 == 0 {
            Act::Panic
        } else {
            Act::Store
        }
    });
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .queue_events(2)
        .build()
        .unwrap();
    for _ in 0..50 {
        drop(logger.begin(draft("dropped")).await.unwrap());
        let call = soon(logger.begin(draft("finished"))).await.unwrap();
        // Every second one fails; its room comes back all the same.
        drop(call.finish(Outcome::Ok).await);
        drop(logger.log_event(draft("logged")).await);
    }
    let report = logger.shutdown(Duration::from_secs(30)).await;
    assert!(report.unstored.is_empty());
    let held = logger.counters();
    assert_eq!(
        (held.queued_events, held.queued_bytes, held.open_calls),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn a_batch_is_bounded_by_count_and_bytes() {
    let sink = ScriptedSink::gated();
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .batch_events(3)
        .durability(Durability::Queued)
        .build()
        .unwrap();
    for _ in 0..10 {
        logger.log_event(draft("t")).await.unwrap();
    }
    sink.open_gate(100);
    assert!(logger.shutdown(Duration::from_secs(30)).await.is_complete());
    assert!(
        sink.batches().iter().all(|n_events| *n_events <= 3),
        "{:?}",
        sink.batches()
    );

    let sink = ScriptedSink::gated();
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .batch_bytes(1)
        .durability(Durability::Queued)
        .build()
        .unwrap();
    for _ in 0..5 {
        logger.log_event(draft("t")).await.unwrap();
    }
    sink.open_gate(100);
    assert!(logger.shutdown(Duration::from_secs(30)).await.is_complete());
    assert_eq!(
        sink.batches(),
        [1; 5],
        "an event that is larger than a batch goes alone"
    );
}

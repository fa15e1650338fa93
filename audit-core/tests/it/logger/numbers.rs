//! What a logger tells whoever collects metrics.

use std::sync::Arc;
use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::ErrorKind;
use audit_core::event::Outcome;
use audit_core::logger::Overload;
use audit_memory::MemoryStore;

use super::support::{Act, ScriptedSink, draft, soon};
use crate::recorder::Recorder;

#[tokio::test(start_paused = true)]
async fn each_record_is_counted_once_and_nothing_adds_zero() {
    let recorder = Recorder::default();
    let sink = ScriptedSink::new(|attempt, _| match attempt {
        0 => Act::Fail(ErrorKind::Unavailable),
        1 => Act::StoreAndFail(ErrorKind::Timeout),
        _ => Act::Refuse("poison"),
    });
    let logger = metrics::with_local_recorder(&recorder, || {
        AuditLogger::builder(Arc::clone(&sink))
            .writer_name("gw")
            .sink_name("pg")
            .queue_events(2)
            .overload(Overload::Shed)
            .build()
            .unwrap()
    });
    logger
        .log_event(draft("a").outcome(Outcome::Ok))
        .await
        .unwrap();
    logger
        .log_event(draft("b").outcome(Outcome::Ok))
        .await
        .unwrap();
    logger
        .log_event(draft("poison").outcome(Outcome::Ok))
        .await
        .unwrap_err();
    let calls = [
        logger.begin(draft("c")).await.unwrap(),
        logger.begin(draft("c")).await.unwrap(),
        logger.begin(draft("shed")).await.unwrap(),
    ];
    logger.publish_metrics();
    let name = |name: &str| format!("{name}{{logger=gw,sink=pg}}");
    assert_eq!(recorder.value(&name("audit_open_calls")), 2);
    for call in calls {
        call.finish(Outcome::Ok).await.unwrap();
    }
    soon(logger.shutdown(Duration::from_secs(9))).await;

    let counters = logger.counters();
    let told = [
        ("audit_accepted_total", counters.accepted),
        ("audit_batches_total", counters.batches),
        ("audit_duplicates_total", counters.duplicates),
        ("audit_refused_total", counters.refused),
        ("audit_retries_total", counters.retries),
        ("audit_shed_total", counters.shed),
        ("audit_stored_total", counters.stored),
    ];
    let told = told.map(|(it, value)| (name(it), value));
    assert_eq!(recorder.raised(), told.into_iter().collect());
    // Five calls, and a loss event for each of two reasons.
    assert_eq!(
        (counters.accepted, counters.stored, counters.duplicates),
        (7, 5, 1)
    );
    assert_eq!(
        (counters.refused, counters.shed, counters.retries),
        (1, 1, 2)
    );
    assert_eq!(recorder.n_zeros(), 0);
    let n_kept = counters.stored + counters.duplicates;
    assert_eq!(
        recorder.value(&name("audit_time_to_durable_seconds")),
        n_kept
    );
    assert_eq!(
        recorder.value(&name("audit_time_to_queryable_seconds")),
        n_kept
    );
    assert_eq!(
        recorder.value(&name("audit_batch_events")),
        counters.batches
    );
    assert_eq!(recorder.value(&name("audit_queue_events")), 0);
    assert_eq!(recorder.value(&name("audit_queue_most_events")), 2);
}

#[tokio::test(start_paused = true)]
async fn the_age_of_the_oldest_record_grows_while_the_sink_is_down() {
    let recorder = Recorder::default();
    let sink = ScriptedSink::gated();
    let clock = Arc::new(audit_testkit::ManualClock::new(super::support::moment(0)));
    let logger = metrics::with_local_recorder(&recorder, || {
        let builder = AuditLogger::builder(Arc::clone(&sink)).clock(Arc::clone(&clock));
        builder.build().unwrap()
    });
    let name = "audit_oldest_unacknowledged_seconds{logger=audit,sink=sink}";
    logger.publish_metrics();
    assert_eq!(recorder.value(name), 0);
    let call = logger.begin(draft("a")).await.unwrap();
    let answer = call.finish(Outcome::Ok);
    clock.advance(Duration::from_secs(40));
    drop(logger.health().await);
    assert_eq!(recorder.value(name), 40);
    sink.open_gate(1);
    soon(answer).await.unwrap();
    logger.publish_metrics();
    assert_eq!(recorder.value(name), 0);
}

#[test]
fn each_name_stands_in_the_documented_table() {
    let recorder = Recorder::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _context = runtime.enter();
    let logger = metrics::with_local_recorder(&recorder, || {
        AuditLogger::builder(MemoryStore::new()).build().unwrap()
    });
    drop(logger);
    let page = include_str!("../../../src/logger/metrics.rs");
    for name in recorder.names() {
        let (name, _) = name.split_once('{').unwrap();
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
    }
}

//! `spool`, and the dead letters in it.

use std::time::Duration;

use audit_core::{AuditEvent, AuditSink};
use audit_memory::MemoryStore;
use audit_sqlite::{Spool, SpoolConfig};
use audit_testkit::{FaultPlan, FaultySink, fixture};

use crate::store::Store;

/// For a store that does not answer.
const NO_TIME: Duration = Duration::from_millis(50);
/// For one that does.
const ENOUGH: Duration = Duration::from_secs(60);

/// A process that spooled this and ended before the store took it.
async fn left_behind(
    store: &Store,
    sink: impl AuditSink,
    deadline: Duration,
    events: &[AuditEvent],
) -> String {
    let folder = store.beside("spool");
    let config = SpoolConfig::new(&folder).close_deadline(deadline);
    let spool = Spool::open(config, sink).await.unwrap();
    assert!(spool.append(events).await.unwrap().is_all_kept());
    // The store answers or not; what it does not take stays.
    drop(spool.close().await);
    folder.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_waits_is_listed_and_sent() {
    let events = fixture::events(1..=12);
    let store = Store::with(&[]).await;
    let away = FaultySink::new(MemoryStore::new(), FaultPlan::new().fail(1).for_ever());
    let folder = left_behind(&store, away, NO_TIME, &events).await;

    let ran = store.audit(&["spool", "ls", "--spool", &folder]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    let file: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&file["events"], &file["in_use"]),
        (&12.into(), &false.into()),
        "{file}"
    );
    assert_eq!(file["oldest"], events[0].ts.to_string());

    let ran = store.audit(&["spool", "drain", "--spool", &folder]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("12 events sent, 0 wait"), "{ran:?}");
    assert_eq!(store.events(), events);
    let ran = store.audit(&["spool", "ls", "--spool", &folder, "-o", "json"]);
    let files: Vec<serde_json::Value> = serde_json::from_str(&ran.out).unwrap();
    assert!(files.iter().all(|file| file["events"] == 0), "{ran:?}");
    let ran = store.audit(&["spool", "drain", "--spool", "/nowhere/spool"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn what_the_store_does_not_take_keeps_waiting() {
    let store = Store::none();
    let away = FaultySink::new(MemoryStore::new(), FaultPlan::new().fail(1).for_ever());
    let folder = left_behind(&store, away, NO_TIME, &fixture::events(1..=3)).await;
    let nowhere = "postgres://audit@127.0.0.1:1/audit?acquire_timeout=100ms";
    let ran = store.audit(&[
        "spool",
        "drain",
        "--store",
        nowhere,
        "--spool",
        &folder,
        "--timeout",
        "1",
    ]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("3 wait"), "{ran:?}");
    let ran = store.audit(&["spool", "ls", "--spool", &folder]);
    assert!(ran.out.contains("\"events\":3"), "{ran:?}");
}

#[tokio::test]
async fn dead_letters_of_a_spool_are_listed_and_tried_again() {
    let events = fixture::events([1]);
    let store = Store::with(&[]).await;
    let refusing = FaultySink::new(MemoryStore::new(), FaultPlan::new().refuse(0));
    let folder = left_behind(&store, refusing, ENOUGH, &events).await;
    let ran = store.audit(&["dead-letters", "ls", "--spool", &folder]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let letter: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(letter["event"]["id"], events[0].id.to_string(), "{letter}");
    assert!(
        letter["place"].as_str().unwrap().contains("spool-"),
        "{letter}"
    );

    let ran = store.audit(&["dead-letters", "retry", "--all", "--spool", &folder]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.err.contains("1 dead letters stored, 0 refused"),
        "{ran:?}"
    );
    assert_eq!(store.events(), events);
}

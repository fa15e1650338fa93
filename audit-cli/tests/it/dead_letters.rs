//! `dead-letters`, on SQLite and of a spool.

use audit_core::AuditSink as _;
use audit_sqlite::{SqliteConfig, SqliteStore};
use audit_testkit::fixture;

use crate::store::Store;

#[tokio::test]
async fn what_was_refused_is_listed_and_stored_once_it_can_be() {
    let store = Store::with(&fixture::events([1])).await;
    let (_, other) = fixture::conflicts(1).swap_remove(0);
    let sink = SqliteStore::open(&SqliteConfig::new(store.path()))
        .await
        .unwrap();
    assert!(
        !sink
            .append(std::slice::from_ref(&other))
            .await
            .unwrap()
            .is_all_kept()
    );
    sink.close().await.unwrap();

    let ran = store.audit(&["dead-letters", "ls", "-o", "jsonl"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let letter: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(letter["event_id"], other.id.to_string());
    assert_eq!(letter["place"], "store");
    assert!(
        letter["reason"].as_str().unwrap().contains("same id"),
        "{letter}"
    );
    assert_eq!(letter["event"]["id"], other.id.to_string());
    let number = letter["number"].to_string();

    // It is refused as long as the other one is there.
    for arguments in [
        &["dead-letters", "retry", "--all"][..],
        &["dead-letters", "retry", &number],
    ] {
        let ran = store.audit(arguments);
        assert_eq!(ran.code, 5, "{ran:?}");
        assert!(
            ran.err.contains("0 dead letters stored, 1 refused again"),
            "{ran:?}"
        );
    }
    assert_eq!(
        store
            .audit(&["retention", "apply", "--keep-days", "1", "--yes"])
            .code,
        0
    );
    let ran = store.audit(&["dead-letters", "retry", &number]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(store.events(), [other]);
    assert_eq!(store.audit(&["dead-letters", "ls", "-o", "table"]).out, "");
    let ran = store.audit(&["dead-letters", "retry", "77"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(store.audit(&["dead-letters", "retry"]).code, 2);
}

//! `retention`, on SQLite.

use audit_testkit::fixture;

use crate::store::Store;

#[tokio::test]
async fn what_is_old_goes_when_somebody_says_yes() {
    // The fixtures are of a time long ago.
    let store = Store::with(&fixture::events(1..=20)).await;
    let ran = store.audit(&["retention", "plan", "--keep-days", "30"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("20 of 20 events go"), "{ran:?}");
    let ran = store.audit(&["retention", "apply", "--keep-days", "30"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("--yes"), "{ran:?}");
    assert_eq!(store.events().len(), 20);
    let ran = store.audit(&["retention", "apply", "--keep-days", "30", "--yes"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "20 events removed\n"),
        "{ran:?}"
    );
    assert_eq!(store.events(), []);
    assert_eq!(
        store.audit(&["retention", "plan", "--keep-days", "0"]).code,
        2
    );
}

#[tokio::test]
async fn what_is_held_stays_until_it_is_released() {
    let store = Store::with(&fixture::events(1..=20)).await;
    let ran = store.audit(&[
        "retention",
        "hold",
        "place",
        "case-17",
        "--reason",
        "a letter",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = store.audit(&["retention", "hold", "ls", "-o", "json"]);
    let holds: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&holds[0]["name"], &holds[0]["reason"]),
        (&"case-17".into(), &"a letter".into())
    );
    let ran = store.audit(&["retention", "apply", "--keep-days", "1", "--yes"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "0 events removed\n"),
        "{ran:?}"
    );

    assert_eq!(
        store
            .audit(&["retention", "hold", "release", "case-18"])
            .code,
        3
    );
    assert_eq!(
        store
            .audit(&["retention", "hold", "release", "case-17"])
            .code,
        0
    );
    let ran = store.audit(&["retention", "apply", "--keep-days", "1", "--yes"]);
    assert_eq!(ran.out, "20 events removed\n", "{ran:?}");
    let ran = store.audit(&[
        "retention",
        "hold",
        "place",
        "x",
        "--reason",
        "",
        "--since",
        "2026-03-02",
        "--until",
        "2026-03-01",
    ]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

//! `export`: files that are whole, and those that are not.

use std::fs;

use audit_core::AuditEvent;
use audit_testkit::fixture;

use crate::store::Store;

fn read(text: &str) -> Vec<AuditEvent> {
    let lines: Vec<&str> = text.lines().collect();
    let (end, events) = lines.split_last().unwrap();
    assert!(end.starts_with("{\"audit_export\":"), "{end}");
    events
        .iter()
        .map(|line| AuditEvent::from_json(line).unwrap())
        .collect()
}

#[tokio::test]
async fn an_export_of_many_events_is_the_store() {
    let events = fixture::events(1..=10_240);
    let store = Store::with(&events).await;
    let file = store.beside("all.jsonl");
    let path = file.to_str().unwrap();
    let ran = store.audit(&["export", "--to", path]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
    assert!(ran.err.contains("10240 events, "), "{ran:?}");
    assert_eq!(read(&fs::read_to_string(&file).unwrap()), events);
    assert!(!store.beside("all.jsonl.partial").exists());
    assert!(!store.beside("all.jsonl.plan").exists());

    let zipped = store.beside("all.zst");
    let ran = store.audit(&["export", "--zstd", "--to", zipped.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let text = zstd::decode_all(fs::File::open(&zipped).unwrap()).unwrap();
    assert!(text == fs::read(&file).unwrap());
    for file in [path, zipped.to_str().unwrap()] {
        let ran = store.audit(&["export", "--verify", file]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains("whole, 10240 rows, SHA-256"), "{ran:?}");
    }
}

#[tokio::test]
async fn a_file_that_was_cut_is_incomplete() {
    let store = Store::with(&fixture::events(1..=50)).await;
    let file = store.beside("x.jsonl");
    let path = file.to_str().unwrap();
    assert_eq!(store.audit(&["export", "--to", path]).code, 0);
    let whole = fs::read(&file).unwrap();
    for end in [0, 1, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..end]).unwrap();
        let ran = store.audit(&["export", "--verify", path]);
        assert_eq!(ran.code, 5, "{end}: {ran:?}");
        assert!(ran.err.contains("the file was cut"), "{ran:?}");
    }
    let ran = store.audit(&["export", "--verify", "nowhere.jsonl"]);
    assert_eq!(ran.code, 3, "{ran:?}");
}

#[tokio::test]
async fn to_standard_output_goes_nothing_but_rows() {
    let store = Store::with(&fixture::events(1..=5)).await;
    let ran = store.audit(&["export", "--to", "-", "--format", "csv", "tool:search"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("id,ts,api_key_id,"), "{ran:?}");
    assert_eq!(ran.out.lines().count(), 7, "{ran:?}");
    let ran = store.audit(&["export", "--to", "-", "--format", "ocsf"]);
    assert_eq!(ran.out.matches("\"class_uid\":6003").count(), 5, "{ran:?}");
    let ran = store.audit(&["export", "--to", "-", "--resume"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[tokio::test]
async fn nothing_is_overwritten_unless_somebody_says_so() {
    let store = Store::with(&fixture::events(1..=5)).await;
    let file = store.beside("x.jsonl");
    let path = file.to_str().unwrap();
    fs::write(&file, "mine").unwrap();
    let ran = store.audit(&["export", "--to", path]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("--force"), "{ran:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(store.audit(&["export", "--force", "--to", path]).code, 0);
    assert_eq!(read(&fs::read_to_string(&file).unwrap()).len(), 5);
}

#[tokio::test]
async fn an_interrupted_export_goes_on_to_the_same_bytes() {
    let events = fixture::events(1..=3_000);
    let store = Store::with(&events).await;
    for (name, is_zipped) in [("a.jsonl", false), ("a.zst", true)] {
        let file = store.beside(name);
        let path = file.to_str().unwrap();
        let mut arguments = vec!["export", "--to", path, "tool:search"];
        if is_zipped {
            arguments.push("--zstd");
        }
        assert_eq!(store.audit(&arguments).code, 0);
        let whole = fs::read(&file).unwrap();

        // As an export leaves it that is killed.
        fs::remove_file(&file).unwrap();
        let part = &whole[..whole.len() * 2 / 3];
        fs::write(store.beside(&format!("{name}.partial")), part).unwrap();
        let plan = serde_json::json!({
            "version": 1,
            "store": store.address(),
            "asked": "tool:search",
            "filter": "tool:\"search\"",
            "format": "jsonl",
            "zstd": is_zipped,
            "through": events.last().unwrap().id.to_string(),
            "replace": false,
        });
        fs::write(store.beside(&format!("{name}.plan")), plan.to_string()).unwrap();

        let ran = store.audit(&["export", "--to", path]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("--resume"), "{ran:?}");
        let ran = store.audit(&["export", "--to", path, "--resume", "tool:other"]);
        assert_eq!(ran.code, 2, "{ran:?}");
        let ran = store.audit(&["export", "--to", path, "--resume"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(fs::read(&file).unwrap() == whole, "{name}");
        let ran = store.audit(&["export", "--to", path, "--resume"]);
        assert_eq!(ran.code, 3, "{ran:?}");
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let store = Store::with(&fixture::events(1..=2)).await;
    let ran = store.audit(&["export", "--to", "/nowhere/at/all.jsonl"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("/nowhere/at/all.jsonl"), "{ran:?}");
    assert_eq!(Store::none().audit(&["export", "--to", "-"]).code, 3);
}

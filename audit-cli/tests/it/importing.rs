//! `import`: what was exported, and what somebody else wrote.

use std::fs;

use audit_core::AuditEvent;
use audit_testkit::{fixture, strategy};
use proptest::prelude::*;

use crate::secret;
use crate::store::Store;

fn export(store: &Store, name: &str) -> String {
    let path = store.beside(name).to_str().unwrap().to_owned();
    let ran = store.audit(&["export", "--force", "--to", &path]);
    assert_eq!(ran.code, 0, "{ran:?}");
    path
}

/// As the last line of an export is, for rows that somebody wrote.
pub(crate) fn with_end(rows: impl AsRef<[u8]>) -> Vec<u8> {
    use sha2::Digest as _;
    let rows = rows.as_ref();
    let hash = sha2::Sha256::digest(rows);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let n = rows.iter().filter(|byte| **byte == b'\n').count();
    let end = format!("{{\"audit_export\":{{\"rows\":{n},\"sha256\":\"{hex}\"}}}}\n");
    [rows, end.as_bytes()].concat()
}

#[tokio::test]
async fn an_export_comes_back_whole_and_once() {
    let mut events = fixture::events(1..=1_200);
    events.push(fixture::full_event(1_201));
    let store = Store::with(&events).await;
    let file = export(&store, "x.jsonl");
    let other = Store::none();
    let ran = other.audit(&["import", &file]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
    assert!(
        ran.err
            .contains("1201 events stored, 0 there before, 0 refused"),
        "{ran:?}"
    );
    assert_eq!(other.events(), events);
    let ran = other.audit(&["import", &file]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.err.contains("0 events stored, 1201 there before"),
        "{ran:?}"
    );
    // The store it came from has them too.
    let ran = store.audit(&["import", &file]);
    assert!(ran.err.contains("1201 there before, 0 refused"), "{ran:?}");
}

#[tokio::test]
async fn what_was_cut_is_imported_as_far_as_it_goes() {
    let events = fixture::events(1..=10);
    let store = Store::with(&events).await;
    let file = export(&store, "x.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    let sixth = text.match_indices('\n').nth(5).unwrap().0;
    fs::write(&file, &text[..sixth + 20]).unwrap();
    let other = Store::none();
    let ran = other.audit(&["import", &file]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("the file was cut"), "{ran:?}");
    assert_eq!(other.events(), events[..6]);
}

#[tokio::test]
async fn lines_that_are_none_are_told_by_number_and_the_others_are_stored() {
    let events = fixture::events(1..=4);
    let store = Store::none();
    let mut lines: Vec<String> = events.iter().map(AuditEvent::to_json).collect();
    lines[1] = "{\"schema\":1}".to_owned();
    lines[2] = lines[2].replace("\"schema\":1", "\"schema\":99");
    let file = store.beside("x.jsonl");
    fs::write(&file, with_end(lines.join("\n") + "\n")).unwrap();
    let ran = store.audit(&["import", file.to_str().unwrap()]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("line 2: "), "{ran:?}");
    assert!(
        ran.err.contains("line 3: ") && ran.err.contains("schema 99"),
        "{ran:?}"
    );
    assert_eq!(store.events(), [events[0].clone(), events[3].clone()]);
}

#[tokio::test]
async fn the_same_id_with_other_content_is_refused_by_number() {
    let store = Store::with(&fixture::events([1])).await;
    let (_, other) = fixture::conflicts(1).swap_remove(0);
    let file = store.beside("x.jsonl");
    fs::write(&file, with_end(other.to_json() + "\n")).unwrap();
    let ran = store.audit(&["import", file.to_str().unwrap()]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(
        ran.err.contains("line 1: the store holds the same id"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn secrets_that_somebody_wrote_into_a_file_do_not_come_in() {
    let (token, password) = (secret::token(11), secret::password(12));
    let line = fixture::full_event(1).to_json();
    let mut event: serde_json::Value = serde_json::from_str(&line).unwrap();
    event["request_json"] =
        serde_json::json!({"password": password, "note": format!("see {token}")});
    event["response_json"] = serde_json::json!([format!("Bearer {token}"), {"tenant_ref": "t-1"}]);
    event["tool_name"] = format!("tool {token}").into();
    event["api_key_id"] = token.clone().into();
    event["session_id"] = token.clone().into();
    event["decision"]["authz"]["reason"] = format!("no scope for {token}").into();
    event["client"]["name"] = token.clone().into();
    event["upstream"] = token.clone().into();
    let store = Store::none();
    let policy = store.beside("policy.toml");
    fs::write(&policy, "[payload]\nredact_keys = [\"tenant ref\"]\n").unwrap();
    let file = store.beside("x.jsonl");
    fs::write(&file, with_end(event.to_string() + "\n")).unwrap();
    let ran = store.audit(&[
        "import",
        file.to_str().unwrap(),
        "--policy",
        policy.to_str().unwrap(),
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.err.contains("1 events stored") && ran.err.contains("1 redacted anew"),
        "{ran:?}"
    );

    let stored = store.events().swap_remove(0).to_json();
    assert!(stored.contains("[REDACTED:operator_key]"), "{stored}");
    let files = fs::read_dir(store.path().parent().unwrap()).unwrap();
    for entry in files.map(|entry| entry.unwrap().path()) {
        let is_store = entry.to_str().unwrap().contains("audit.db");
        let bytes = fs::read(&entry).unwrap();
        for secret in [&token, &password] {
            let holds = bytes
                .windows(secret.len())
                .any(|it| it == secret.as_bytes());
            assert!(!(is_store && holds), "{}", entry.display());
            assert!(!stored.contains(secret.as_str()), "{stored}");
        }
    }
    // Importing it again changes nothing.
    let ran = store.audit(&[
        "import",
        file.to_str().unwrap(),
        "--policy",
        policy.to_str().unwrap(),
    ]);
    assert!(ran.err.contains("1 there before"), "{ran:?}");
}

#[tokio::test]
async fn what_cannot_be_read_back_is_refused_before_anything_is_stored() {
    let store = Store::with(&fixture::events(1..=3)).await;
    for format in ["csv", "ocsf"] {
        let file = store.beside(format);
        let path = file.to_str().unwrap();
        assert_eq!(
            store
                .audit(&["export", "--format", format, "--to", path])
                .code,
            0
        );
        let other = Store::none();
        let ran = other.audit(&["import", path]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("cannot be read back"), "{ran:?}");
        assert_eq!(other.events(), []);
    }
    assert_eq!(store.audit(&["import", "nowhere"]).code, 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn any_events_come_back_as_they_were(events in strategy::batches(20)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let store = runtime.block_on(Store::with(&events));
        let file = export(&store, "x.jsonl");
        let other = Store::none();
        let ran = other.audit(&["import", &file]);
        prop_assert_eq!(ran.code, 0, "{:?}", ran);
        prop_assert_eq!(other.events(), store.events());
    }
}

//! `import`: files that somebody else wrote, perhaps with bad intent.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::Command;

use audit_core::AuditEvent;
use audit_testkit::fixture;

use crate::importing::with_end;
use crate::store::{Ran, Store, ran};

fn import(store: &Store, bytes: impl AsRef<[u8]>) -> Ran {
    let file = store.beside("x.jsonl");
    fs::write(&file, bytes).unwrap();
    store.audit(&["import", file.to_str().unwrap()])
}

fn rows(events: &[AuditEvent]) -> String {
    events.iter().map(|event| event.to_json() + "\n").collect()
}

#[tokio::test]
async fn lines_that_nobody_can_read_are_refused_one_by_one() {
    let store = Store::none();
    let events = fixture::events(1..=2);
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let mut event: serde_json::Value = serde_json::from_str(&events[0].to_json()).unwrap();
    event["request_json"] = "deep".into();
    let nested = event.to_string().replace("\"deep\"", &deep);
    let mut text = rows(&events[..1]).into_bytes();
    for line in [
        nested.as_bytes(),
        b"\xff\xfe",
        b"",
        b"null",
        b"{\"a\":",
        deep.as_bytes(),
    ] {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text.extend_from_slice(rows(&events[1..]).as_bytes());
    let ran = import(&store, with_end(&text));
    assert_eq!(ran.code, 5, "{ran:?}");
    for line in 3..=7 {
        assert!(ran.err.contains(&format!("line {line}: ")), "{ran:?}");
    }
    assert!(ran.err.contains("not UTF-8"), "{ran:?}");
    let ids: Vec<_> = store.events().iter().map(|event| event.id).collect();
    assert!(ids.contains(&events[0].id) && ids.contains(&events[1].id));
}

#[tokio::test]
async fn an_end_that_is_not_true_is_told_and_what_was_read_is_stored() {
    let events = fixture::events(1..=3);
    let text = String::from_utf8(with_end(rows(&events))).unwrap();
    let (body, end) = text.split_at(rows(&events).len());
    for (text, says) in [
        (
            body.replacen("\"ok\"", "\"timeout\"", 1) + end,
            "not what was exported",
        ),
        (format!("{text}{end}"), "behind the last line"),
        (format!("{text}{body}"), "behind the last line"),
    ] {
        let store = Store::none();
        let ran = import(&store, text);
        assert_eq!(ran.code, 5, "{ran:?}");
        assert!(ran.err.contains(says), "{ran:?}");
        assert!(ran.err.contains("imported as far as it goes"), "{ran:?}");
        assert_eq!(store.events().len(), 3);
    }
}

#[tokio::test]
async fn an_id_that_comes_twice_in_a_file_is_stored_as_it_came_first() {
    let store = Store::none();
    let first = fixture::event(1);
    let (_, other) = fixture::conflicts(1).swap_remove(0);
    let ran = import(
        &store,
        with_end(rows(&[first.clone(), other, first.clone()])),
    );
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(
        ran.err
            .contains("1 events stored, 1 there before, 1 refused"),
        "{ran:?}"
    );
    assert!(
        ran.err.contains("line 2: the store holds the same id"),
        "{ran:?}"
    );
    assert_eq!(store.events(), [first]);
}

#[tokio::test]
async fn what_events_printed_comes_in_and_is_said_to_have_no_end() {
    let events = fixture::events(1..=3);
    let store = Store::with(&events).await;
    let printed = store.audit(&["events", "--reverse", "-o", "jsonl"]).out;
    let other = Store::none();
    let ran = import(&other, printed);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("3 events stored"), "{ran:?}");
    assert!(
        ran.err.contains("what `audit events` prints has none"),
        "{ran:?}"
    );
    assert_eq!(other.events(), events);
}

#[tokio::test]
async fn of_what_is_no_export_nothing_is_imported() {
    let store = Store::none();
    for text in ["", "root:x:0:0\n", "(\u{1b}[2J\n"] {
        let ran = import(&store, text);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.err.contains("nothing of ") && !ran.err.contains('\u{1b}'),
            "{ran:?}"
        );
    }
    let folder = store.beside("folder");
    fs::create_dir(&folder).unwrap();
    let ran = store.audit(&["import", folder.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{ran:?}");
}

/// A file that is small and has a text of two gigabytes, imported in one.
#[tokio::test]
async fn a_line_without_an_end_takes_little_memory() {
    let store = Store::none();
    let file = store.beside("x.zst");
    let mut writer = zstd::Encoder::new(File::create(&file).unwrap(), 1).unwrap();
    writer
        .write_all(rows(&fixture::events([1])).as_bytes())
        .unwrap();
    let part = vec![b'{'; 16 << 20];
    for _ in 0..128 {
        writer.write_all(&part).unwrap();
    }
    writer.finish().unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "ulimit -v 1048576 && exec \"$@\"", "sh"]);
    command
        .arg(env!("CARGO_BIN_EXE_audit"))
        .arg("import")
        .arg(&file);
    command.args(["--store", &store.address()]);
    let ran = ran(command);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("line 2 is none of an export"), "{ran:?}");
    assert_eq!(store.events(), fixture::events([1]));
}

/// As `2>&1 | head -1` does.
#[tokio::test]
async fn an_import_goes_on_where_nobody_reads_what_it_tells() {
    let store = Store::none();
    let file = store.beside("x.jsonl");
    let events = fixture::events(1..=3);
    fs::write(&file, with_end(format!("{}null\n", rows(&events)))).unwrap();
    let mut command = store.command(&["import", file.to_str().unwrap()]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stderr(writer);
    assert_eq!(command.status().unwrap().code(), Some(5));
    assert_eq!(store.events(), events);
}

//! `events --follow`, `tail`.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use audit_core::AuditEvent;
use audit_testkit::fixture;

use crate::store::{Ran, Store};

struct Follower {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Follower {
    fn start(store: &Store, arguments: &[&str]) -> Self {
        let mut command = store.command(arguments);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn id(&mut self) -> String {
        let line = self.line();
        AuditEvent::from_json(&line).unwrap().id.to_string()
    }

    fn ended(self) -> Ran {
        let output = self.child.wait_with_output().unwrap();
        Ran {
            out: String::new(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap_or(-1),
        }
    }
}

#[tokio::test]
async fn a_tail_begins_with_what_is_there_and_goes_on() {
    let events = fixture::events(1..=8);
    let store = Store::with(&events[..5]).await;
    let mut tail = Follower::start(&store, &["tail", "-n", "2", "-o", "jsonl"]);
    assert_eq!(tail.id(), events[3].id.to_string());
    assert_eq!(tail.id(), events[4].id.to_string());
    store.append(&events[5..]).await;
    for event in &events[5..] {
        assert_eq!(tail.id(), event.id.to_string());
    }
    let id = rustix::process::Pid::from_child(&tail.child);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let ran = tail.ended();
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
}

#[tokio::test]
async fn a_cursor_file_keeps_the_place_across_runs() {
    let events = fixture::events(1..=9);
    let store = Store::with(&events[..4]).await;
    let cursor = store.beside("cursor");
    let arguments = |n: &'static str| {
        let cursor = cursor.to_str().unwrap().to_owned();
        move |store: &Store| {
            store.audit(&[
                "events",
                "--follow",
                "--cursor-file",
                &cursor,
                "-n",
                n,
                "-o",
                "jsonl",
            ])
        }
    };
    let ids = |ran: &Ran| -> Vec<String> {
        assert_eq!(ran.code, 0, "{ran:?}");
        let lines = ran.out.lines();
        lines
            .map(|line| AuditEvent::from_json(line).unwrap().id.to_string())
            .collect()
    };
    let expected = |range: std::ops::Range<usize>| -> Vec<String> {
        events[range].iter().map(|it| it.id.to_string()).collect()
    };
    assert_eq!(ids(&arguments("3")(&store)), expected(0..3));
    store.append(&events[4..]).await;
    assert_eq!(ids(&arguments("1")(&store)), expected(3..4));
    assert_eq!(ids(&arguments("5")(&store)), expected(4..9));
    assert!(!store.beside("cursor.new").exists());
}

#[tokio::test]
async fn what_follows_waits_for_what_is_stored_late() {
    let events = fixture::events(1..=4);
    let store = Store::with(&events[2..]).await;
    let cursor = store.beside("cursor");
    let cursor = cursor.to_str().unwrap();
    let arguments = [
        "events",
        "--follow",
        "--cursor-file",
        cursor,
        "-o",
        "csv",
        "--fields",
        "id",
    ];
    let mut follower = Follower::start(&store, &arguments);
    assert_eq!(follower.line(), "id");
    assert_eq!(follower.line(), events[2].id.to_string());
    assert_eq!(follower.line(), events[3].id.to_string());
    // Calls that began before those that were printed.
    store.append(&events[..2]).await;
    assert_eq!(follower.line(), events[0].id.to_string());
    assert_eq!(follower.line(), events[1].id.to_string());
    follower.child.kill().unwrap();
    follower.ended();
}

#[tokio::test]
async fn a_place_that_is_none_and_a_value_without_an_end_are_refused() {
    let store = Store::with(&fixture::events(1..=2)).await;
    let cursor = store.beside("cursor");
    std::fs::write(&cursor, "no place at all\n").unwrap();
    let path = cursor.to_str().unwrap();
    for arguments in [
        &["events", "--follow", "--cursor-file", path][..],
        &["events", "--cursor-file", path],
        &["events", "--follow", "--reverse"],
        &["tail", "-o", "json"],
    ] {
        let ran = store.audit(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
    }
}

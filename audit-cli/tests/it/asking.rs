//! `events`, `show`, `stats`, `doctor`.

use audit_core::event::{AuditEvent, EventId, Outcome, Seq, Timestamp, ToolName};
use audit_testkit::fixture;

use crate::store::Store;

/// Events whose ids rise with their numbers, of one writer.
fn events(n: u64) -> Vec<AuditEvent> {
    (1..=n).map(fixture::event).collect()
}

fn ids(lines: &str) -> Vec<String> {
    lines
        .lines()
        .map(|line| AuditEvent::from_json(line).unwrap().id.to_string())
        .collect()
}

#[tokio::test]
async fn events_are_listed_newest_first_as_whole_lines_of_json() {
    let events = events(5);
    let store = Store::with(&events).await;
    let ran = store.audit(&["events", "-n", "3"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    let expected: Vec<String> = events
        .iter()
        .rev()
        .take(3)
        .map(|it| it.to_json() + "\n")
        .collect();
    assert_eq!(ran.out, expected.concat());
}

#[tokio::test]
async fn more_events_than_a_page_holds_are_listed_once_each() {
    let events = events(2_300);
    let store = Store::with(&events).await;
    let ran = store.audit(&["events", "-n", "2200"]);
    let expected: Vec<String> = events
        .iter()
        .rev()
        .take(2_200)
        .map(|it| it.id.to_string())
        .collect();
    assert_eq!(ids(&ran.out), expected);
    assert_eq!(store.audit(&["events", "-n", "0"]).out, "");
}

#[tokio::test]
async fn a_filter_and_a_time_narrow_the_list() {
    let events = events(4);
    let store = Store::with(&events).await;
    let since = events[2].ts.to_string();
    let ran = store.audit(&["events", "--since", &since]);
    assert_eq!(
        ids(&ran.out),
        [events[3].id.to_string(), events[2].id.to_string()]
    );
    let ran = store.audit(&[
        "events",
        "--until",
        &since,
        "--",
        &format!("-id:{}", events[0].id),
    ]);
    assert_eq!(
        ids(&ran.out),
        [events[2].id.to_string(), events[1].id.to_string()]
    );
    let ran = store.audit(&["events", "tool:nowhere"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert!(ran.err.contains("no such events"), "{ran:?}");
}

#[tokio::test]
async fn a_table_shows_stored_text_so_that_no_terminal_obeys_it() {
    let event = fixture::draft(1)
        .tool_name(ToolName::new("\u{1b}]0;owned\u{7}\u{202e}tool").unwrap())
        .outcome(Outcome::Denied)
        .stamp(fixture::writer(), Seq::FIRST)
        .unwrap();
    let store = Store::with(std::slice::from_ref(&event)).await;
    for arguments in [
        &["events", "-o", "table"][..],
        &["show", &event.id.to_string(), "-o", "table"],
    ] {
        let ran = store.audit(arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains("denied"), "{}", ran.out);
        assert!(ran.out.contains("owned"), "{}", ran.out);
        let obeyed = |it: char| (it.is_control() && it != '\n') || it == '\u{202e}';
        assert!(!ran.out.contains(obeyed), "{:?}", ran.out);
    }
}

#[tokio::test]
async fn one_event_is_shown_with_all_that_it_says() {
    let event = fixture::full_event(1);
    let store = Store::with(std::slice::from_ref(&event)).await;
    let id = event.id.to_string();
    assert_eq!(store.audit(&["show", &id]).out, event.to_json() + "\n");

    let shown = store.audit(&["show", &id, "--output", "table"]).out;
    for text in [
        id.as_str(),
        event.role.as_str(),
        event.method.as_str(),
        event.outcome.as_str(),
        event.session_id.as_ref().unwrap().as_str(),
        event.client.name.as_ref().unwrap().as_str(),
        "request",
        "response",
        "as it claims",
    ] {
        assert!(shown.contains(text), "{text} is not in\n{shown}");
    }
}

#[tokio::test]
async fn what_is_not_there_has_an_exit_code_of_its_own() {
    let store = Store::with(&events(1)).await;
    let other = EventId::new(Timestamp::from_micros(1).unwrap(), 1).to_string();
    let ran = store.audit(&["show", &other]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    assert!(
        ran.err.contains("no event") && ran.err.contains(&other),
        "{ran:?}"
    );

    let ran = Store::none().audit(&["events"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""));
    assert!(ran.err.contains("audit demo"), "{ran:?}");
}

#[tokio::test]
async fn calls_are_counted_by_what_the_user_names() {
    let store = Store::with(&events(10)).await;
    let ran = store.audit(&["stats", "outcomes", "--since", "1970-01-02"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    let n: u64 = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|line| line["calls"].as_u64().unwrap())
        .sum();
    assert_eq!(n, 10);
    // The fixtures are of a time long ago: a day back there is nothing.
    assert_eq!(store.audit(&["stats"]).out, "");
    let table = store
        .audit(&["stats", "-o", "table", "--since", "1970-01-02"])
        .out;
    assert!(
        table.starts_with("TOOL") && table.contains("P95 MS"),
        "{table}"
    );
}

#[tokio::test]
async fn the_doctor_finds_numbers_that_are_missing() {
    let mut events = events(6);
    let whole = Store::with(&events).await;
    let ran = whole.audit(&["doctor"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("no number is missing"), "{ran:?}");

    events.remove(2);
    let ran = Store::with(&events).await.audit(&["doctor"]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.out.contains("1 numbers of the writer"), "{ran:?}");
}

#[tokio::test]
async fn the_list_has_the_form_that_is_asked_for() {
    let events = events(3);
    let store = Store::with(&events).await;
    let ran = store.audit(&["events", "-o", "json", "--reverse"]);
    let listed: Vec<serde_json::Value> = serde_json::from_str(&ran.out).unwrap();
    let ids: Vec<&str> = listed.iter().map(|it| it["id"].as_str().unwrap()).collect();
    let expected: Vec<String> = events.iter().map(|it| it.id.to_string()).collect();
    assert_eq!(ids, expected);
    assert_eq!(
        store.audit(&["events", "-o", "json", "-n", "0"]).out,
        "[]\n"
    );

    let ran = store.audit(&[
        "events",
        "-o",
        "csv",
        "--fields",
        "seq,tool_name,request_json",
    ]);
    let expected = "seq,tool_name,request_json\n\
                    3,search,\"{\"\"query\"\":3}\"\n\
                    2,search,\"{\"\"query\"\":2}\"\n\
                    1,search,\"{\"\"query\"\":1}\"\n";
    assert_eq!(ran.out, expected);
    let ran = store.audit(&[
        "events",
        "-o",
        "jsonl",
        "--fields",
        "tool_name,session_id",
        "-n",
        "1",
    ]);
    assert_eq!(ran.out, "{\"tool_name\":\"search\",\"session_id\":null}\n");
    let ran = store.audit(&[
        "events",
        "-o",
        "table",
        "--fields",
        "tool_name,seq",
        "-n",
        "1",
    ]);
    assert_eq!(ran.out, "TOOL NAME  SEQ\nsearch       3\n");
    let ran = store.audit(&["events", "--fields", "tool"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("tool_name"), "{ran:?}");
}

#[tokio::test]
async fn json_and_cells_are_obeyed_by_no_terminal_and_opened_by_no_spreadsheet() {
    let event = fixture::draft(1)
        .tool_name(ToolName::new("=1+1\u{9b}31m\u{202e}").unwrap())
        .stamp(fixture::writer(), Seq::FIRST)
        .unwrap();
    let store = Store::with(std::slice::from_ref(&event)).await;
    for format in ["json", "jsonl", "csv"] {
        let ran = store.audit(&["events", "-o", format]);
        let obeyed = |it: char| (it.is_control() && it != '\n') || it == '\u{202e}';
        assert!(!ran.out.contains(obeyed), "{:?}", ran.out);
        match format {
            "csv" => assert!(ran.out.contains(",'=1+1"), "{}", ran.out),
            "jsonl" => assert_eq!(AuditEvent::from_json(ran.out.trim_end()).unwrap(), event),
            _ => {}
        }
    }
}

#[tokio::test]
async fn an_event_is_shown_among_its_neighbors() {
    let mut events = events(6);
    // Of another session than the fourth: no neighbor of it.
    events.push(fixture::full_event(7));
    let store = Store::with(&events).await;
    let id = events[3].id.to_string();
    let ran = store.audit(&["show", &id, "--context", "2"]);
    let expected: Vec<String> = events[1..6].iter().map(|it| it.id.to_string()).collect();
    assert_eq!(ids(&ran.out), expected);
    let table = store
        .audit(&["show", &id, "--context", "1", "-o", "table"])
        .out;
    assert!(
        table
            .lines()
            .any(|line| line.starts_with('>') && line.contains(&id)),
        "{table}"
    );

    let with_session = events[6].id.to_string();
    let ran = store.audit(&["show", &with_session, "--context", "5"]);
    assert_eq!(ids(&ran.out), [with_session.clone()]);
    assert_eq!(store.audit(&["show", &id, "--context", "5000"]).code, 2);
}

#[tokio::test]
async fn every_figure_is_there_in_every_form() {
    let store = Store::with(&events(10)).await;
    let since = ["--since", "1970-01-02"];
    for by in ["tools", "keys", "roles", "outcomes", "latency", "hourly"] {
        let arguments = [&["stats", by, "-o", "csv"][..], &since].concat();
        let ran = store.audit(&arguments);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
        let mut lines = ran.out.lines();
        assert_eq!(
            lines.next(),
            Some("key,calls,ok,refused,failed,p50_ms,p95_ms,p99_ms,max_ms")
        );
        let calls: u64 = lines
            .map(|line| line.split(',').nth(1).unwrap().parse::<u64>().unwrap())
            .sum();
        assert_eq!(calls, 10, "{by}");
        let arguments = [&["stats", by, "-o", "json"][..], &since].concat();
        let rows: Vec<serde_json::Value> =
            serde_json::from_str(&store.audit(&arguments).out).unwrap();
        assert!(!rows.is_empty(), "{by}");
    }
}

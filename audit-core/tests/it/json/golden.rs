//! The form is fixed by files: what is written today is what stores hold for years.
//!
//! A test that fails here says that the form changed. A new optional field is a new file beside
//! the old ones, which must still be read; anything else is a new schema version.

use audit_core::event::{AuditEvent, Outcome};
use audit_testkit::fixture;

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("../../golden/", $name)).trim_end()
    };
}

/// Both ways: the event is written as the file says, and the file is read as the event.
#[track_caller]
fn is_written_and_read_as(event: &AuditEvent, golden: &str) {
    assert_eq!(event.to_json(), golden);
    assert_eq!(AuditEvent::from_json(golden).unwrap(), *event);
}

#[test]
fn the_smallest_event() {
    let event = fixture::stamp(fixture::draft(1), 1);
    is_written_and_read_as(&event, golden!("smallest.json"));
}

#[test]
fn an_event_with_every_field() {
    is_written_and_read_as(&fixture::full_event(7), golden!("full.json"));
}

#[test]
fn an_event_whose_payloads_were_redacted_and_cut() {
    let long = format!("{{\"text\":\"{}\"}}", "word ".repeat(300));
    let draft = fixture::draft(3)
        .request(fixture::payload(
            r#"{"password":"x1","depth":[[[[[[[1]]]]]]]}"#,
        ))
        .response(fixture::payload(&long));
    is_written_and_read_as(&fixture::stamp(draft, 3), golden!("redacted.json"));
}

#[test]
fn an_event_of_each_outcome() {
    let lines: Vec<&str> = golden!("outcomes.jsonl").lines().collect();
    assert_eq!(lines.len(), Outcome::ALL.len());
    for ((number, outcome), line) in (1..).zip(Outcome::ALL).zip(lines) {
        let event = fixture::stamp(fixture::draft(number).outcome(*outcome), number);
        is_written_and_read_as(&event, line);
    }
}

#[test]
fn a_summary_is_the_event_without_payloads() {
    let summary = fixture::full_event(7).summary();
    let written = serde_json::to_string(&summary).unwrap();
    assert_eq!(written, golden!("summary.json"));
}

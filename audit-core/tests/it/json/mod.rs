//! The JSON form of an event.

mod debug;
mod golden;
mod invalid;
mod round_trip;
mod tolerant;

use audit_core::event::{AuditEvent, InvalidEvent};
use audit_testkit::fixture;
use serde_json::Value;

/// The JSON of an event with every field, changed.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut json: Value = serde_json::from_str(&fixture::full_event(7).to_json()).unwrap();
    change(&mut json);
    json.to_string()
}

fn refused(json: &str) -> InvalidEvent {
    AuditEvent::from_json(json).expect_err(json)
}

/// What a reader of logs sees of an error: its text and that of whatever is behind it.
fn whole_text(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    text
}

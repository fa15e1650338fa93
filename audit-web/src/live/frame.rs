//! The messages of a stream, as server-sent events.

use audit_core::event::AuditEvent;
use audit_core::reader::FollowPosition;
use serde_json::{Value, json};

/// What a browser waits before it connects again, in milliseconds.
pub(super) const RETRY: &str = "retry: 1000\n\n";

/// Says that the connection lives.
pub(super) const HEARTBEAT: &str = ": alive\n\n";

/// One event, without its payloads. Its id is where to go on behind it.
pub(super) fn event(position: &FollowPosition, event: &AuditEvent) -> String {
    // A summary is words, bounded texts and numbers, which always serialize, on one line.
    let data = serde_json::to_string(&event.summary()).unwrap_or_default();
    format!("id: {position}\nevent: audit\ndata: {data}\n\n")
}

/// Everything that is committed was sent, up to this position.
pub(super) fn caught_up(position: &FollowPosition) -> String {
    format!("id: {position}\nevent: caught-up\ndata: {{}}\n\n")
}

/// The client reads too slowly: so many events were committed since the last one that it was sent.
/// They follow.
pub(super) fn behind(n_events: u64) -> String {
    message("behind", &json!({ "n_events": n_events }))
}

/// Nothing more is sent, and this is why.
pub(super) fn end(reason: &'static str) -> String {
    message("end", &json!({ "reason": reason }))
}

fn message(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

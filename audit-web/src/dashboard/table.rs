use std::ops::Deref;

use audit_core::event::{EventId, EventMetadata, EventSummary, PayloadReports};
use maud::{Markup, html};

use super::class::Class;
use super::link;
use super::text::{latency, moment, short};

/// The columns of lists of events. The script builds rows of the live tail alike.
const COLUMNS: [(&str, &str); 8] = [
    ("Began (UTC)", ""),
    ("Outcome", ""),
    ("Tool or method", ""),
    ("Key", ""),
    ("Role", ""),
    ("Status", "n"),
    ("Took", "n"),
    ("Marks", ""),
];

/// Events as a table; each begins with a link to its page.
pub(super) fn events(caption: &str, events: &[EventSummary]) -> Markup {
    drawn(caption, events, None)
}

/// The same, where one of them is the page that the table stands on.
pub(super) fn events_around(caption: &str, events: &[EventSummary], here: EventId) -> Markup {
    drawn(caption, events, Some(here))
}

fn drawn(caption: &str, events: &[EventSummary], here: Option<EventId>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.events {
                caption.vh { (caption) }
                thead {
                    tr {
                        @for (name, class) in COLUMNS { th scope="col" class=[some(class)] { (name) } }
                    }
                }
                tbody { @for event in events { (row(event, here == Some(event.id))) } }
            }
        }
    }
}

/// One event. Thrifty: a page has a hundred of these.
fn row(event: &EventSummary, is_here: bool) -> Markup {
    html! {
        tr aria-current=[is_here.then_some("true")] {
            td { a href=(link::event(event.id)) { (moment(event.ts)) } }
            td class=(Class::of(event.outcome).word()) { (event.outcome) }
            td { (what(event)) }
            td { @if let Some(key) = &event.api_key_id { (short(key.as_str())) } }
            td { (short(event.role.as_str())) }
            td.n { (event.status_code) }
            td.n { (latency(event.latency_ms)) }
            td { (marks(&event.payload_report)) }
        }
    }
}

/// The tool, where it says all, else the method too.
pub(super) fn what(event: &impl Deref<Target = EventMetadata>) -> Markup {
    let method = event.method.as_str();
    html! {
        @match &event.tool_name {
            Some(tool) if method == "tools/call" => (short(tool.as_str())),
            Some(tool) => { (short(method)) " " (short(tool.as_str())) }
            None => i { (short(method)) },
        }
    }
}

/// What was done to the payloads, in as few letters as say it.
fn marks(reports: &PayloadReports) -> Markup {
    let both = [&reports.request, &reports.response];
    let n_redactions: u64 = both
        .iter()
        .filter_map(|report| report.as_ref())
        .map(|report| report.n_redactions())
        .sum();
    let is_cut = both
        .iter()
        .any(|it| it.as_ref().is_some_and(|it| it.truncated));
    html! {
        @if n_redactions > 0 { (n_redactions) " redacted" }
        @if n_redactions > 0 && is_cut { ", " }
        @if is_cut { "cut" }
    }
}

fn some(class: &str) -> Option<&str> {
    (!class.is_empty()).then_some(class)
}

use audit_core::Glob;
use audit_core::event::{EventMetadata, PayloadReports};
use audit_core::reader::{Condition, Filter, TextField};
use audit_core::visible;
use maud::{Markup, html};

use super::super::link;
use super::super::subject::Kind;
use super::super::text::{bytes, counted, exact, latency};

/// Who, what and when. A text leads to the page about it, or to the events that have it too.
pub(super) fn of(event: &EventMetadata, reports: &PayloadReports) -> Markup {
    html! {
        div.groups {
            (group("When", &html! {
                dt { "began" } dd { (exact(event.ts)) }
                dt { "took" } dd { (latency(event.latency_ms)) }
                @if let Some(upstream) = event.upstream_latency_ms {
                    dt { "of that, the server" } dd { (latency(upstream)) }
                }
            }))
            (group("Who", &html! {
                (text(event, TextField::Key, "key"))
                (text(event, TextField::Role, "role"))
                (text(event, TextField::Session, "session"))
                (text(event, TextField::ClientName, "client, as it claims"))
                (text(event, TextField::ClientVersion, "version, as it claims"))
                (text(event, TextField::ClientAddress, "address"))
            }))
            (group("What", &html! {
                (text(event, TextField::Method, "method"))
                (text(event, TextField::Tool, "tool"))
                (text(event, TextField::Upstream, "server"))
                dt { "status" } dd { (event.status_code) }
                (text(event, TextField::RequestId, "request id"))
            }))
            (group("Record", &html! {
                dt { "id" } dd { a href=(link::event(event.id)) { (event.id) } }
                (text(event, TextField::Writer, "written by"))
                dt { "number" } dd { (event.seq) }
                @if let Some(trace) = event.trace_id {
                    dt { "trace" }
                    dd { (listed(Condition::TraceId(trace), &trace.to_string())) }
                }
                @if let Some(span) = event.span_id {
                    dt { "span" }
                    dd { (listed(Condition::SpanId(span), &span.to_string())) }
                }
                (sizes(reports))
            }))
        }
    }
}

fn group(title: &str, facts: &Markup) -> Markup {
    html! { section { h2 { (title) } dl.facts { (facts) } } }
}

fn text(event: &EventMetadata, field: TextField, name: &str) -> Markup {
    let Some(text) = field.of(event) else {
        return html! {};
    };
    html! {
        dt { (name) }
        dd {
            @match Kind::of(field) {
                Some(kind) => a href=(link::subject(kind, text)) { bdi { (visible(text)) } },
                None => (listed(Condition::Text(field, Glob::exact(text)), text)),
            }
        }
    }
}

/// A value that leads to all events that have it.
fn listed(condition: Condition, shown: &str) -> Markup {
    let filter = Filter::all().with(condition).to_string();
    html! { a href=(link::explorer_from_now(&filter)) { bdi { (visible(shown)) } } }
}

fn sizes(reports: &PayloadReports) -> Markup {
    html! {
        @for (name, report) in [("request", &reports.request), ("response", &reports.response)] {
            @if let Some(report) = report {
                dt { (name) }
                dd {
                    (bytes(report.original_bytes))
                    @if report.n_redactions() > 0 {
                        ", " (counted(report.n_redactions(), "redaction", "redactions"))
                    }
                    @if report.truncated { ", cut" }
                }
            }
        }
    }
}

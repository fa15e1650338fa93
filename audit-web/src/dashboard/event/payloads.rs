use audit_core::event::AuditEvent;
use audit_core::payload::{Coverage, Payload, PayloadFailure, PayloadReport};
use maud::{Markup, html};

use super::super::text::{bytes, counted};
use super::super::tree;

/// What was kept of request and response, and what was done to them.
pub(super) fn shown(event: &AuditEvent) -> Markup {
    html! {
        div.payloads {
            (one("Request", event.request()))
            (one("Response", event.response()))
        }
    }
}

fn one(title: &str, payload: Option<&Payload>) -> Markup {
    html! {
        section {
            h2 { (title) }
            @match payload {
                None => p.empty { "None was handed over." },
                Some(payload) => {
                    (done(payload.report()))
                    @match payload.json() {
                        Some(json) => (tree::drawn(json)),
                        None => p.empty { "Its content was not kept." },
                    }
                }
            }
        }
    }
}

/// What was done to a payload, in words.
fn done(report: &PayloadReport) -> Markup {
    html! {
        ul.report {
            li { (bytes(report.original_bytes)) " came in" }
            @for (rule, n) in &report.redactions {
                li.redacted {
                    (counted((*n).into(), "redaction", "redactions")) " by the rule "
                    code { (audit_core::visible(rule)) }
                }
            }
            @if report.truncated { li.cut { "cut: only a part was kept" } }
            @if report.replaced_characters > 0 {
                li {
                    (counted(report.replaced_characters.into(), "character", "characters"))
                    " replaced that no store takes"
                }
            }
            @if report.coverage == Coverage::Partial {
                li.cut { "not all of it was looked at: " (bytes(report.scanned_bytes)) " were" }
            }
            @if let Some(failure) = report.failure { li.cut { (failed(failure)) } }
        }
    }
}

const fn failed(failure: PayloadFailure) -> &'static str {
    match failure {
        PayloadFailure::Incomplete => "the JSON ended in the middle; its beginning is kept",
        PayloadFailure::Panicked => "the value broke off while it was read",
        PayloadFailure::Withheld => "a credential was found after redaction, so nothing is kept",
        PayloadFailure::Unparseable => "it was no JSON; nothing of it is kept",
        PayloadFailure::Unserializable => "the value could not be read to its end",
        _ => "something went wrong that a later version has a word for",
    }
}

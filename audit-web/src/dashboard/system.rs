use std::sync::Arc;

use audit_core::sink::{Health, Readiness};
use audit_core::visible;
use axum::extract::{RawQuery, State};
use maud::{Markup, html};

use super::layout::{self, Section};
use super::link;
use super::text::{bytes, counted, minute, moment, number, second};
use super::visit::Visit;
use crate::access::Scope;
use crate::api::Query;
use crate::problem::Problem;
use crate::state::Web;
use crate::system::{
    DeadLetterStatus, PartitionStatus, QueueStatus, SinkStatus, SpoolStatus, SystemReport,
};

/// `GET /system`: where events go, what waits, what was refused, and what the table is made of.
pub(super) async fn show(
    visit: Visit,
    State(web): State<Arc<Web>>,
    RawQuery(raw): RawQuery,
) -> Result<Markup, Problem> {
    visit.viewer.needs(Scope::Admin)?;
    Query::parse(raw.as_deref(), &[])?;
    let report = match &web.system {
        Some(system) => Some(system.report().await),
        None => None,
    };
    let content = html! {
        h1 { "System" }
        p.as-of { "As of " (second(web.clock.now())) " UTC" }
        @match &report {
            Some(report) => (parts(report)),
            None => p.empty { "This server was not told how its store is." },
        }
    };
    Ok(layout::page(&visit, Section::System, "System", &content))
}

fn parts(report: &SystemReport) -> Markup {
    html! {
        @for problem in &report.problems { p.problem role="alert" { (visible(problem)) } }
        dl.facts {
            @if let Some(store) = &report.store { dt { "store" } dd { (visible(store)) } }
            @if let Some(schema) = &report.schema { dt { "schema" } dd { (visible(schema)) } }
        }
        div.groups {
            (sinks(&report.sinks))
            @if let Some(queue) = &report.queue { (waiting(queue)) }
            @if let Some(spool) = &report.spool { (spooled(spool)) }
        }
        @if let Some(dead_letters) = &report.dead_letters { (refused(dead_letters)) }
        @if !report.partitions.is_empty() { (partitions(&report.partitions)) }
    }
}

fn sinks(sinks: &[SinkStatus]) -> Markup {
    html! {
        section {
            h2 { "Sinks" }
            ul.checks {
                @for sink in sinks {
                    @let (class, word) = readiness(&sink.health);
                    li class=(class) {
                        b { (visible(&sink.name)) } ": " (word)
                        @if let Some(reason) = &sink.health.reason { "; " (visible(reason)) }
                    }
                }
            }
        }
    }
}

const fn readiness(health: &Health) -> (&'static str, &'static str) {
    match health.readiness {
        Readiness::Ready => ("ok", "takes events"),
        Readiness::Degraded => ("refused", "takes events, and somebody should look"),
        _ => ("failed", "takes no events"),
    }
}

fn waiting(queue: &QueueStatus) -> Markup {
    html! {
        section {
            h2 { "Queue" }
            dl.facts {
                dt { "events" } dd { (number(queue.n_events)) }
                dt { "in memory" } dd { (bytes(queue.n_bytes)) }
                dt { "open calls" } dd { (number(queue.n_open_calls)) }
            }
        }
    }
}

fn spooled(spool: &SpoolStatus) -> Markup {
    html! {
        section {
            h2 { "Spool" }
            dl.facts {
                dt { "events" } dd { (number(spool.n_events)) }
                dt { "on disk" } dd { (bytes(spool.n_bytes)) }
                @if let Some(oldest) = spool.oldest {
                    dt { "oldest call" } dd { (moment(oldest)) }
                }
            }
        }
    }
}

fn refused(letters: &DeadLetterStatus) -> Markup {
    html! {
        section {
            h2 { "Dead letters" }
            p {
                @if letters.is_capped { "At least " }
                (counted(letters.n_events, "event was", "events were")) " refused for good."
            }
            @if !letters.latest.is_empty() {
                div.scroll tabindex="0" role="region" aria-label="Dead letters" {
                    table {
                        caption.vh { "The latest dead letters" }
                        thead {
                            tr {
                                th scope="col" { "Set aside (UTC)" }
                                th scope="col" { "Event" }
                                th scope="col" { "Why" }
                            }
                        }
                        tbody {
                            @for letter in &letters.latest {
                                tr {
                                    td { (moment(letter.set_aside_at)) }
                                    td { a href=(link::event(letter.event_id)) { (letter.event_id) } }
                                    td.wrap { (visible(&letter.reason)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn partitions(partitions: &[PartitionStatus]) -> Markup {
    html! {
        section {
            h2 { "Partitions" }
            div.scroll tabindex="0" role="region" aria-label="Partitions" {
                table {
                    caption.vh { "The parts of the table" }
                    thead {
                        tr {
                            th scope="col" { "Name" }
                            th scope="col" { "From (UTC)" }
                            th scope="col" { "To (UTC)" }
                            th.n scope="col" { "Events, roughly" }
                            th.n scope="col" { "Size" }
                            th scope="col" { "Held by" }
                        }
                    }
                    tbody {
                        @for partition in partitions {
                            tr {
                                th scope="row" { (visible(&partition.name)) }
                                td { (minute(partition.from)) }
                                td { (minute(partition.to)) }
                                td.n { (number(partition.n_events)) }
                                td.n { (bytes(partition.n_bytes)) }
                                td.wrap { (visible(&partition.held_by.join(", "))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

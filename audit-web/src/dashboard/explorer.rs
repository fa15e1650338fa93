use std::sync::Arc;

use audit_core::event::{EventId, EventSummary};
use audit_core::reader::{Cursor, InvalidFilter, Order, Page, PageRequest};
use audit_export::ExportFormat;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::asked::Asked;
use super::layout::{self, Section};
use super::visit::Visit;
use super::{event, help, link, shell, table};
use crate::api::{Query, ask, check_terms, invalid};
use crate::problem::Problem;
use crate::state::Web;

/// What is asked for where nothing is.
pub(super) const FIRST_FILTER: &str = "since:24h";

const ORDERS: [(&str, Order); 2] = [
    ("newest", Order::NewestFirst),
    ("oldest", Order::OldestFirst),
];

/// What a list can be taken away as.
const FORMATS: [ExportFormat; 3] = [ExportFormat::Jsonl, ExportFormat::Csv, ExportFormat::Ocsf];

/// How many rows a page may have.
const SIZES: [usize; 3] = [50, 100, 200];

/// How the list is shown.
#[derive(Clone, Copy, Debug)]
struct View {
    order: Order,
    size: usize,
    /// The event beside the list.
    event: Option<EventId>,
}

/// `GET /explore`: the events of a filter, page by page, one of them beside the list.
pub(super) async fn show(
    visit: Visit,
    State(web): State<Arc<Web>>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let known = ["at", "cursor", "event", "n", "order", "q"];
    let query = Query::parse(raw.as_deref(), &known)?;
    let view = View::read(&query)?;
    let at = Asked::moment(&query, web.clock.now())?;
    let text = query.filter_text("q")?.unwrap_or(FIRST_FILTER);
    let asked = match Asked::parse(text, at) {
        Ok(asked) => asked,
        Err(error) => {
            let content = html! {
                (form(text, view, Some(&error)))
                (help::of_filters())
            };
            let page = layout::page(&visit, Section::Explorer, "Explorer", &content);
            return Ok((StatusCode::BAD_REQUEST, page).into_response());
        }
    };
    check_terms("q", &asked.filter)?;
    let request = request(&query, &asked, view)?;
    let (page, beside) = tokio::join!(ask(web.reader.page(&request)), beside(&web, view));
    let content = html! {
        (form(text, view, None))
        (help::of_filters())
        (found(&visit, &asked, view, &page?, beside?.as_ref()))
    };
    Ok(layout::page(&visit, Section::Explorer, "Explorer", &content).into_response())
}

/// A page that needs a filter, and was given something else.
pub(super) fn unreadable(error: &InvalidFilter) -> Problem {
    invalid("q", error)
}

impl View {
    fn read(query: &Query) -> Result<Self, Problem> {
        let sizes = SIZES.map(|size| (size.to_string(), size));
        let sizes = sizes.each_ref().map(|(word, size)| (word.as_str(), *size));
        Ok(Self {
            order: query.one_of("order", &ORDERS)?.unwrap_or_default(),
            size: query.one_of("n", &sizes)?.unwrap_or(100),
            event: query.read("event")?,
        })
    }

    fn order_word(self) -> &'static str {
        let mut orders = ORDERS.iter();
        let own = orders.find(|(_, order)| *order == self.order);
        own.map_or("", |(word, _)| word)
    }

    /// The list from a cursor on, as it is shown here.
    fn link(self, asked: &Asked, cursor: &Cursor) -> String {
        let (at, cursor) = (link::moment(asked.at), cursor.to_string());
        let size = self.size.to_string();
        let parameters = [
            ("q", asked.text.as_str()),
            ("at", &at),
            ("order", self.order_word()),
            ("n", &size),
            ("cursor", &cursor),
        ];
        link::with("/explore", &parameters)
    }
}

fn request(query: &Query, asked: &Asked, view: View) -> Result<PageRequest, Problem> {
    let request = PageRequest::new(asked.filter.clone()).order(view.order);
    let request = request
        .limit(view.size)
        .map_err(|error| invalid("n", error))?;
    match query.read::<Cursor>("cursor")? {
        Some(cursor) => request
            .cursor(cursor)
            .map_err(|error| invalid("cursor", error)),
        None => Ok(request),
    }
}

/// The event beside the list, without its payloads: those are read on its page.
async fn beside(web: &Web, view: View) -> Result<Option<EventSummary>, Problem> {
    let Some(id) = view.event else {
        return Ok(None);
    };
    let found = ask(web.reader.get(id)).await?;
    Ok(found.map(|event| event.summary()))
}

fn form(text: &str, view: View, error: Option<&InvalidFilter>) -> Markup {
    html! {
        h1.vh { "Explorer" }
        form.ask role="search" method="get" action="/explore" {
            label for="q" { "Filter" }
            input #q name="q" value=(text) type="search" spellcheck="false" autocomplete="off"
                autocapitalize="off" placeholder="tool:delete_* outcome:denied since:24h"
                aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "q-problem")];
            select name="order" aria-label="Order" {
                @for (word, order) in ORDERS {
                    option value=(word) selected[order == view.order] { (word) " first" }
                }
            }
            select name="n" aria-label="Rows" {
                @for size in SIZES {
                    option value=(size) selected[size == view.size] { (size) " rows" }
                }
            }
            button.main { "Search" }
        }
        @if let Some(error) = error {
            p.problem #q-problem role="alert" { "This is no filter. " (error) }
        }
    }
}

fn found(
    visit: &Visit,
    asked: &Asked,
    view: View,
    page: &Page<EventSummary>,
    beside: Option<&EventSummary>,
) -> Markup {
    html! {
        div.explorer data-pane[beside.is_some()] {
            (counts(asked))
            div.list {
                @if page.events.is_empty() {
                    (nothing(asked))
                } @else {
                    (table::events("Events", &page.events))
                    (pager(asked, view, page))
                }
                p.as-of {
                    a href=(link::live(&asked.text)) { "The same live" }
                    @if visit.viewer.may_see_payloads() {
                        " · as a file, with payloads (this is recorded): "
                        @for (at, format) in FORMATS.iter().enumerate() {
                            @if at > 0 { ", " }
                            a href=(link::export(&asked.filter, format)) download { (format) }
                        }
                    }
                }
                (shell::command(&["audit", "events", &asked.text]))
            }
            aside #pane aria-label="Event" {
                @match (beside, view.event) {
                    (Some(event), _) => {
                        a.close href=(without_event(&visit.here)) { "Close" }
                        (event::beside(event))
                    }
                    (None, Some(id)) => p.problem { "There is no event " (id) "." },
                    (None, None) => {}
                }
            }
        }
    }
}

/// The same list with no event beside it.
fn without_event(here: &str) -> String {
    let (path, query) = here.split_once('?').unwrap_or((here, ""));
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "event");
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("{path}?{}", query.extend_pairs(kept).finish())
}

/// The place of the counts. The script takes them there by itself only for a stretch of time: of all
/// that a store ever kept they are asked for.
fn counts(asked: &Asked) -> Markup {
    let href = link::counts(&asked.text, asked.at);
    let is_bounded = asked.span().min.is_some();
    html! {
        div #counts data-load[is_bounded] {
            div.histogram {
                p {
                    a href=(href) { "Count what matches" }
                    ", over time and by outcome, tool, key and role"
                    @if !is_bounded { "; the filter has no beginning, so this may take a while" }
                    "."
                }
            }
            div.facets {}
        }
    }
}

fn nothing(asked: &Asked) -> Markup {
    html! {
        p.empty {
            "No event matches this filter. "
            @if !asked.filter.terms().is_empty() {
                a href=(link::explorer_from_now("")) { "Show all events" }
            }
        }
    }
}

fn pager(asked: &Asked, view: View, page: &Page<EventSummary>) -> Markup {
    html! {
        nav.pager aria-label="Pages of the list" {
            @if let Some(cursor) = &page.previous {
                a rel="prev" href=(view.link(asked, cursor)) { "← previous" }
            }
            span { (page.events.len()) " events" }
            @if let Some(cursor) = &page.next {
                a rel="next" href=(view.link(asked, cursor)) { "next →" }
            }
        }
    }
}

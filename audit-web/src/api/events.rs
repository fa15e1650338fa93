use std::sync::Arc;

use audit_core::event::EventSummary;
use audit_core::reader::{Count, Cursor, Filter, Order, Page, PageRequest};
use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;

use super::ask::ask;
use super::query::{Query, invalid, written};
use crate::access::{Scope, Viewer};
use crate::problem::Problem;
use crate::state::Web;

/// The most that a list counts.
const MOST_COUNTED: u64 = 100_000;

/// The words for the orders of a list.
const ORDERS: [(&str, Order); 2] = [
    ("newest", Order::NewestFirst),
    ("oldest", Order::OldestFirst),
];

/// A page of the list. `filter` is the filter as it was understood, its moments absolute, so that
/// the links lead through one and the same list.
#[derive(Serialize)]
pub(super) struct List {
    filter: String,
    events: Vec<EventSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<Counted>,
    next: Option<String>,
    previous: Option<String>,
}

#[derive(Serialize)]
struct Counted {
    n_events: u64,
    is_capped: bool,
}

/// `GET /api/v1/events`
pub(super) async fn list(
    viewer: Viewer,
    State(web): State<Arc<Web>>,
    RawQuery(raw): RawQuery,
) -> Result<Json<List>, Problem> {
    viewer.needs(Scope::Viewer)?;
    let known = ["count", "cursor", "filter", "limit", "order"];
    let query = Query::parse(raw.as_deref(), &known)?;
    let filter = query.filter(web.clock.now())?;
    let cap = counted_up_to(&query)?;
    let request = request(&query, filter.clone())?;
    let page = ask(web.reader.page(&request)).await?;
    let count = match cap {
        Some(cap) => Some(ask(web.reader.count(&filter, cap)).await?.into()),
        None => None,
    };
    Ok(Json(List::of(page, &filter, &query, count)))
}

fn counted_up_to(query: &Query) -> Result<Option<u64>, Problem> {
    let cap = query.read("count")?;
    let is_allowed = |cap: &u64| (1..=MOST_COUNTED).contains(cap);
    if cap.is_none_or(|cap| is_allowed(&cap)) {
        return Ok(cap);
    }
    Err(invalid("count", format!("it is 1 to {MOST_COUNTED}")))
}

fn request(query: &Query, filter: Filter) -> Result<PageRequest, Problem> {
    let mut request = PageRequest::new(filter);
    if let Some(order) = query.one_of("order", &ORDERS)? {
        request = request.order(order);
    }
    if let Some(limit) = query.read("limit")? {
        let limited = request.limit(limit);
        request = limited.map_err(|error| invalid("limit", error))?;
    }
    if let Some(cursor) = query.read::<Cursor>("cursor")? {
        let placed = request.cursor(cursor);
        request = placed.map_err(|error| {
            let advice = "follow `next` and `previous` as they are";
            invalid("cursor", format!("{error}; {advice}"))
        })?;
    }
    Ok(request)
}

impl List {
    fn of(
        page: Page<EventSummary>,
        filter: &Filter,
        query: &Query,
        count: Option<Counted>,
    ) -> Self {
        let filter = filter.to_string();
        let link = |cursor: Option<Cursor>| {
            let cursor = cursor?.to_string();
            let mut parameters = vec![("filter", filter.as_str()), ("cursor", &cursor)];
            let kept = ["order", "limit"].into_iter();
            parameters.extend(kept.filter_map(|name| Some((name, query.text(name)?))));
            Some(format!("/api/v1/events?{}", written(&parameters)))
        };
        Self {
            next: link(page.next),
            previous: link(page.previous),
            events: page.events,
            count,
            filter,
        }
    }
}

impl From<Count> for Counted {
    fn from(count: Count) -> Self {
        Self {
            n_events: count.n_events,
            is_capped: count.is_capped,
        }
    }
}

//! Turning pages.

use std::collections::BTreeSet;

use audit_core::event::{AuditEvent, Outcome};
use audit_core::reader::{Condition, Cursor, Filter, Order, Page, PageRequest};

use crate::expect;
use crate::fixture;
use crate::harness::Harness;
use crate::model::Model;
use crate::opened::Opened;
use crate::strategy;

/// Page by page to the end and back again: each page is its part of the list, the first has
/// nothing before it, the last nothing behind it.
pub(crate) async fn pages_turn_forward_and_back(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let events = strategy::sample(&strategy::clusters(23), 1).remove(0);
    opened.keep(&events).await;
    let model = Model::new(&events);
    let common = events[0].outcome;
    let filters = [
        Filter::all(),
        Filter::all().without(Condition::Outcome(common)),
    ];
    for filter in &filters {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let list = model.list(filter, order);
            for limit in [1, 2, 7, list.len() - 1, list.len(), list.len() + 1] {
                let first = PageRequest::new(filter.clone()).order(order);
                let first = first.limit(limit).expect("the limit is allowed");
                turn_through(&opened, &first, &list, limit).await;
            }
        }
    }
    let nothing = Filter::all()
        .with(Condition::Outcome(Outcome::Ok))
        .without(Condition::Outcome(Outcome::Ok));
    let page = read(&opened, &PageRequest::new(nothing)).await;
    let promise = "a page of nothing is empty and leads nowhere";
    expect::same(
        promise,
        &(0, None, None),
        &(page.events.len(), page.next, page.previous),
    );
}

async fn turn_through(opened: &Opened, first: &PageRequest, list: &[AuditEvent], limit: usize) {
    let parts: Vec<&[AuditEvent]> = list.chunks(limit).collect();
    let last = parts.len() - 1;
    let promise = |index: usize, way: &str| {
        format!(
            "page {index} of {} by {limit}, turned {way}: {first:?}",
            last + 1
        )
    };
    let mut cursors = Vec::new();
    let mut request = first.clone();
    for (index, part) in parts.iter().enumerate() {
        let page = read(opened, &request).await;
        expect::same_events(&promise(index + 1, "forward"), part, &page.events);
        let leads = (page.previous.is_some(), page.next.is_some());
        expect::same(
            &promise(index + 1, "forward"),
            &(index > 0, index < last),
            &leads,
        );
        cursors.push(page.previous);
        if let Some(next) = page.next {
            request = at(first, next);
        }
    }
    // Back from the last page, by the cursors of the pages that come up on the way.
    let mut previous = cursors.pop().flatten();
    for index in (0..last).rev() {
        let cursor = previous.unwrap_or_else(|| panic!("{}", promise(index + 1, "back")));
        let page = read(opened, &at(first, cursor)).await;
        expect::same_events(&promise(index + 1, "back"), parts[index], &page.events);
        let leads = (page.previous.is_some(), page.next.is_some());
        expect::same(&promise(index + 1, "back"), &(index > 0, true), &leads);
        let next = page.next.expect("it was compared");
        let again = read(opened, &at(first, next)).await;
        let way = "back and forward again";
        expect::same_events(&promise(index + 2, way), parts[index + 1], &again.events);
        previous = page.previous;
    }
}

/// While events are stored before, behind and between the pages, what was there at the beginning
/// is shown once, forward and back, and nothing is shown twice.
pub(crate) async fn pages_neither_skip_nor_repeat_while_writes_go_on(harness: &dyn Harness) {
    for (order, limit) in [
        (Order::NewestFirst, 1),
        (Order::NewestFirst, 3),
        (Order::OldestFirst, 1),
        (Order::OldestFirst, 4),
    ] {
        let opened = Opened::new(harness).await;
        let there = fixture::events((1_000..2_200).step_by(100));
        opened.keep(&there).await;
        let first = PageRequest::new(Filter::all()).order(order);
        let first = first.limit(limit).expect("the limit is allowed");
        let what = format!("{order:?}, {limit} a page, while writes go on");

        let mut writes = Writes::default();
        let mut shown = Vec::new();
        let mut request = first.clone();
        let last = loop {
            let page = read(&opened, &request).await;
            shown.extend(page.events.clone());
            ends(&what, &shown);
            writes.write_around(&opened, &page.events).await;
            match page.next {
                Some(next) => request = at(&first, next),
                None => break page,
            }
        };
        shows_once(&format!("{what}, forward"), order, &there, &shown);

        let mut shown: Vec<_> = last.events.into_iter().rev().collect();
        let mut previous = last.previous;
        while let Some(cursor) = previous {
            let page = read(&opened, &at(&first, cursor)).await;
            shown.extend(page.events.iter().rev().cloned());
            ends(&what, &shown);
            previous = page.previous;
        }
        shown.reverse();
        shows_once(&format!("{what}, back"), order, &there, &shown);
    }
}

/// Events that come in between.
#[derive(Default)]
struct Writes {
    n_written: u64,
}

impl Writes {
    /// Stores an event before everything, one behind everything, and one on each side of a page's
    /// last event, for the first thirty
    /// pages.
    async fn write_around(&mut self, opened: &Opened, page: &[AuditEvent]) {
        if self.n_written > 30 {
            return;
        }
        self.n_written += 1;
        let n = self.n_written;
        let mut batch = fixture::events([100 + n, 9_000 + n]);
        if let Some(last) = page.last().filter(|last| last.seq.get() % 100 == 0) {
            let seq = last.seq.get();
            batch.extend(fixture::events([seq - 1, seq + 1]));
        }
        opened.keep(&batch).await;
    }
}

/// Fails when there is more than was ever stored: a reader that goes round in circles would else
/// never end.
fn ends(promise: &str, shown: &[AuditEvent]) {
    let n_shown = shown.len();
    assert!(
        n_shown < 1_000,
        "{promise}: the pages have an end\n     got: {n_shown} events"
    );
}

fn shows_once(promise: &str, order: Order, there: &[AuditEvent], shown: &[AuditEvent]) {
    let ids: Vec<_> = shown.iter().map(|event| event.id).collect();
    let is_in_order = match order {
        Order::NewestFirst => ids.is_sorted_by(|a, b| a > b),
        Order::OldestFirst => ids.is_sorted_by(|a, b| a < b),
    };
    assert!(
        is_in_order,
        "{promise}: in order, nothing twice\n     got: {ids:?}"
    );
    let ids: BTreeSet<_> = ids.into_iter().collect();
    let skipped = there.iter().find(|event| !ids.contains(&event.id));
    assert!(
        skipped.is_none(),
        "{promise}: nothing is skipped\n missing: {skipped:?}"
    );
}

async fn read(opened: &Opened, request: &PageRequest) -> Page<AuditEvent> {
    let page = opened.reader().page_with_payloads(request).await;
    let page = expect::ok("a page can be read", page);
    let summaries = opened.reader().page(request).await;
    let summaries = expect::ok("a page can be read", summaries);
    let ids: Vec<_> = page.events.iter().map(|event| event.id).collect();
    let ids_of_summaries: Vec<_> = summaries.events.iter().map(|event| event.id).collect();
    let promise = "a page is the same with payloads and without";
    let with = (&ids, &page.next, &page.previous);
    expect::same(
        promise,
        &with,
        &(&ids_of_summaries, &summaries.next, &summaries.previous),
    );
    page
}

fn at(first: &PageRequest, cursor: Cursor) -> PageRequest {
    // Cursors travel as text.
    let cursor: Cursor = cursor
        .to_string()
        .parse()
        .expect("a cursor is read as written");
    first
        .clone()
        .cursor(cursor)
        .expect("the cursor is of this list")
}

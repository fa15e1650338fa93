//! Equal answers to equal questions: what a store says is what the definitions say.

use audit_core::event::AuditEvent;
use audit_core::reader::{Filter, Order, PageRequest, StatisticsRequest};

use crate::expect;
use crate::fixture;
use crate::harness::Harness;
use crate::model::Model;
use crate::opened::Opened;
use crate::strategy;

/// How many events the questions are about, and how many questions there are.
const N_EVENTS: usize = 80;
const N_QUESTIONS: usize = 160;

/// An event is found by its id, and by no other.
pub(crate) async fn an_event_is_found_by_its_id(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let kept = fixture::events([1, 2, 4, 8]);
    for number in 0..10 {
        let found = opened.reader().get(fixture::event_id(number)).await;
        expect::same(
            "an empty store has no event",
            &None,
            &expect::ok("it can be looked up", found),
        );
    }
    opened.keep(&kept).await;
    for number in 0..10 {
        let id = fixture::event_id(number);
        let expected = kept.iter().find(|event| event.id == id).cloned();
        let found = opened.reader().get(id).await;
        let promise = format!("an event is found by its id, here {id}");
        expect::same(
            &promise,
            &expected,
            &expect::ok("it can be looked up", found),
        );
    }
}

/// Random events, random filters, both orders: the list is what the filter matches, by id.
pub(crate) async fn a_page_holds_what_its_filter_matches(harness: &dyn Harness) {
    let (opened, events) = cluster(harness).await;
    let model = Model::new(&events);
    for filter in questions(&events) {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let request = whole_list(&filter, order);
            let page = opened.reader().page_with_payloads(&request).await;
            let page = expect::ok("a page can be read", page);
            let promise = format!("a page holds what `{filter}` matches, {order:?}");
            expect::same_events(&promise, &model.list(&filter, order), &page.events);
            expect::same(&promise, &(None, None), &(page.next, page.previous));
        }
    }
}

/// A page without payloads shows the same events, with the reports of what is not shown.
pub(crate) async fn a_summary_is_its_event_without_payloads(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let mut events = strategy::sample(&strategy::batches(40), 1).remove(0);
    events.extend([fixture::full_event(1), fixture::event(2)]);
    opened.keep(&events).await;
    let model = Model::new(&events);
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let expected = model.list(&Filter::all(), order);
        let page = opened
            .reader()
            .page(&whole_list(&Filter::all(), order))
            .await;
        let page = expect::ok("a page can be read", page);
        for (event, summary) in expected.iter().zip(&page.events) {
            let promise = "a summary is its event without payloads";
            expect::same_about(promise, event, &event.summary(), summary);
        }
        expect::same("a page has its events", &expected.len(), &page.events.len());
    }
}

/// Random events, random filters: the count is of what the filter matches.
pub(crate) async fn a_count_is_of_what_its_filter_matches(harness: &dyn Harness) {
    let (opened, events) = cluster(harness).await;
    let model = Model::new(&events);
    for filter in questions(&events) {
        let count = opened.reader().count(&filter, 10_000).await;
        let count = expect::ok("events can be counted", count);
        let promise = format!("a count is of what `{filter}` matches");
        expect::same(&promise, &model.count(&filter, 10_000), &count);
    }
}

/// A count goes no further than its cap, and says so only if there is more.
pub(crate) async fn a_count_ends_at_its_cap(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let events = fixture::events(1..=7);
    opened.keep(&events).await;
    let model = Model::new(&events);
    for cap in [0, 1, 6, 7, 8, 1_000_000, u64::MAX] {
        let count = opened.reader().count(&Filter::all(), cap).await;
        let count = expect::ok("events can be counted", count);
        let promise = format!("a count of 7 events ends at its cap of {cap}");
        expect::same(&promise, &model.count(&Filter::all(), cap), &count);
    }
}

/// Random events, random filters, every way to group: rows, outcomes, percentiles and their
/// order.
pub(crate) async fn statistics_are_of_what_their_filter_matches(harness: &dyn Harness) {
    let (opened, events) = cluster(harness).await;
    let model = Model::new(&events);
    let groupings = strategy::sample(&strategy::group_bys(), N_QUESTIONS);
    for (index, (filter, group_by)) in questions(&events).into_iter().zip(groupings).enumerate() {
        let limit = [10_000, 1, 2, 100][index % 4];
        // Every fourth question is about all, so that there are many groups to put in order.
        let filter = if index % 4 == 2 {
            Filter::all()
        } else {
            filter
        };
        let request = StatisticsRequest::new(filter).group_by(group_by);
        let request = request.limit(limit).expect("the limit is allowed");
        let statistics = opened.reader().statistics(&request).await;
        let statistics = expect::ok("statistics can be made", statistics);
        let promise = format!(
            "statistics are of what `{}` matches, {group_by:?}, {limit} rows",
            request.filter()
        );
        expect::same(&promise, &model.statistics(&request), &statistics);
    }
}

async fn cluster(harness: &dyn Harness) -> (Opened, Vec<AuditEvent>) {
    let opened = Opened::new(harness).await;
    let events = strategy::sample(&strategy::clusters(N_EVENTS), 1).remove(0);
    opened.keep(&events).await;
    (opened, events)
}

fn questions(events: &[AuditEvent]) -> Vec<Filter> {
    strategy::sample(&strategy::filters(events), N_QUESTIONS)
}

fn whole_list(filter: &Filter, order: Order) -> PageRequest {
    let request = PageRequest::new(filter.clone()).order(order);
    request
        .limit(PageRequest::MAX_LIMIT)
        .expect("the limit is allowed")
}

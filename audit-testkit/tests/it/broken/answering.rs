//! Readers that answer another question than was asked.

use std::collections::HashMap;
use std::sync::Mutex;

use audit_core::event::{AuditEvent, EventId, EventSummary};
use audit_core::reader::{
    Count, Filter, Page, PageRequest, Scan, Statistics, StatisticsRequest, Term,
};

use super::catching::catches;
use super::quirk::Quirk;
use super::table::Table;

catches! {
    a_reader_that_finds_the_nearest_event: FindsTheNearest =>
        an_event_is_found_by_its_id,
        says "an event is found by its id";
    a_reader_that_ignores_a_term: IgnoresATerm =>
        a_page_holds_what_its_filter_matches,
        says "a page holds what";
    a_reader_that_takes_alternatives_for_demands: TakesAlternativesForDemands =>
        a_page_holds_what_its_filter_matches,
        says "a page holds what";
    a_reader_that_hides_reports: HidesReports =>
        a_summary_is_its_event_without_payloads,
        says "a summary is its event without payloads";
    a_reader_that_counts_what_is_excluded: CountsWhatIsExcluded =>
        a_count_is_of_what_its_filter_matches,
        says "a count is of what";
    a_reader_that_counts_beyond_the_cap: CountsBeyondTheCap =>
        a_count_ends_at_its_cap,
        says "a count of 7 events ends at its cap";
    a_reader_that_miscounts_statistics: MiscountsStatistics =>
        statistics_are_of_what_their_filter_matches,
        says "statistics are of what";
    a_reader_that_mixes_up_two_lists: MixesUpTwoLists =>
        pages_turn_forward_and_back,
        says "turned forward";
    a_reader_that_repeats_the_boundary: RepeatsTheBoundary =>
        pages_turn_forward_and_back,
        also [
            a_large_batch_is_stored_whole,
            pages_neither_skip_nor_repeat_while_writes_go_on,
        ],
        says "page 2 of";
    a_reader_that_turns_pages_by_offset: TurnsByOffset =>
        pages_neither_skip_nor_repeat_while_writes_go_on,
        says "while writes go on";
}

/// `WHERE id >= $1 LIMIT 1`.
#[derive(Default)]
struct FindsTheNearest;

impl Quirk for FindsTheNearest {
    fn get(&self, table: &Table<Self>, id: EventId) -> Option<AuditEvent> {
        let mut list = table.list(&Filter::all(), true).into_iter();
        list.find(|event| event.id >= id)
    }
}

/// Forgets the last term of a filter that has several.
#[derive(Default)]
struct IgnoresATerm;

impl Quirk for IgnoresATerm {
    fn page(&self, table: &Table<Self>, request: &PageRequest) -> Page<AuditEvent> {
        let terms = request.filter().terms();
        let kept = if terms.len() > 2 {
            &terms[..terms.len() - 1]
        } else {
            terms
        };
        page_of(table, request, |event| filter_of(kept).matches(event))
    }
}

/// Joins all terms with AND.
#[derive(Default)]
struct TakesAlternativesForDemands;

impl Quirk for TakesAlternativesForDemands {
    fn page(&self, table: &Table<Self>, request: &PageRequest) -> Page<AuditEvent> {
        let holds =
            |event: &AuditEvent, term: &Term| term.condition.matches(event) != term.is_negated;
        let terms = request.filter().terms();
        page_of(table, request, |event| {
            terms.iter().all(|term| holds(event, term))
        })
    }
}

/// Does not say what was done to the payloads that it does not show.
#[derive(Default)]
struct HidesReports;

impl Quirk for HidesReports {
    fn summary(&self, event: &AuditEvent) -> EventSummary {
        let mut summary = event.summary();
        summary.payload_report.response = None;
        summary
    }
}

/// Knows no minus.
#[derive(Default)]
struct CountsWhatIsExcluded;

impl Quirk for CountsWhatIsExcluded {
    fn count(&self, table: &Table<Self>, filter: &Filter, cap: u64) -> Count {
        let asked: Vec<Term> = filter
            .terms()
            .iter()
            .filter(|it| !it.is_negated)
            .cloned()
            .collect();
        Count::capped(table.n_matching(&filter_of(&asked)), cap)
    }
}

/// Counts to the end, however far that is.
#[derive(Default)]
struct CountsBeyondTheCap;

impl Quirk for CountsBeyondTheCap {
    fn count(&self, table: &Table<Self>, filter: &Filter, _cap: u64) -> Count {
        Count::capped(table.n_matching(filter), u64::MAX)
    }
}

/// Begins with the second row.
#[derive(Default)]
struct MiscountsStatistics;

impl Quirk for MiscountsStatistics {
    fn statistics(&self, table: &Table<Self>, request: &StatisticsRequest) -> Statistics {
        Statistics::collect(request, table.rows().kept.iter().skip(1))
    }
}

/// Keeps pages by their place alone, whatever the filter was.
#[derive(Default)]
struct MixesUpTwoLists {
    pages: Mutex<HashMap<String, Vec<AuditEvent>>>,
}

impl Quirk for MixesUpTwoLists {
    fn page(&self, table: &Table<Self>, request: &PageRequest) -> Page<AuditEvent> {
        let mut page = Page::assemble(request, table.scan(request));
        let Scan {
            bound: Some(bound),
            limit,
            ..
        } = request.scan()
        else {
            return page;
        };
        let place = format!("{bound} {limit} {}", request.scan().is_ascending);
        let mut pages = self.pages.lock().unwrap();
        let kept = pages.entry(place).or_insert_with(|| page.events.clone());
        page.events.clone_from(kept);
        page
    }
}

/// `WHERE id >= $cursor`.
#[derive(Default)]
struct RepeatsTheBoundary;

impl Quirk for RepeatsTheBoundary {
    fn page(&self, table: &Table<Self>, request: &PageRequest) -> Page<AuditEvent> {
        let scan = request.scan();
        let mut scanned = table.scan(request);
        if let Some(event) = scan.bound.and_then(|bound| table.rows().find(bound)) {
            scanned.insert(0, event);
            scanned.truncate(scan.limit);
        }
        Page::assemble(request, scanned)
    }
}

/// `OFFSET`: begins behind as many events as there were before the cursor's when it was given.
#[derive(Default)]
struct TurnsByOffset {
    offsets: Mutex<HashMap<(String, EventId, bool), usize>>,
}

impl Quirk for TurnsByOffset {
    fn page(&self, table: &Table<Self>, request: &PageRequest) -> Page<AuditEvent> {
        let scan = request.scan();
        let list = table.list(request.filter(), scan.is_ascending);
        let mut offsets = self.offsets.lock().unwrap();
        let key = |id, is_ascending| (request.filter().to_string(), id, is_ascending);
        let offset = scan.bound.map_or(0, |bound| {
            let offset = offsets.get(&key(bound, scan.is_ascending)).copied();
            offset.unwrap_or(list.len())
        });
        let scanned: Vec<_> = list.iter().skip(offset).take(scan.limit).cloned().collect();
        let page = Page::assemble(request, scanned);
        for event in &page.events {
            let index = list.iter().position(|it| it.id == event.id).unwrap();
            let (ahead, back) = (index + 1, list.len() - index);
            offsets
                .entry(key(event.id, scan.is_ascending))
                .or_insert(ahead);
            offsets
                .entry(key(event.id, !scan.is_ascending))
                .or_insert(back);
        }
        page
    }
}

/// The page of a request, of events that another filter lets through.
fn page_of<Q: Quirk>(
    table: &Table<Q>,
    request: &PageRequest,
    is_shown: impl Fn(&AuditEvent) -> bool,
) -> Page<AuditEvent> {
    let scan = request.scan();
    let mut list = table.list(&Filter::all(), scan.is_ascending);
    list.retain(|event| {
        let is_behind = scan
            .bound
            .is_none_or(|bound| (event.id > bound) == scan.is_ascending);
        is_behind && scan.bound != Some(event.id) && is_shown(event)
    });
    list.truncate(scan.limit);
    Page::assemble(request, list)
}

fn filter_of(terms: &[Term]) -> Filter {
    let add = |filter: Filter, term: &Term| {
        if term.is_negated {
            filter.without(term.condition.clone())
        } else {
            filter.with(term.condition.clone())
        }
    };
    terms.iter().fold(Filter::all(), add)
}

//! How fast a large store answers: `cargo xtask bench query --rows 10000000 [--json]`.
//!
//! So many events over 90 days, and a writer that goes on appending meanwhile. Beside it, on a
//! table of its shape with the same rows, the query that the dashboard of the tool's predecessor
//! sends. An event here is a query, or a page of the dashboard; of an export it is an event.

#![allow(
    clippy::expect_used,
    reason = "a bench whose premise fails has no figures to show"
)]

mod dashboard;
mod export;
mod filled;
mod small;

use std::error::Error;

use audit_core::event::Outcome;
use audit_core::reader::{Condition, Filter, GroupBy, PageRequest, StatisticsRequest, TextField};
use audit_core::{AuditReader as _, Glob};
use audit_tests::bench::{Bench, Options};

use crate::filled::{Filled, Writer};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let options = Options::from_args()?;
    let n_rows = options
        .n_rows
        .unwrap_or(if options.is_quick { 50_000 } else { 10_000_000 });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let store = runtime.block_on(Filled::fill(n_rows))?;
    let n = if options.is_quick { 5 } else { 40 };
    let writer = Writer::start(&runtime, &store);

    let store = &store;
    // As many events as a day of them has; the writer's come behind it.
    let last_day = Filter::all().with(Condition::Time(store.last_day()));
    let keys = |n| text(TextField::Key, &format!("k_{:03}", n * 7 % 500));
    let nobody = |field, n| text(field, &format!("nobody_{n}"));
    let denied = |n| {
        text(TextField::Tool, &format!("tool_{:02}", n * 3 % 40))
            .with(Condition::Outcome(Outcome::Denied))
    };
    let pages = |n, hits: Hits, request: &dyn Fn(usize) -> PageRequest| {
        store.queries(&runtime, n, async |number| {
            let page = store.reader.page(&request(number)).await;
            let n_found = page.expect("the server is there").events.len();
            assert!(hits.fits(n_found), "{n_found} events");
        })
    };
    let of = |filter| PageRequest::new(filter);
    let bench = Bench::new()
        .case("first_page", || {
            pages(n, Hits::Whole, &|_| of(Filter::all()))
        })
        .case("page_1000", || {
            pages(n, Hits::Some, &|n| store.page_1000(n))
        })
        .case("key_hits", || pages(n, Hits::Some, &|n| of(keys(n))))
        .case("key_zero", || {
            pages(n, Hits::None, &|n| of(nobody(TextField::Key, n)))
        })
        .case("role_zero", || {
            pages(n, Hits::None, &|n| of(nobody(TextField::Role, n)))
        })
        .case("request_zero", || {
            pages(n, Hits::None, &|n| of(nobody(TextField::RequestId, n)))
        })
        .case("request_hit", || {
            pages(n, Hits::Some, &|n| of(store.request(n)))
        })
        .case("tool_outcome", || pages(n, Hits::Some, &|n| of(denied(n))))
        .case("by_id", || {
            store.queries(&runtime, n, async |number| {
                let id = store.ids[number % store.ids.len()];
                let event = store.reader.get(id).await.expect("the server is there");
                assert_eq!(event.map(|event| event.id), Some(id));
            })
        })
        .case("stats_24h", || {
            store.queries(&runtime, n.div_ceil(8), async |number| {
                // The same day asked for in other ways, none of them twice in a row.
                let by = [TextField::Tool, TextField::Key, TextField::Role][number % 3];
                let request = StatisticsRequest::new(last_day.clone()).group_by(GroupBy::Text(by));
                let found = store.reader.statistics(&request);
                assert!(!found.await.expect("the server is there").rows.is_empty());
            })
        })
        .case("bansho_recent", || {
            store.queries(&runtime, 1, async |_| store.bansho_recent().await)
        });
    let bench = dashboard::cases(bench, &runtime, store, n)?;
    let bench = export::cases(bench, &runtime, store, options)?;
    let small = small::Small::fill(&runtime, options)?;
    small.cases(bench, &runtime, n).run(options);
    runtime.block_on(writer.stop());
    Ok(())
}

fn text(field: TextField, text: &str) -> Filter {
    Filter::all().with(Condition::Text(field, Glob::exact(text)))
}

/// How many events a page must have.
#[derive(Clone, Copy)]
enum Hits {
    None,
    Some,
    Whole,
}

impl Hits {
    fn fits(self, n: usize) -> bool {
        match self {
            Self::None => n == 0,
            Self::Some => n > 0,
            Self::Whole => n == PageRequest::new(Filter::all()).scan().limit - 1,
        }
    }
}

//! Many callers at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use audit_core::event::EventId;
use audit_core::reader::{Filter, FollowFrom};
use audit_core::sink::Receipt;
use tokio::task::JoinSet;

use crate::expect;
use crate::fixture;
use crate::harness::Harness;
use crate::opened::Opened;

/// The events of the case, and how many tasks bring each of them.
const N_EVENTS: u64 = 120;
const N_TASKS: u64 = 8;

/// Tasks that bring the same events at once, in different batches: each is stored once, and one
/// of those who brought it is told so.
pub(crate) async fn concurrent_appends_store_each_event_once(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let mut tasks = JoinSet::new();
    for task in 0..N_TASKS {
        let sink = Arc::clone(opened.subject.sink());
        tasks.spawn(async move {
            let mut receipts = Vec::new();
            // Every task begins elsewhere and cuts its batches in another way.
            let numbers: Vec<u64> = (0..N_EVENTS)
                .map(|step| (step + task * N_EVENTS / N_TASKS) % N_EVENTS + 1)
                .collect();
            let size = usize::try_from(3 + task % 5).unwrap();
            for numbers in numbers.chunks(size) {
                let batch = fixture::events(numbers.iter().copied());
                let appended = sink.append(&batch).await;
                let appended = expect::ok("an append beside others is `Ok`", appended);
                let ids = batch.iter().map(|event| event.id);
                receipts.extend(ids.zip(appended.into_receipts()));
                tokio::task::yield_now().await;
            }
            receipts
        });
    }
    let receipts: Vec<(EventId, Receipt)> = tasks.join_all().await.into_iter().flatten().collect();
    opened.settle().await;

    let promise = "whoever brings an event, it is stored once";
    let expected = fixture::events(1..=N_EVENTS);
    opened.list_is(promise, &expected).await;
    let n_events = expected.len();
    let (mut followed, _) = opened
        .follow(&Filter::all(), FollowFrom::Beginning, 1_000, n_events)
        .await;
    followed.sort_by_key(|event| event.id);
    expect::same_events(promise, &expected, &followed);
    if opened.capabilities.has_exact_receipts {
        let mut n_stored = BTreeMap::new();
        for (id, receipt) in receipts {
            assert!(
                receipt.is_kept(),
                "event {id} is kept\n     got: {receipt:?}"
            );
            *n_stored.entry(id).or_insert(0) += u32::from(receipt == Receipt::Stored);
        }
        for event in &expected {
            let promise = "one of those who brought an event is told that it was stored";
            expect::same_about(promise, event, &1, &n_stored[&event.id]);
        }
    }
}

//! Batches and their receipts.

use audit_core::sink::Receipt;

use crate::expect;
use crate::fixture;
use crate::harness::Harness;
use crate::opened::Opened;

/// Receipts are as many as the events, each at the place of its event.
pub(crate) async fn receipts_stand_in_the_order_of_the_batch(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let known = fixture::events([2, 4]);
    opened.keep(&known).await;
    // Neither in the order of ids, nor old before new.
    let numbers = [5, 2, 1, 6, 4, 3, 2];
    let batch = fixture::events(numbers);
    let appended = opened.append(&batch).await;
    opened.settle().await;
    if !opened.capabilities.has_exact_receipts {
        assert!(
            appended.is_all_kept(),
            "all events are kept\n     got: {appended:?}"
        );
        return;
    }
    for (event, receipt) in batch.iter().zip(appended.receipts()) {
        let expected = if known.contains(event) {
            Receipt::AlreadyStored
        } else {
            Receipt::Stored
        };
        let promise = "a receipt stands at the place of its event";
        expect::same_about(promise, event, &expected, receipt);
    }
}

/// An empty batch is `Ok`, without receipts, before events and behind them.
pub(crate) async fn an_empty_batch_touches_nothing(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let promise = "an empty batch is Ok and touches nothing";
    for kept in [vec![], fixture::events(1..=2)] {
        if !kept.is_empty() {
            opened.keep(&kept).await;
        }
        let appended = opened.sink().append(&[]).await;
        let appended = appended.unwrap_or_else(|error| panic!("{promise}\n     got: {error:?}"));
        expect::same(promise, &0, &appended.receipts().len());
        opened.settle().await;
        opened.list_is(promise, &kept).await;
    }
}

/// A batch may be larger than what a store takes in one statement.
pub(crate) async fn a_large_batch_is_stored_whole(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let batch = fixture::events(1..=2_500);
    opened.keep(&batch).await;
    opened
        .list_is("a batch of 2,500 events is stored whole", &batch)
        .await;
}

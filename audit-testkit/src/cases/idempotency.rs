//! Exactly once.

use audit_core::reader::{Filter, FollowFrom};
use audit_core::sink::Receipt;

use crate::expect;
use crate::fixture;
use crate::harness::Harness;
use crate::opened::Opened;

/// The same events again, whole batches and parts of them, are there before and stay once.
pub(crate) async fn appending_again_changes_nothing(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let kept = fixture::events(1..=4);
    opened.keep(&kept).await;
    let again = [&kept[..], &kept[1..3], &kept[3..]];
    for batch in again {
        let appended = opened.append(batch).await;
        opened.settle().await;
        let expected = vec![Receipt::AlreadyStored; batch.len()];
        if opened.capabilities.has_exact_receipts {
            let promise = "an event that comes again was there before";
            expect::same(promise, &expected, &appended.into_receipts());
        }
    }
    let mixed = [kept[0].clone(), fixture::event(5), kept[2].clone()];
    opened.keep(&mixed).await;
    let expected = fixture::events(1..=5);
    let promise = "an id is stored once, for ever";
    opened.list_is(promise, &expected).await;
    let (followed, _) = opened
        .follow(&Filter::all(), FollowFrom::Beginning, 100, 5)
        .await;
    expect::same_events(promise, &expected, &followed);
}

/// The same fact under another number was there before, and the first number stays.
pub(crate) async fn another_number_makes_no_other_event(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let first = fixture::full_event(1);
    opened.keep(std::slice::from_ref(&first)).await;
    let promise = "the same event under another number is no other event";
    for again in fixture::renumbered(1) {
        let appended = opened.append(std::slice::from_ref(&again)).await;
        opened.settle().await;
        if opened.capabilities.has_exact_receipts {
            let expected = vec![Receipt::AlreadyStored];
            expect::same_about(promise, &again, &expected, &appended.into_receipts());
        }
    }
    opened.list_is(promise, &[first]).await;
}

/// An event that stands twice in a batch is stored by its first place.
pub(crate) async fn a_repeat_within_a_batch_is_stored_once(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let (one, two) = (fixture::event(1), fixture::event(2));
    let batch = [one.clone(), two.clone(), one.clone(), one.clone()];
    let appended = opened.append(&batch).await;
    opened.settle().await;
    if opened.capabilities.has_exact_receipts {
        let (stored, already) = (Receipt::Stored, Receipt::AlreadyStored);
        let expected = vec![stored.clone(), stored, already.clone(), already];
        let promise = "the second place of an event in a batch is a repeat";
        expect::same(promise, &expected, &appended.into_receipts());
    }
    opened
        .list_is("an id is stored once, for ever", &[one, two])
        .await;
}

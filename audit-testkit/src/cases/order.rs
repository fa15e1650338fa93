//! All in order.

use audit_core::event::{AuditEvent, Seq, WriterId};
use audit_core::reader::{Filter, FollowFrom, SeqGap};

use crate::expect;
use crate::fixture;
use crate::harness::Harness;
use crate::opened::Opened;

/// Followers see the events of a batch in its order, and batches in theirs; ids do not matter.
pub(crate) async fn followers_see_the_order_of_appends(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let batches = [&[5, 9, 1, 7][..], &[20], &[4, 3, 2, 30, 6], &[8, 10]];
    let mut appended = Vec::new();
    for numbers in batches {
        let batch = fixture::events(numbers.iter().copied());
        opened.keep(&batch).await;
        appended.extend(batch);
    }
    let n_events = appended.len();
    let (followed, _) = opened
        .follow(&Filter::all(), FollowFrom::Beginning, 1_000, n_events)
        .await;
    expect::same_events("followers see the order of appends", &appended, &followed);
}

/// The numbers that are missing of a writer are listed, from its first to its highest; other
/// writers do not matter.
pub(crate) async fn gaps_in_seq_are_listed(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let other = WriterId::new("fixture-other").unwrap();
    let of_other = |seq: u64| {
        let draft = fixture::draft(1_000 + seq);
        draft.stamp(other.clone(), Seq::new(seq).unwrap()).unwrap()
    };
    let mut events: Vec<AuditEvent> = fixture::events([9, 3, 4, 12, 6, 13]);
    events.extend([1, 2, 5].map(of_other));
    opened.keep(&events).await;
    let gap = |first, last| SeqGap::new(Seq::new(first).unwrap(), Seq::new(last).unwrap());
    let expected = [gap(1, 2), gap(5, 5), gap(7, 8), gap(10, 11)];
    let promise = "the numbers that are missing of a writer are listed";
    for limit in [100, 4, 3, 1] {
        let gaps = opened.reader().gaps(&fixture::writer(), limit).await;
        let n_expected = std::cmp::min(limit, expected.len());
        let gaps = expect::ok("gaps can be listed", gaps);
        expect::same(promise, &expected[..n_expected].to_vec(), &gaps);
    }
    let gaps = opened.reader().gaps(&other, 100).await;
    let gaps = expect::ok("gaps can be listed", gaps);
    expect::same(promise, &vec![gap(3, 4)], &gaps);
    opened.keep(&fixture::events([1, 2, 5, 7, 8, 10, 11])).await;
    let gaps = opened.reader().gaps(&fixture::writer(), 100).await;
    let gaps = expect::ok("gaps can be listed", gaps);
    expect::same(
        "a number that comes late is no gap any more",
        &vec![],
        &gaps,
    );
}

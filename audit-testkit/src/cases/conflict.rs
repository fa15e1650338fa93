//! The same id with other content.

use audit_core::event::AuditEvent;
use audit_core::sink::{Receipt, Refusal};

use crate::expect;
use crate::fixture;
use crate::harness::Harness;
use crate::opened::Opened;

/// Whichever field differs, payloads too, the event is refused as a conflict: alone, and behind
/// the first one in the same batch.
pub(crate) async fn other_content_under_an_id_is_refused(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let promise = "the same id with other content is a conflict";
    let conflict = Receipt::Refused(Refusal::conflict());
    let first = fixture::full_event(1);
    opened.keep(std::slice::from_ref(&first)).await;
    for (field, other) in fixture::conflicts(1) {
        let appended = opened.append(std::slice::from_ref(&other)).await;
        let promise = format!("{promise}, if it differs in `{field}`");
        expect::same_about(
            &promise,
            &other,
            &kinds(std::slice::from_ref(&conflict)),
            &kinds(appended.receipts()),
        );
    }
    let batch = [fixture::full_event(2), fixture::conflicts(2)[0].1.clone()];
    let appended = opened.append(&batch).await;
    let expected = [Receipt::Stored, conflict];
    expect::same_about(
        promise,
        &batch[1],
        &kinds(&expected),
        &kinds(appended.receipts()),
    );
}

/// A conflict changes nothing of what was stored first.
pub(crate) async fn what_was_stored_first_stays(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let first = fixture::full_event(1);
    opened.keep(std::slice::from_ref(&first)).await;
    let others: Vec<AuditEvent> = fixture::conflicts(1)
        .into_iter()
        .map(|(_, it)| it)
        .collect();
    for other in &others {
        drop(opened.append(std::slice::from_ref(other)).await);
        opened.settle().await;
    }
    drop(opened.append(&others).await);
    opened.settle().await;
    opened
        .list_is("what was stored first under an id stays", &[first])
        .await;
}

/// What is compared of receipts: a store words its reasons as it likes.
fn kinds(receipts: &[Receipt]) -> Vec<String> {
    let kind = |receipt: &Receipt| match receipt {
        Receipt::Refused(refusal) => format!("Refused({:?})", refusal.kind()),
        kept => format!("{kept:?}"),
    };
    receipts.iter().map(kind).collect()
}

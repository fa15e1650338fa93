//! No poison.

use audit_core::event::AuditEvent;
use audit_core::sink::Receipt;

use crate::expect;
use crate::fixture;
use crate::harness::Harness;
use crate::opened::Opened;

/// A conflict at the beginning, in the middle and at the end of a batch: its neighbors are stored.
pub(crate) async fn a_refused_event_leaves_its_neighbors(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let mut kept = vec![fixture::full_event(1)];
    opened.keep(&kept).await;
    let refused = &fixture::conflicts(1)[2].1;
    for place in 0..3 {
        let begin = 10 * (place + 1);
        let neighbors = fixture::events(begin..begin + 2);
        let batch = with_refused(&neighbors, refused, place);
        let appended = opened.append(&batch).await;
        opened.settle().await;
        if opened.capabilities.has_exact_receipts {
            check_receipts(&batch, refused, appended.receipts());
        }
        kept.extend(neighbors);
        opened
            .list_is("a refused event never takes its neighbors with it", &kept)
            .await;
    }
}

/// What a store cannot hold is refused with a reason, every time, and its neighbors are stored.
pub(crate) async fn an_unstorable_event_is_refused_alone(harness: &dyn Harness) {
    let opened = harness.open_with_unstorable().await;
    let (subject, refused) = opened.expect("a store that refuses an event has one to show");
    let opened = Opened {
        subject,
        capabilities: harness.capabilities(),
    };
    let mut kept = Vec::new();
    for place in 0..3 {
        let begin = 10 * (place + 1);
        let neighbors = fixture::events(begin..begin + 2);
        let batch = with_refused(&neighbors, &refused, place);
        let appended = opened.append(&batch).await;
        opened.settle().await;
        check_receipts(&batch, &refused, appended.receipts());
        kept.extend(neighbors);
        opened
            .list_is(
                "an unstorable event never takes its neighbors with it",
                &kept,
            )
            .await;
    }
}

fn with_refused(neighbors: &[AuditEvent], refused: &AuditEvent, place: u64) -> Vec<AuditEvent> {
    let mut batch = neighbors.to_vec();
    batch.insert(usize::try_from(place).unwrap(), refused.clone());
    batch
}

fn check_receipts(batch: &[AuditEvent], refused: &AuditEvent, receipts: &[Receipt]) {
    for (event, receipt) in batch.iter().zip(receipts) {
        let expected = if event == refused {
            "Refused"
        } else {
            "Stored"
        };
        let got = match receipt {
            Receipt::Refused(_) => "Refused",
            Receipt::Stored => "Stored",
            _ => "AlreadyStored",
        };
        let promise = "the refused event is refused, and its neighbors are stored";
        expect::same_about(promise, event, &expected, &got);
    }
}

//! How the sink is asked while the record is looked for that makes a batch fail.

use std::sync::Arc;
use std::time::Duration;

use audit_core::event::Outcome;
use audit_core::logger::LOSS_METHOD;
use audit_core::sink::Durability;
use audit_core::{AuditLogger, ErrorKind};

use super::support::{Act, ScriptedSink, draft, is_of_tool, logger, soon};

const LONG: Duration = Duration::from_secs(9);

/// The sizes of the appends with which a batch was stored, of which some records are at fault.
async fn appends(kind: ErrorKind, is_at_fault: impl Fn(usize) -> bool) -> Vec<usize> {
    let sink = ScriptedSink::new(move |_, events| {
        if events.iter().any(|event| is_of_tool(event, "poison")) {
            Act::Fail(kind)
        } else {
            Act::Store
        }
    });
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .durability(Durability::Queued)
        .build()
        .unwrap();
    for number in 0..8 {
        let tool = if is_at_fault(number) {
            "poison"
        } else {
            "fine"
        };
        logger.log_event(draft(tool)).await.unwrap();
    }
    let report = soon(logger.shutdown(LONG)).await;
    assert_eq!(report.n_untold_losses, 0, "{report:?}");
    assert!(report.unstored.is_empty());
    sink.batches()
}

#[tokio::test]
async fn a_record_at_fault_is_found_by_halving() {
    for kind in [ErrorKind::Rejected, ErrorKind::Internal, ErrorKind::Invalid] {
        let sizes = appends(kind, |number| number == 5).await;
        assert_eq!(sizes, [8, 4, 4, 2, 1, 1, 2, 1], "{kind:?}; the last tells");
    }
    let sizes = appends(ErrorKind::Rejected, |_| true).await;
    assert_eq!(sizes, [8, 4, 2, 1, 1, 2, 1, 1, 4, 2, 1, 1, 2, 1, 1, 1]);
}

#[tokio::test]
async fn what_no_single_record_is_to_blame_for_fails_a_batch_at_once() {
    for kind in [ErrorKind::Closed, ErrorKind::Corrupt, ErrorKind::Full] {
        let sizes = appends(kind, |number| number == 5).await;
        assert_eq!(sizes, [8, 1], "{kind:?}; the last tells");
    }
}

#[tokio::test]
async fn a_loss_event_that_is_refused_is_not_told_by_another() {
    let sink = ScriptedSink::new(|_, events| {
        let is_own = events.iter().any(|it| it.method.as_str() == LOSS_METHOD);
        match (is_own, is_of_tool(&events[0], "poison")) {
            (false, false) => Act::Store,
            (true, _) | (_, true) => Act::Fail(ErrorKind::Rejected),
        }
    });
    let logger = logger(Arc::clone(&sink));
    let call = logger.begin(draft("poison")).await.unwrap();
    let error = soon(call.finish(Outcome::Ok)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    let report = soon(logger.shutdown(LONG)).await;
    assert_eq!(sink.batches(), [1, 1], "the record, and one try to tell");
    assert_eq!((report.n_refused, report.n_untold_losses), (2, 1));
}

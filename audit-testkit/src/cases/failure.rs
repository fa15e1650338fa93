//! All or nothing on `Err`.

use crate::fixture;
use crate::harness::Harness;
use crate::opened::Opened;

/// An append that failed stored nothing (or all of it, if the error says that a retry may tell);
/// the retry stores each event once.
pub(crate) async fn a_failed_batch_keeps_nothing(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let mut kept = fixture::events(1..=3);
    opened.keep(&kept).await;
    let batch = fixture::events(11..=15);
    assert!(
        harness.fail_next_append(&opened.subject).await,
        "a sink that fails on request can be made to fail"
    );
    let failed = opened.sink().append(&batch).await;
    let error = failed.expect_err("the append was made to fail");
    opened.settle().await;
    let n_kept = opened.list().await.len() - kept.len();
    let may_have_stored_all = error.is_retryable() && n_kept == batch.len();
    assert!(
        n_kept == 0 || may_have_stored_all,
        "a failed batch keeps nothing\nexpected: none of {} events\n     got: {n_kept}\n   error: {error:?}",
        batch.len()
    );
    opened.keep(&batch).await;
    kept.extend(batch);
    opened
        .list_is("the retry of a failed batch stores each event once", &kept)
        .await;
}

/// A batch that does not fit is refused whole, and one that fits is still stored.
pub(crate) async fn a_full_store_keeps_nothing_of_a_batch(harness: &dyn Harness) {
    let subject = harness.open_with_room_for(5).await;
    let opened = Opened {
        subject: subject.expect("a store that is bounded can be opened with little room"),
        capabilities: harness.capabilities(),
    };
    let mut kept = fixture::events(1..=3);
    opened.keep(&kept).await;
    let too_many = opened.sink().append(&fixture::events(11..=13)).await;
    let error = too_many.expect_err("a batch that does not fit is an error");
    assert!(
        !error.is_closed() && !error.is_rejected(),
        "a full store blames neither its caller nor a close\n     got: {error:?}"
    );
    opened
        .list_is("a batch that does not fit leaves nothing behind", &kept)
        .await;
    kept.extend(fixture::events(11..=12));
    opened.keep(&kept[3..]).await;
    opened.list_is("a batch that fits is stored", &kept).await;
    // What is there needs no room.
    opened.keep(&kept).await;
}

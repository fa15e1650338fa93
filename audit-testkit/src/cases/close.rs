//! Close and drain.

use audit_core::sink::AuditSink;

use crate::expect;
use crate::fixture;
use crate::harness::Harness;
use crate::opened::Opened;

/// A close drains: what was answered before it is there behind it.
pub(crate) async fn close_keeps_what_was_stored(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let kept = fixture::events(1..=10);
    for batch in kept.chunks(3) {
        let appended = opened.append(batch).await;
        assert!(
            appended.is_all_kept(),
            "the events are kept\n     got: {appended:?}"
        );
    }
    close(opened.sink()).await;
    opened
        .list_is("what was stored stays stored behind a close", &kept)
        .await;
}

/// Behind a close every append is an error that says so, and stores nothing.
pub(crate) async fn append_after_close_is_refused(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let kept = fixture::events(1..=2);
    opened.keep(&kept).await;
    close(opened.sink()).await;
    let promise = "an append behind a close is an error that is closed";
    // New events, and events that are there.
    for batch in [fixture::events(3..=4), kept.clone()] {
        let appended = opened.sink().append(&batch).await;
        let is_closed = appended.as_ref().is_err_and(audit_core::Error::is_closed);
        assert!(is_closed, "{promise}\n     got: {appended:?}");
    }
    if opened.capabilities.is_readable_after_close {
        opened
            .list_is("an append behind a close stores nothing", &kept)
            .await;
    }
}

/// Closing again is `Ok`, and so is closing what is empty.
pub(crate) async fn closing_twice_is_ok(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    for _ in 0..3 {
        close(opened.sink()).await;
    }
    // Two who close at once.
    let opened = Opened::new(harness).await;
    opened.keep(&fixture::events(1..=2)).await;
    let (one, other) = tokio::join!(opened.sink().close(), opened.sink().close());
    for closed in [one, other] {
        expect::ok("closing at once with somebody else is `Ok`", closed);
    }
}

/// A sink that works is ready, one that is closed is not and says why; what `Ok` means does not
/// change meanwhile.
pub(crate) async fn health_follows_the_state(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let durability = opened.sink().durability();
    let promise = "a sink that works is ready";
    let health = opened.sink().health().await;
    assert!(health.is_ready(), "{promise}\n     got: {health:?}");
    opened.keep(&fixture::events(1..=2)).await;
    let health = opened.sink().health().await;
    assert!(health.is_ready(), "{promise}\n     got: {health:?}");

    close(opened.sink()).await;
    let health = opened.sink().health().await;
    let tells_why = !health.is_ready() && health.reason.is_some();
    let promise = "a sink that is closed is not ready, with a reason";
    assert!(tells_why, "{promise}\n     got: {health:?}");
    let promise = "the durability of a sink does not change while it lives";
    expect::same(promise, &durability, &opened.sink().durability());
}

async fn close(sink: &dyn AuditSink) {
    let closed = sink.close().await;
    expect::ok("closing a store that works, also again, is `Ok`", closed);
}

//! Ok means kept.

use crate::expect;
use crate::fixture;
use crate::harness::Harness;
use crate::opened::Opened;

/// What `append` answered for is there at once: by id, in the list, and with its payloads.
pub(crate) async fn ok_means_a_reader_sees_it(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let promise = "a reader sees what was answered with Ok";
    let mut kept = Vec::new();
    for begin in [1, 4, 7] {
        let batch = fixture::events(begin..begin + 3);
        opened.keep(&batch).await;
        for event in &batch {
            let found = opened.reader().get(event.id).await;
            let found = expect::ok("an event can be looked up", found);
            expect::same_about(promise, event, &Some(event.clone()), &found);
        }
        kept.extend(batch);
        opened.list_is(promise, &kept).await;
    }
}

/// What `append` answered for is there when the store was killed and opened again.
pub(crate) async fn ok_survives_reopen(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let kept = fixture::events(1..=10);
    for batch in kept.chunks(4) {
        // No flush: Ok is the promise.
        let appended = opened.append(batch).await;
        assert!(
            appended.is_all_kept(),
            "the events are kept\n     got: {appended:?}"
        );
    }
    let subject = harness.reopen(opened.subject).await;
    let reopened = Opened {
        subject: subject.expect("a store that survives can be opened again"),
        capabilities: opened.capabilities,
    };
    reopened.settle().await;
    let promise = "what was answered with Ok survives the end of the process";
    reopened.list_is(promise, &kept).await;
    // What comes again after a crash is still known.
    reopened.keep(&kept).await;
    reopened
        .list_is("an id is stored once, for ever", &kept)
        .await;
}

/// Behind a `flush` the last store has everything.
pub(crate) async fn flush_waits_for_the_last_store(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let kept = fixture::events(1..=20);
    for batch in kept.chunks(3) {
        let appended = opened.append(batch).await;
        assert!(
            appended.is_all_kept(),
            "the events are kept\n     got: {appended:?}"
        );
    }
    let flushed = opened.sink().flush().await;
    expect::ok("a flush of a store that works is `Ok`", flushed);
    let promise = "a flush waits until the last store has the events";
    opened.list_is(promise, &kept).await;
}

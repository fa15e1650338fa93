//! Every future may be dropped at any await.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use audit_core::reader::{Filter, FollowFrom, FollowRequest};

use crate::expect;
use crate::fixture;
use crate::harness::Harness;
use crate::opened::Opened;

/// The most polls after which an operation has to end, so that a case ends too.
const MAX_POLLS: usize = 1_000;

/// Wherever an append is dropped, a reader finds either its whole batch or nothing of it.
pub(crate) async fn a_cancelled_append_stores_all_or_nothing(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    for n_polls in 0..MAX_POLLS {
        let batch = batch_of_round(n_polls);
        let answer = cancelled_after(n_polls, opened.sink().append(&batch)).await;
        opened.settle().await;
        let n_kept = n_kept(&opened, &batch).await;
        assert!(
            n_kept == 0 || n_kept == batch.len(),
            "a cancelled append stores all of its batch or nothing\nexpected: 0 or {} events\n     got: {n_kept}\n dropped: at await {n_polls}",
            batch.len()
        );
        if answer.is_some() {
            return;
        }
    }
    panic!("an append ends within {MAX_POLLS} polls");
}

/// Wherever an append is dropped, the sink stays usable, and the same batch again stores each of
/// its events once.
pub(crate) async fn a_cancelled_append_can_be_repeated(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let mut kept = Vec::new();
    for n_polls in 0..MAX_POLLS {
        let batch = batch_of_round(n_polls);
        let answer = cancelled_after(n_polls, opened.sink().append(&batch)).await;
        let again = tokio::time::timeout(opened.capabilities.patience, opened.keep(&batch)).await;
        assert!(
            again.is_ok(),
            "the sink stays usable when an append was dropped at await {n_polls}\nexpected: an answer\n     got: none within {:?}",
            opened.capabilities.patience
        );
        kept.extend(batch);
        let promise = format!(
            "the retry of an append that was dropped at await {n_polls} stores each event once"
        );
        opened.list_is(&promise, &kept).await;
        if answer.is_some() {
            return;
        }
    }
    panic!("an append ends within {MAX_POLLS} polls");
}

/// Wherever a close is dropped, closing again works and keeps what was stored.
pub(crate) async fn a_cancelled_close_can_be_repeated(harness: &dyn Harness) {
    for n_polls in 0..MAX_POLLS {
        let opened = Opened::new(harness).await;
        let kept = fixture::events(1..=3);
        let appended = opened.append(&kept).await;
        assert!(
            appended.is_all_kept(),
            "the events are kept\n     got: {appended:?}"
        );
        let answer = cancelled_after(n_polls, opened.sink().close()).await;
        let promise = format!("closing works when a close was dropped at await {n_polls}");
        let again = tokio::time::timeout(opened.capabilities.patience, opened.sink().close()).await;
        let again = again.unwrap_or_else(|_| panic!("{promise}\n     got: no answer"));
        again.unwrap_or_else(|error| panic!("{promise}\n     got: {error:?}"));
        if opened.capabilities.is_readable_after_close {
            opened
                .list_is("what was stored stays stored behind a close", &kept)
                .await;
        }
        if answer.is_some() {
            return;
        }
    }
    panic!("a close ends within {MAX_POLLS} polls");
}

/// A follower that was dropped while it waited, or with an answer under way, asks again from the
/// same position and misses nothing.
pub(crate) async fn a_cancelled_follow_can_be_repeated(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let mut kept = fixture::events(1..=2);
    opened.keep(&kept).await;
    for n_polls in 0..8 {
        let request = FollowRequest::new(Filter::all()).wait(opened.capabilities.patience);
        drop(cancelled_after(n_polls, opened.reader().follow(&request)).await);
    }
    let promise = "a reader keeps no state between calls";
    let (followed, end) = opened
        .follow(&Filter::all(), FollowFrom::Beginning, 1, 2)
        .await;
    expect::same_events(promise, &kept, &followed);

    // Nothing is there: this one waits when it is dropped.
    let at_end = FollowFrom::After(end);
    let request = FollowRequest::new(Filter::all())
        .from(at_end.clone())
        .wait(opened.capabilities.patience);
    drop(cancelled_after(1, opened.reader().follow(&request)).await);
    let late = fixture::events(3..=4);
    opened.keep(&late).await;
    kept.extend(late);
    let (followed, _) = opened.follow(&Filter::all(), at_end, 100, 2).await;
    let promise = "a follower that was dropped while it waited misses nothing";
    expect::same_events(promise, &kept[2..], &followed);
}

/// Polls a future at most so many times, each time when it asks for it, and drops it then; its
/// answer, if it came to one.
async fn cancelled_after<F: Future>(n_polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut n_left = n_polls;
    poll_fn(|context| {
        if n_left == 0 {
            return Poll::Ready(None);
        }
        n_left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if n_left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

fn batch_of_round(n_polls: usize) -> Vec<audit_core::event::AuditEvent> {
    let begin = u64::try_from(n_polls).unwrap() * 10 + 1;
    fixture::events(begin..begin + 4)
}

async fn n_kept(opened: &Opened, batch: &[audit_core::event::AuditEvent]) -> usize {
    let list = opened.list().await;
    list.iter().filter(|event| batch.contains(event)).count()
}

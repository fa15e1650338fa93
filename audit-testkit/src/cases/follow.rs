//! Following is not the list.

use std::sync::Arc;
use std::time::Duration;

use audit_core::ErrorKind;
use audit_core::event::{AuditEvent, Outcome};
use audit_core::reader::{Condition, Filter, FollowFrom, FollowPosition, FollowRequest};
use tokio::task::JoinSet;

use crate::expect;
use crate::fixture;
use crate::harness::Harness;
use crate::model::Model;
use crate::opened::Opened;
use crate::strategy;

/// However few at a time, a follower sees each event once; and going on from the position of any
/// event gives what comes behind it.
pub(crate) async fn following_goes_on_where_it_ended(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let events = strategy::sample(&strategy::clusters(30), 1).remove(0);
    for batch in events.chunks(7) {
        opened.keep(batch).await;
    }
    let model = Model::new(&events);
    let common = Condition::Outcome(events[0].outcome);
    for filter in [Filter::all(), Filter::all().without(common)] {
        let expected = model.committed(&filter);
        for limit in [1, 4, 29, 1_000] {
            let begin = FollowFrom::Beginning;
            let (followed, _) = opened.follow(&filter, begin, limit, expected.len()).await;
            let promise =
                format!("a follower of `{filter}`, {limit} at a time, sees each event once");
            expect::same_events(&promise, &expected, &followed);
        }
        let request = FollowRequest::new(filter.clone()).wait(opened.capabilities.patience);
        let followed = opened.follow_once(&request).await;
        for (index, at) in followed.events.iter().enumerate() {
            let rest = &expected[index + 1..];
            let from = FollowFrom::After(as_text(&at.position));
            let (followed, _) = opened.follow(&filter, from, 1_000, rest.len()).await;
            let promise = "behind the position of an event comes the rest";
            expect::same_events(promise, rest, &followed);
        }
    }
}

/// Events that are stored late, with ids older than those that were followed, are seen once, also
/// by a follower that runs while many write.
pub(crate) async fn followers_miss_no_late_event(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    opened.keep(&fixture::events(500..510)).await;
    let (_, end) = opened
        .follow(&Filter::all(), FollowFrom::Beginning, 1_000, 10)
        .await;
    let late = fixture::events([300, 499, 1, 505_000, 200]);
    opened.keep(&late).await;
    let (followed, end) = opened
        .follow(&Filter::all(), FollowFrom::After(end), 2, late.len())
        .await;
    let promise = "a follower sees an event that is stored late";
    expect::same_events(promise, &late, &followed);

    let mut writers = JoinSet::new();
    for writer in 0..4_u64 {
        let sink = Arc::clone(opened.subject.sink());
        writers.spawn(async move {
            // Ids fall: every event is older than those before it.
            for step in (0..25).rev() {
                let batch = fixture::events([1_000 + step * 4 + writer]);
                let appended = sink.append(&batch).await;
                let appended = expect::ok("an append beside others is `Ok`", appended);
                assert!(
                    appended.is_all_kept(),
                    "the event is kept
     got: {appended:?}"
                );
                tokio::task::yield_now().await;
            }
        });
    }
    if !opened.capabilities.is_visible_before_flush {
        writers.join_all().await;
        opened.settle().await;
    }
    let (mut followed, _) = opened
        .follow(&Filter::all(), FollowFrom::After(end), 3, 100)
        .await;
    followed.sort_by_key(|event| event.id);
    let promise = "a follower beside many writers sees each event once";
    expect::same_events(promise, &fixture::events(1_000..1_100), &followed);
}

/// A follower that waits is woken by what it asked for, and by nothing else, long before its time
/// is over.
pub(crate) async fn a_waiting_follower_wakes(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    let filter = Filter::all().with(Condition::Outcome(Outcome::Denied));
    let denied = |number| fixture::stamp(fixture::draft(number).outcome(Outcome::Denied), number);
    for round in 1..=20_u64 {
        let (_, end) = opened.follow(&filter, FollowFrom::Now, 10, 0).await;
        let request = FollowRequest::new(filter.clone())
            .from(FollowFrom::After(end))
            .wait(opened.capabilities.patience * 5);
        let reader = Arc::clone(opened.subject.reader());
        let follower = tokio::spawn(async move { reader.follow(&request).await });
        // In some rounds the follower waits already, in some it is still on its way.
        for _ in 0..round % 4 {
            tokio::task::yield_now().await;
        }
        opened.keep(&[fixture::event(2 * round)]).await;
        let expected = [denied(2 * round + 1)];
        opened.keep(&expected).await;
        let woken = tokio::time::timeout(opened.capabilities.patience, follower).await;
        let promise = "a waiting follower is woken by what it asked for";
        let woken = woken.unwrap_or_else(|_| {
            let event = &expected[0];
            panic!("{promise}\nexpected: an answer\n     got: none in time\n   event: {event:?}")
        });
        let followed = woken.expect("the follower does not panic");
        let followed = expect::ok("a store that works can be followed", followed);
        let followed: Vec<AuditEvent> = followed.events.into_iter().map(|it| it.event).collect();
        expect::same_events(promise, &expected, &followed);
    }
    let nothing = FollowRequest::new(filter).from(FollowFrom::Now);
    let followed = opened
        .follow_once(&nothing.wait(Duration::from_millis(5)))
        .await;
    let promise = "a follower for whom nothing comes is answered with nothing";
    expect::same(promise, &0, &followed.events.len());
}

/// From now on means what is stored behind the answer, and nothing before it.
pub(crate) async fn following_from_now_gives_what_comes(harness: &dyn Harness) {
    let opened = Opened::new(harness).await;
    for begin in [1, 11, 21] {
        let before = fixture::events(begin + 5..begin + 8);
        opened.keep(&before).await;
        let (followed, end) = opened.follow(&Filter::all(), FollowFrom::Now, 100, 0).await;
        expect::same_events("now has no past", &[], &followed);
        let after = fixture::events([begin + 9, begin, begin + 1]);
        opened.keep(&after).await;
        let from = FollowFrom::After(as_text(&end));
        let (followed, _) = opened.follow(&Filter::all(), from, 2, after.len()).await;
        expect::same_events(
            "behind now comes what is stored from then on",
            &after,
            &followed,
        );
    }
}

/// A position of no store, and one of another store, are errors of the caller: to begin anew in
/// silence would skip or repeat.
pub(crate) async fn a_foreign_position_is_refused(harness: &dyn Harness) {
    let (opened, other) = (Opened::new(harness).await, Opened::new(harness).await);
    opened.keep(&fixture::events(1..=5)).await;
    other.keep(&fixture::events(1..=5)).await;
    let (_, of_other) = other
        .follow(&Filter::all(), FollowFrom::Beginning, 2, 5)
        .await;
    let no_position = FollowPosition::new("no-position-of-any-store").expect("it is printable");
    for position in [no_position, of_other] {
        let request = FollowRequest::new(Filter::all()).from(FollowFrom::After(position.clone()));
        let answer = opened.reader().follow(&request).await;
        let is_refused = answer
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::Invalid);
        assert!(
            is_refused,
            "a position of another store is refused\nexpected: an error of kind Invalid\n     got: {answer:?}\nposition: {position}"
        );
    }
}

/// Positions travel as text.
fn as_text(position: &FollowPosition) -> FollowPosition {
    position
        .to_string()
        .parse()
        .expect("a position is read as written")
}

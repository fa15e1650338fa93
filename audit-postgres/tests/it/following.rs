//! Following beside transactions that are held open on purpose.

use std::collections::BTreeSet;
use std::time::Duration;

use audit_core::event::{EventId, Timestamp};
use audit_core::reader::{
    AuditReader, Condition, Filter, FollowFrom, FollowPosition, FollowRequest, Followed,
    PageRequest, TextField,
};
use audit_core::{ErrorKind, Glob};
use audit_postgres::{PostgresReader, RetentionPolicy};
use audit_testkit::fixture;
use sqlx::{Postgres, Transaction};

use crate::by_hand::{self, commit, id, open};
use crate::database::{Database, at, event_at, keep};

/// What is there now.
async fn look(reader: &PostgresReader, from: FollowFrom) -> Followed {
    let request = FollowRequest::new(Filter::all()).from(from);
    reader.follow(&request).await.expect("it can be followed")
}

/// The next events, as many as are expected: a transaction of another test may hold up those that
/// are committed.
async fn follow(
    reader: &PostgresReader,
    mut from: FollowFrom,
    n_expected: usize,
) -> (Vec<EventId>, FollowFrom) {
    let mut followed = Vec::new();
    while followed.len() < n_expected {
        let request = FollowRequest::new(Filter::all()).from(from);
        let answer = reader.follow(&request.wait(PATIENCE)).await;
        let answer = answer.expect("it can be followed");
        assert!(!answer.events.is_empty(), "got {followed:?} and no more");
        followed.extend(ids(&answer));
        from = after(answer);
    }
    (followed, from)
}

const PATIENCE: Duration = Duration::from_secs(30);

fn ids(followed: &Followed) -> Vec<EventId> {
    followed.events.iter().map(|it| it.event.id).collect()
}

fn after(followed: Followed) -> FollowFrom {
    FollowFrom::After(followed.position)
}

/// A database in which the partition of the fixtures is there: making it would take part in the
/// transactions.
async fn database() -> (Database, PostgresReader) {
    let database = Database::new().await;
    let sql = format!("SELECT audit_ensure_partition('{}')", id(1));
    database.run(&sql).await;
    let reader = database.reader().await;
    (database, reader)
}

#[tokio::test]
async fn what_commits_out_of_order_is_given_in_order_and_once() {
    let (database, reader) = database().await;
    let first = open(database.pool(), [9, 3]).await;
    let second = open(database.pool(), [1]).await;
    commit(second).await;
    let nothing = look(&reader, FollowFrom::Beginning).await;
    assert_eq!(ids(&nothing), [], "something may still come before it");
    let third = open(database.pool(), [5]).await;
    commit(first).await;
    let (followed, from) = follow(&reader, after(nothing), 3).await;
    assert_eq!(followed, [id(9), id(3), id(1)]);
    commit(third).await;
    let (followed, from) = follow(&reader, from, 1).await;
    assert_eq!(followed, [id(5)]);
    assert_eq!(ids(&look(&reader, from).await), []);
}

#[tokio::test]
async fn what_is_rolled_back_keeps_nobody_waiting() {
    let (database, reader) = database().await;
    let first = open(database.pool(), [1]).await;
    commit(open(database.pool(), [2]).await).await;
    first.rollback().await.expect("it rolls back");
    let (followed, _) = follow(&reader, FollowFrom::Beginning, 1).await;
    assert_eq!(followed, [id(2)]);
}

#[tokio::test]
async fn now_lies_between_what_is_committed_and_what_still_runs() {
    let (database, reader) = database().await;
    commit(open(database.pool(), [1]).await).await;
    let running = open(database.pool(), [2]).await;
    commit(open(database.pool(), [3]).await).await;
    let also_running = open(database.pool(), [4]).await;
    commit(open(database.pool(), [5]).await).await;
    let now = look(&reader, FollowFrom::Now).await;
    assert_eq!(ids(&now), []);
    commit(running).await;
    commit(open(database.pool(), [6]).await).await;
    let (followed, from) = follow(&reader, after(now), 1).await;
    assert_eq!(followed, [id(2)], "the third was committed before");
    commit(also_running).await;
    let (followed, _) = follow(&reader, from, 2).await;
    assert_eq!(followed, [id(4), id(6)]);
}

/// Many transactions that begin, insert and end in a random order, and a follower that looks after
/// every step, a few events at a time.
#[tokio::test]
async fn no_interleaving_loses_or_repeats() {
    let (database, reader) = database().await;
    let mut random = Random(7);
    let mut running: Vec<(Vec<u64>, Transaction<'static, Postgres>)> = Vec::new();
    let (mut committed, mut followed) = (BTreeSet::new(), Vec::new());
    let mut from = FollowFrom::Beginning;
    for number in 1..=400_u64 {
        match random.below(4) {
            0 if running.len() < 6 => {
                let transaction = open(database.pool(), [1_000 - number]).await;
                running.push((Vec::from([1_000 - number]), transaction));
            }
            1 | 2 if !running.is_empty() => {
                let at = random.below(running.len());
                let (numbers, transaction) = &mut running[at];
                let order = i32::try_from(numbers.len()).unwrap();
                by_hand::insert(transaction, 1_000 - number, order).await;
                numbers.push(1_000 - number);
            }
            3 if !running.is_empty() => {
                let at = random.below(running.len());
                let (numbers, transaction) = running.remove(at);
                if random.below(4) == 0 {
                    transaction.rollback().await.unwrap();
                } else {
                    commit(transaction).await;
                    committed.extend(numbers.into_iter().map(id));
                }
            }
            _ => {}
        }
        let request = FollowRequest::new(Filter::all()).limit(1 + random.below(3));
        let step = reader.follow(&request.unwrap().from(from)).await.unwrap();
        followed.extend(ids(&step));
        from = after(step);
    }
    drop(running);
    let n_missing = committed.len() - followed.len();
    let (rest, from) = follow(&reader, from, n_missing).await;
    followed.extend(rest);
    followed.extend(ids(&look(&reader, from).await));
    let n_followed = followed.len();
    let followed: BTreeSet<_> = followed.into_iter().collect();
    assert_eq!(n_followed, followed.len(), "nothing comes twice");
    assert_eq!(
        followed, committed,
        "nothing is missed, and nothing made up"
    );
    assert!(committed.len() > 50, "{} events", committed.len());
}

#[tokio::test]
async fn a_call_that_took_an_hour_is_followed_and_stands_in_its_place() {
    let database = Database::new().await;
    let (sink, reader) = (database.sink().await, database.reader().await);
    // A number is a millisecond.
    let hour = 3_600_000;
    keep(&sink, &fixture::events(hour..hour + 3)).await;
    let (_, from) = follow(&reader, FollowFrom::Beginning, 3).await;
    keep(&sink, &fixture::events([hour + 3])).await;
    // Also one of another month, for which there is no partition yet.
    let late = [1, 40 * 24 * hour];
    keep(&sink, &fixture::events(late)).await;
    let (followed, _) = follow(&reader, from, 3).await;
    assert_eq!(followed, [id(hour + 3), id(late[0]), id(late[1])]);
    let page = PageRequest::new(Filter::all());
    let page = reader.page(&page).await.unwrap();
    assert_eq!(page.events.last().unwrap().id, id(1));
    assert_eq!(page.events.first().unwrap().id, id(late[1]));
}

#[tokio::test]
async fn a_filter_that_matches_little_moves_on_with_each_answer() {
    let (database, reader) = database().await;
    let sql = by_hand::many(
        "2026-01-01Z",
        25_000,
        "CASE n WHEN 25000 THEN 'rare' ELSE 'm' END",
    );
    database.run(&sql).await;
    let filter = Filter::all().with(Condition::Text(TextField::Tool, Glob::exact("none")));
    // Until the watermark has come to the end.
    let last = Filter::all().with(Condition::Text(TextField::Tool, Glob::exact("rare")));
    let request = FollowRequest::new(last).wait(PATIENCE);
    assert_eq!(reader.follow(&request).await.unwrap().events.len(), 1);
    let (mut from, mut n_answers) = (FollowFrom::Beginning, 0);
    loop {
        let request = FollowRequest::new(filter.clone()).from(from.clone());
        let followed = reader.follow(&request).await.unwrap();
        assert_eq!(ids(&followed), []);
        let next = after(followed);
        if next == from {
            break;
        }
        (from, n_answers) = (next, n_answers + 1);
    }
    assert_eq!(n_answers, 3, "10,000 rows a look");
}

#[tokio::test]
async fn a_follower_that_waits_holds_no_connection() {
    let (database, _) = database().await;
    let config = database.config().reader_connections(1);
    let reader = PostgresReader::connect(&config).await.unwrap();
    let sink = database.sink().await;
    let request = FollowRequest::new(Filter::all()).wait(PATIENCE);
    let followers: Vec<_> = (0..5)
        .map(|_| {
            let (reader, request) = (reader.clone(), request.clone());
            tokio::spawn(async move { reader.follow(&request).await })
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(reader.get(id(1)).await.unwrap(), None);
    }
    keep(&sink, &[fixture::event(1)]).await;
    for follower in followers {
        let followed = follower.await.unwrap().unwrap();
        assert_eq!(ids(&followed), [id(1)]);
    }
}

#[tokio::test]
async fn a_position_that_cannot_be_gone_on_from_says_why() {
    let (database, reader) = database().await;
    commit(open(database.pool(), [1]).await).await;
    let (_, from) = follow(&reader, FollowFrom::Beginning, 1).await;
    let FollowFrom::After(good) = from else {
        panic!("{from:?} is behind an event");
    };
    let xact = good.as_str().split('.').nth(2).unwrap();
    let ahead = good.as_str().replace(xact, "99999999999");
    let expect = async |position: FollowPosition, text: &str| {
        let request = FollowRequest::new(Filter::all()).from(FollowFrom::After(position));
        let error = reader.follow(&request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains(text), "{error}");
    };
    let anew = FollowPosition::new("m1-0123456789abcdef-7").unwrap();
    expect(anew, "none of a PostgreSQL store: begin anew").await;
    let ahead = FollowPosition::new(ahead).unwrap();
    expect(ahead, "lies ahead of the store").await;
    // What a restored copy looks like.
    database
        .run("UPDATE audit_store SET system_identifier = 1")
        .await;
    expect(good, "is a copy").await;
    let request = FollowRequest::new(Filter::all());
    let error = reader.follow(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "from the beginning too");
}

/// A small generator: the same seed gives the same order.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

#[tokio::test]
async fn a_follower_that_retention_overtook_is_told_so() {
    let (database, maintainer) = Database::migrated().await;
    let (sink, reader) = (database.sink().await, database.reader().await);
    // Fixtures lie in the year 2023.
    keep(&sink, &fixture::events([1])).await;
    let (_, first) = follow(&reader, FollowFrom::Beginning, 1).await;
    keep(&sink, &fixture::events([2])).await;
    let (ids_of_second, second) = follow(&reader, first.clone(), 1).await;
    assert_eq!(ids_of_second, [fixture::event_id(2)]);

    let policy = RetentionPolicy::keep_days(30);
    let plan = maintainer
        .retention()
        .plan(policy, Timestamp::MAX)
        .await
        .unwrap();
    let report = maintainer.retention().apply(&plan).await.unwrap();
    assert_eq!(report.removed.len(), 1, "{report:?}");

    // Who had seen everything goes on; who had not is told.
    let up_to_date = look(&reader, second).await;
    assert_eq!(ids(&up_to_date), []);
    let request = FollowRequest::new(Filter::all()).from(first);
    let error = reader.follow(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("retention removed"), "{error}");
}

#[tokio::test]
async fn a_follower_within_a_transaction_is_told_what_retention_took_of_its_rest() {
    let (database, maintainer) = Database::migrated().await;
    let (sink, reader) = (database.sink().await, database.reader().await);
    // One transaction, of which the old one goes: what is behind it, and what is before it.
    let old = |hour: u32| at(&format!("2018-06-01T{hour:02}:00:00Z"));
    let new = at("2026-11-01T00:00:00Z");
    let events: Vec<_> = (1..)
        .zip([new, old(1), new, old(2), new])
        .map(|(number, ts)| event_at(ts, number))
        .collect();
    keep(&sink, &events).await;
    let mut places = Vec::new();
    let mut from = FollowFrom::Beginning;
    for event in &events {
        let request = FollowRequest::new(Filter::all()).limit(1).unwrap();
        let request = request.from(from).wait(PATIENCE);
        let followed = reader.follow(&request).await.unwrap();
        assert_eq!(ids(&followed), [event.id]);
        from = after(followed);
        places.push(from.clone());
    }
    let retention = maintainer.retention();
    let plan = retention.plan(RetentionPolicy::keep_days(2_000), Timestamp::MAX);
    let report = retention.apply(&plan.await.unwrap()).await.unwrap();
    assert_eq!(report.removed.len(), 1, "{report:?}");
    // Up to the second old one something is missing behind each place.
    for place in &places[..3] {
        let request = FollowRequest::new(Filter::all()).from(place.clone());
        let error = reader.follow(&request).await.unwrap_err();
        assert!(error.to_string().contains("retention removed"), "{error}");
    }
    assert_eq!(ids(&look(&reader, places[3].clone()).await), [events[4].id]);
    assert_eq!(ids(&look(&reader, places[4].clone()).await), []);
}

#[tokio::test]
async fn an_adopted_copy_is_followed_in_the_order_of_the_original() {
    let (database, maintainer) = Database::migrated().await;
    let (sink, reader) = (database.sink().await, database.reader().await);
    for number in [5, 3, 9] {
        keep(&sink, &fixture::events([number])).await;
    }
    let (_, original) = follow(&reader, FollowFrom::Beginning, 3).await;
    assert!(!maintainer.adopt_copy().await.unwrap(), "it is no copy");
    // What a restored dump looks like: counted by another server, and far ahead of this one.
    database
        .run("UPDATE audit_store SET system_identifier = 1; UPDATE audit_events SET xact = xact + 1000000000")
        .await;
    let error = reader
        .follow(&FollowRequest::new(Filter::all()))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("adopt"), "{error}");

    assert!(maintainer.adopt_copy().await.unwrap());
    keep(&sink, &fixture::events([4])).await;
    let (adopted, _) = follow(&reader, FollowFrom::Beginning, 4).await;
    assert_eq!(adopted, [5, 3, 9, 4].map(fixture::event_id));
    let request = FollowRequest::new(Filter::all()).from(original);
    let error = reader.follow(&request).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Invalid,
        "a position of the original"
    );
}

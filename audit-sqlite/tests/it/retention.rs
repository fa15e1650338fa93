use audit_core::event::{AuditEvent, EventId, Method, Outcome, Seq, Timestamp, WriterId};
use audit_core::reader::{
    AuditReader, Filter, FollowFrom, FollowPosition, FollowRequest, FollowedEvent,
};
use audit_core::{Error, ErrorKind};
use audit_sqlite::{Fate, Hold, RetentionPlan, RetentionPolicy, SqliteStore};

use crate::database::{Database, keep, list};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

fn day(day: i64) -> Timestamp {
    Timestamp::from_micros(day * DAY).unwrap()
}

/// An event of a moment.
fn event_at(ts: Timestamp, number: u64) -> AuditEvent {
    AuditEvent::draft(Method::tools_call())
        .ts(ts)
        .id(EventId::new(ts, number))
        .outcome(Outcome::Ok)
        .stamp(
            WriterId::new("gateway-1").unwrap(),
            Seq::new(number).unwrap(),
        )
        .unwrap()
}

/// Ten events a day, from day 1 to day 20.
async fn twenty_days() -> (Database, SqliteStore, Vec<AuditEvent>) {
    let database = Database::new();
    let store = database.open().await;
    let events: Vec<_> = (1..=20)
        .flat_map(|of| (0..10).map(move |step| day(of).as_micros() + step * DAY / 10))
        .zip(1..)
        .map(|(micros, number)| event_at(Timestamp::from_micros(micros).unwrap(), number))
        .collect();
    keep(&store, &events).await;
    (database, store, events)
}

/// A plan that keeps ten days, made on the 21st.
async fn plan(store: &SqliteStore) -> RetentionPlan {
    let retention = store.retention();
    let plan = retention.plan(RetentionPolicy::keep_days(10), day(21));
    plan.await.unwrap()
}

#[tokio::test]
async fn what_is_old_goes_and_the_rest_stays() {
    let (_database, store, events) = twenty_days().await;
    let plan = plan(&store).await;
    let shown = plan.to_string();
    assert!(shown.contains("keep at least 10 days"), "{shown}");
    assert!(shown.contains("100 of 200 events go"), "{shown}");
    assert_eq!(list(&store).await, events, "a plan changes nothing");
    let report = store.retention().apply(&plan).await.unwrap();
    assert_eq!(report.n_events, 100);
    assert_eq!(list(&store).await, events[100..]);
    // Applied again, nothing is left to do.
    assert_eq!(store.retention().apply(&plan).await.unwrap().n_events, 0);
    let gaps = store.gaps(&events[0].writer, 10).await.unwrap();
    let gaps: Vec<_> = gaps
        .iter()
        .map(|it| (it.first.get(), it.last.get()))
        .collect();
    assert_eq!(gaps, [(1, 100)]);
}

#[tokio::test]
async fn the_microsecond_decides() {
    let database = Database::new();
    let store = database.open().await;
    let micros = |offset| Timestamp::from_micros(day(11).as_micros() + offset).unwrap();
    let events = [-1_000, -1, 0, 1]
        .map(|offset| event_at(micros(offset), 5_u64.saturating_add_signed(offset % 5)));
    keep(&store, &events).await;
    store.retention().apply(&plan(&store).await).await.unwrap();
    assert_eq!(list(&store).await, events[2..]);
}

#[tokio::test]
async fn a_hold_keeps_what_lies_in_its_range() {
    let (_database, store, events) = twenty_days().await;
    let holds = store.holds();
    let hold = Hold::new("case-17", "letter")
        .unwrap()
        .since(day(3))
        .until(day(5));
    holds.place(&hold).await.unwrap();
    holds.place(&hold).await.unwrap();
    let plan = plan(&store).await;
    let held: Vec<_> = plan
        .stretches()
        .iter()
        .filter(|it| matches!(it.fate, Fate::Held(_)))
        .collect();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].fate, Fate::Held(vec!["case-17".to_owned()]));
    assert_eq!(held[0].n_events, 21);
    assert!(plan.to_string().contains("held by case-17"), "{plan}");
    let report = store.retention().apply(&plan).await.unwrap();
    assert_eq!(report.n_events, 79);
    let mut kept = events[20..41].to_vec();
    kept.extend_from_slice(&events[100..]);
    assert_eq!(list(&store).await, kept);
    // Released, it goes with the next plan, not with the one that kept it.
    assert!(holds.release("case-17").await.unwrap());
    assert!(!holds.release("case-17").await.unwrap());
    assert_eq!(store.retention().apply(&plan).await.unwrap().n_events, 0);
    let plan = self::plan(&store).await;
    assert_eq!(store.retention().apply(&plan).await.unwrap().n_events, 21);
}

#[tokio::test]
async fn a_hold_that_was_placed_since_wins() {
    let (_database, store, events) = twenty_days().await;
    let plan = plan(&store).await;
    let hold = Hold::new("late", "letter").unwrap().since(day(10));
    store.holds().place(&hold).await.unwrap();
    assert_eq!(store.retention().apply(&plan).await.unwrap().n_events, 90);
    assert_eq!(list(&store).await, events[90..]);
}

#[tokio::test]
async fn a_hold_has_one_range_for_its_name() {
    let (_database, store, _) = twenty_days().await;
    let holds = store.holds();
    let hold = Hold::new("case-17", "letter").unwrap().since(day(3));
    holds.place(&hold).await.unwrap();
    let other = Hold::new("case-17", "letter").unwrap().since(day(4));
    let error = holds.place(&other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let backwards = Hold::new("case-18", "letter")
        .unwrap()
        .since(day(4))
        .until(day(3));
    let error = holds.place(&backwards).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let listed = holds.list().await.unwrap();
    assert_eq!(
        (listed.len(), listed[0].from, listed[0].to),
        (1, Some(day(3)), None)
    );
    assert!(listed[0].placed_at.is_some());
}

#[tokio::test]
async fn more_than_one_slice_goes_in_slices() {
    let database = Database::new();
    let store = database.open().await;
    let events: Vec<_> = (1..=2_300)
        .map(|number| {
            event_at(
                Timestamp::from_micros(DAY + i64::try_from(number).unwrap()).unwrap(),
                number,
            )
        })
        .collect();
    keep(&store, &events).await;
    let plan = plan(&store).await;
    let retention = store.retention();
    // Writers come in between.
    let young = event_at(day(20), 5_000);
    let (report, ()) = tokio::join!(
        retention.apply(&plan),
        keep(&store, std::slice::from_ref(&young))
    );
    assert_eq!(report.unwrap().n_events, 2_300);
    assert_eq!(list(&store).await, [young]);
    let (n_rows, n_events, last): (i64, i64, i64) = {
        let n_rows = database.value("SELECT count(*) FROM audit_retention").await;
        let n_events = database
            .value("SELECT sum(n_events) FROM audit_retention")
            .await;
        let last = database
            .value("SELECT max(last_position) FROM audit_retention")
            .await;
        (n_rows, n_events, last)
    };
    assert_eq!((n_rows, n_events, last), (1, 2_300, 2_300));
}

async fn follow(
    store: &SqliteStore,
    from: FollowFrom,
    limit: usize,
) -> Result<(Vec<FollowedEvent>, FollowPosition), Error> {
    let request = FollowRequest::new(Filter::all())
        .from(from)
        .limit(limit)
        .unwrap();
    let followed = store.follow(&request).await?;
    Ok((followed.events, followed.position))
}

#[tokio::test]
async fn followers_are_told_what_they_missed() {
    let (_database, store, events) = twenty_days().await;
    let (seen, at_50) = follow(&store, FollowFrom::Beginning, 50).await.unwrap();
    assert_eq!(seen.len(), 50);
    let (_, at_150) = follow(&store, FollowFrom::Beginning, 150).await.unwrap();
    store.retention().apply(&plan(&store).await).await.unwrap();
    let error = follow(&store, FollowFrom::After(at_50), 10)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("retention"), "{error}");
    // Who had seen what went goes on, and who begins takes what there is.
    let (rest, _) = follow(&store, FollowFrom::After(at_150), 100)
        .await
        .unwrap();
    assert_eq!(rest.len(), 50);
    let (all, _) = follow(&store, FollowFrom::Beginning, 1_000).await.unwrap();
    let all: Vec<_> = all.into_iter().map(|it| it.event).collect();
    assert_eq!(all, events[100..]);
}

#[tokio::test]
async fn a_position_never_comes_again() {
    let database = Database::new();
    let store = database.open().await;
    let old: Vec<_> = (1..=5).map(|number| event_at(day(1), number)).collect();
    keep(&store, &old).await;
    let (_, end) = follow(&store, FollowFrom::Beginning, 100).await.unwrap();
    store.retention().apply(&plan(&store).await).await.unwrap();
    assert!(list(&store).await.is_empty());
    // Who had seen all that went goes on behind it.
    let new = [event_at(day(20), 6), event_at(day(20), 7)];
    keep(&store, &new).await;
    let (next, _) = follow(&store, FollowFrom::After(end.clone()), 100)
        .await
        .unwrap();
    let next: Vec<_> = next.into_iter().map(|it| it.event).collect();
    assert_eq!(next, new);
    // Also in a process that begins then.
    drop(store);
    let store = database.open().await;
    let (next, _) = follow(&store, FollowFrom::After(end), 100).await.unwrap();
    assert_eq!(next.len(), 2);
}

#[tokio::test]
async fn a_wide_gap_costs_a_follower_nothing() {
    let (database, store, events) = twenty_days().await;
    database
        .run(
            "UPDATE audit_events SET position = position + 1000000000 WHERE seq > 100;
              UPDATE sqlite_sequence SET seq = 1000000200 WHERE name = 'audit_events'",
        )
        .await;
    let mut seen = Vec::new();
    let mut from = FollowFrom::Beginning;
    for _ in 0..5 {
        let (next, position) = follow(&store, from, 1_000).await.unwrap();
        seen.extend(next.into_iter().map(|it| it.event));
        from = FollowFrom::After(position);
    }
    assert_eq!(seen, events);
}

#[tokio::test]
async fn a_position_ahead_of_the_store_is_refused() {
    let (database, store, _) = twenty_days().await;
    let (_, end) = follow(&store, FollowFrom::Now, 1).await.unwrap();
    database
        .run(
            "DELETE FROM audit_events WHERE position > 100;
              UPDATE sqlite_sequence SET seq = 100 WHERE name = 'audit_events'",
        )
        .await;
    let error = follow(&store, FollowFrom::After(end), 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("backup"), "{error}");
}

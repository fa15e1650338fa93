use std::time::Duration;

use audit_core::event::Timestamp;
use audit_core::{AuditSink, ErrorKind};
use audit_postgres::{
    Fate, Hold, PostgresMaintainer, PostgresSink, RetentionPlan, RetentionPolicy,
};

use crate::database::{Database, append_at, at, event_at};
use crate::interrupt::interrupt;

const YEARS: [&str; 4] = [
    "2018-06-01T00:00:00Z",
    "2019-06-01T00:00:00Z",
    "2020-06-01T00:00:00Z",
    "2021-06-01T00:00:00Z",
];

/// Events of four years, one partition each, beside those that a sink makes ahead.
async fn filled() -> (Database, PostgresMaintainer, PostgresSink) {
    let (database, maintainer) = Database::migrated().await;
    let sink = database.sink().await;
    append_at(&sink, &YEARS).await;
    (database, maintainer, sink)
}

/// What may go by the end of 2020: 2018, 2019.
async fn plan(maintainer: &PostgresMaintainer) -> RetentionPlan {
    let retention = maintainer.retention();
    let now = at("2021-01-01T00:00:00Z");
    retention
        .plan(RetentionPolicy::keep_days(366), now)
        .await
        .unwrap()
}

async fn years(database: &Database) -> Vec<String> {
    database
        .values("SELECT to_char(ts AT TIME ZONE 'UTC', 'YYYY') FROM audit_events ORDER BY id")
        .await
}

fn names(plan: &RetentionPlan) -> Vec<&str> {
    plan.to_drop()
        .map(|partition| partition.name.as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_goes_and_why_the_rest_stays() {
    let (database, maintainer, _) = filled().await;
    let hold = Hold::new("case-17", "letter of the regulator")
        .unwrap()
        .since(at("2019-12-31T23:59:59Z"))
        .until(at("2020-01-01T00:00:00Z"));
    maintainer.holds().place(&hold).await.unwrap();
    database.run("ANALYZE audit_events_2018").await;
    let plan = plan(&maintainer).await;
    assert_eq!(names(&plan), ["audit_events_2018"]);
    let fates: Vec<_> = plan
        .partitions()
        .iter()
        .map(|planned| planned.fate.clone())
        .collect();
    assert_eq!(fates[0], Fate::Drop);
    assert_eq!(fates[1], Fate::Held(vec!["case-17".into()]));
    assert!(
        fates[2..].iter().all(|fate| *fate == Fate::TooYoung),
        "{fates:?}"
    );
    let shown = plan.to_string();
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(
        lines[0],
        "keep at least 366 days: what ended before 2020-01-01T00:00:00.000000Z may go"
    );
    assert!(lines[1].starts_with("drop  audit_events_2018"), "{shown}");
    assert!(
        lines[1].contains("2018-01-01 to 2019-01-01  about 1 events"),
        "{shown}"
    );
    assert!(lines[2].ends_with("held by case-17"), "{shown}");
    assert!(lines[3].ends_with("too young"), "{shown}");
    assert!(
        lines
            .last()
            .unwrap()
            .starts_with("1 of 6 partitions go, with about 1 events"),
        "{shown}"
    );
    // A plan changes nothing.
    assert_eq!(years(&database).await, ["2018", "2019", "2020", "2021"]);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_goes_only_when_its_whole_range_is_older() {
    let (database, maintainer, _) = filled().await;
    let retention = maintainer.retention();
    let one_microsecond_early = at("2020-12-31T23:59:59.999999Z");
    let plan = retention.plan(RetentionPolicy::keep_days(366), one_microsecond_early);
    assert_eq!(names(&plan.await.unwrap()), ["audit_events_2018"]);
    let plan = retention.plan(RetentionPolicy::keep_days(366), at("2021-01-01T00:00:00Z"));
    assert_eq!(
        names(&plan.await.unwrap()),
        ["audit_events_2018", "audit_events_2019"]
    );
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_ahead_makes_nothing_old() {
    let (database, maintainer, _) = filled().await;
    let retention = maintainer.retention();
    let plan = retention
        .plan(RetentionPolicy::keep_days(30), Timestamp::MAX)
        .await
        .unwrap();
    assert_eq!(plan.to_drop().count(), 4);
    assert_eq!(retention.apply(&plan).await.unwrap().removed.len(), 4);
    append_at(&database.sink().await, &["2026-11-23T00:00:00Z"]).await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn applying_removes_and_writes_down_what_went() {
    let (database, maintainer, sink) = filled().await;
    let last_xact: i64 = database
        .value("SELECT xact FROM audit_events WHERE ts = '2019-06-01Z'")
        .await;
    let plan = plan(&maintainer).await;
    let report = maintainer.retention().apply(&plan).await.unwrap();
    let removed: Vec<_> = report
        .removed
        .iter()
        .map(|it| (it.name.as_str(), it.n_events))
        .collect();
    assert_eq!(
        removed,
        [("audit_events_2018", 1), ("audit_events_2019", 1)]
    );
    assert!(report.kept.is_empty());
    assert_eq!(years(&database).await, ["2020", "2021"]);
    let records: Vec<String> = database
        .values(
            "SELECT concat_ws(' ', partition_name, from_ts AT TIME ZONE 'UTC', to_ts AT TIME ZONE 'UTC', n_events, removed_at >= begun_at)
             FROM audit_retention ORDER BY from_ts",
        )
        .await;
    assert_eq!(
        records,
        [
            "audit_events_2018 2018-01-01 00:00:00 2019-01-01 00:00:00 1 t",
            "audit_events_2019 2019-01-01 00:00:00 2020-01-01 00:00:00 1 t"
        ]
    );
    let recorded: i64 = database
        .value("SELECT max(last_xact) FROM audit_retention")
        .await;
    assert_eq!(recorded, last_xact);
    // Again: there is nothing left of it to do.
    let again = maintainer.retention().apply(&plan).await.unwrap();
    assert!(again.removed.is_empty());
    assert_eq!(again.kept, ["audit_events_2018", "audit_events_2019"]);
    // A late event of a year that went gets a partition again.
    append_at(&sink, &["2018-06-01T00:00:00Z"]).await;
    assert_eq!(years(&database).await, ["2018", "2020", "2021"]);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_was_placed_since_wins() {
    let (database, maintainer, _) = filled().await;
    let plan = plan(&maintainer).await;
    // Open at its end, and placed twice.
    let hold = Hold::new("everything new", "")
        .unwrap()
        .since(at("2019-03-01T00:00:00Z"));
    maintainer.holds().place(&hold).await.unwrap();
    maintainer.holds().place(&hold).await.unwrap();
    let report = maintainer.retention().apply(&plan).await.unwrap();
    assert_eq!(report.removed.len(), 1);
    assert_eq!(report.kept, ["audit_events_2019"]);
    assert_eq!(years(&database).await, ["2019", "2020", "2021"]);
    assert!(maintainer.holds().release("everything new").await.unwrap());
    assert!(!maintainer.holds().release("everything new").await.unwrap());
    assert_eq!(
        maintainer
            .retention()
            .apply(&plan)
            .await
            .unwrap()
            .removed
            .len(),
        1
    );
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_keeps_its_name_and_its_range() {
    let (database, maintainer, _) = filled().await;
    let holds = maintainer.holds();
    let all = Hold::new("all", "of time").unwrap();
    holds.place(&all).await.unwrap();
    let error = holds
        .place(&all.clone().since(Timestamp::MIN))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let backwards = Hold::new("b", "")
        .unwrap()
        .since(Timestamp::MAX)
        .until(Timestamp::MIN);
    assert_eq!(
        holds.place(&backwards).await.unwrap_err().kind(),
        ErrorKind::Invalid
    );
    for name in ["", "a\nb", &"x".repeat(129)] {
        assert_eq!(Hold::new(name, "").unwrap_err().kind(), ErrorKind::Invalid);
    }
    let listed = holds.list().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].name.as_str(), listed[0].reason.as_str()),
        ("all", "of time")
    );
    assert!(listed[0].placed_at.is_some());
    let partitions = maintainer.partitions().list().await.unwrap();
    assert!(partitions.iter().all(audit_postgres::Partition::is_held));
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_anywhere_it_is_finished_by_the_next() {
    let mut n_awaits = 0;
    loop {
        let (database, maintainer, _) = filled().await;
        let plan = plan(&maintainer).await;
        let retention = maintainer.retention();
        let done = interrupt(n_awaits, retention.apply(&plan)).await;
        let is_done = done.is_some();
        if !is_done {
            maintainer.retention().apply(&plan).await.unwrap();
        }
        assert_eq!(
            years(&database).await,
            ["2020", "2021"],
            "dropped at {n_awaits}"
        );
        let records: Vec<String> = database
            .values("SELECT partition_name FROM audit_retention WHERE removed_at IS NOT NULL AND n_events = 1 ORDER BY 1")
            .await;
        assert_eq!(
            records,
            ["audit_events_2018", "audit_events_2019"],
            "dropped at {n_awaits}"
        );
        let n_left: i64 = database
            .value("SELECT count(*) FROM pg_class WHERE relname LIKE 'audit_events_201%' AND relkind = 'r'")
            .await;
        assert_eq!(n_left, 0, "dropped at {n_awaits}");
        database.drop().await;
        if is_done {
            // How often it waits depends on how quickly the server answers.
            assert!(n_awaits > 3);
            return;
        }
        n_awaits += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_anywhere_a_hold_brings_everything_back() {
    for n_awaits in (0..).step_by(2) {
        let (database, maintainer, sink) = filled().await;
        let plan = plan(&maintainer).await;
        let retention = maintainer.retention();
        let done = interrupt(n_awaits, retention.apply(&plan)).await;
        let is_done = done.is_some();
        maintainer
            .holds()
            .place(&Hold::new("all", "").unwrap())
            .await
            .unwrap();
        // What was dropped until then is gone; of the rest, nothing.
        let n_removed: i64 = database
            .value("SELECT count(*) FROM audit_retention WHERE removed_at IS NOT NULL")
            .await;
        maintainer.retention().apply(&plan).await.unwrap();
        let expected = &["2018", "2019", "2020", "2021"][usize::try_from(n_removed).unwrap()..];
        assert_eq!(years(&database).await, expected, "dropped at {n_awaits}");
        let n_open: i64 = database
            .value("SELECT count(*) FROM audit_retention WHERE removed_at IS NULL")
            .await;
        assert_eq!(n_open, 0);
        append_at(&sink, &["2018-07-01T00:00:00Z", "2019-07-01T00:00:00Z"]).await;
        database.drop().await;
        if is_done {
            return;
        }
    }
}

/// A maintainer whose patience is short, and a transaction that uses the table.
async fn stuck(database: &Database, maintainer: &PostgresMaintainer) -> RetentionPlan {
    let plan = plan(maintainer).await;
    let mut open = database.pool.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM audit_events")
        .execute(&mut *open)
        .await
        .unwrap();
    let retention = maintainer
        .retention()
        .lock_timeout(Duration::from_millis(200));
    let error = retention.apply(&plan).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    open.rollback().await.unwrap();
    let pending: i64 = database
        .value("SELECT count(*) FROM audit_partitions WHERE is_detaching")
        .await;
    assert_eq!(pending, 1);
    plan
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detach_that_hangs_is_finished_later() {
    let (database, maintainer, _) = filled().await;
    let plan_before = stuck(&database, &maintainer).await;
    let shown = plan(&maintainer).await.to_string();
    assert!(shown.contains("an interrupted removal"), "{shown}");
    let report = maintainer.retention().apply(&plan_before).await.unwrap();
    assert_eq!(report.removed.len(), 2, "{report:?}");
    assert_eq!(years(&database).await, ["2020", "2021"]);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_event_finds_a_place_beside_a_detach_that_hangs() {
    let (database, maintainer, sink) = filled().await;
    let plan = stuck(&database, &maintainer).await;
    append_at(&sink, &["2018-07-01T00:00:00Z"]).await;
    assert_eq!(years(&database).await, ["2018", "2019", "2020", "2021"]);
    // A hold brings back what was half removed, although its range was given away.
    let hold = Hold::new("h", "")
        .unwrap()
        .until(at("2018-12-31T00:00:00Z"));
    maintainer.holds().place(&hold).await.unwrap();
    let report = maintainer.retention().apply(&plan).await.unwrap();
    assert_eq!(report.removed.len(), 1, "{report:?}");
    assert_eq!(years(&database).await, ["2018", "2018", "2020", "2021"]);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_detached_is_not_dropped() {
    let (database, maintainer, _) = filled().await;
    let plan = plan(&maintainer).await;
    database
        .run("ALTER TABLE audit_events DETACH PARTITION audit_events_2018")
        .await;
    let report = maintainer.retention().apply(&plan).await.unwrap();
    assert_eq!(report.kept, ["audit_events_2018"]);
    let n: i64 = database
        .value("SELECT count(*) FROM audit_events_2018")
        .await;
    assert_eq!(n, 1);
    // Also a table of the same name is none that the plan meant.
    database
        .run("ALTER TABLE audit_events_2018 RENAME TO archived; CREATE TABLE audit_events_2018 (x int)")
        .await;
    maintainer.retention().apply(&plan).await.unwrap();
    database.run("SELECT x FROM audit_events_2018").await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_maintainers_remove_each_partition_once() {
    let (database, maintainer, _) = filled().await;
    let plan = plan(&maintainer).await;
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let (config, plan) = (database.config(), plan.clone());
            tokio::spawn(async move {
                let maintainer = PostgresMaintainer::connect(&config).await?;
                maintainer.retention().apply(&plan).await
            })
        })
        .collect();
    let mut n_removed = 0;
    for task in tasks {
        n_removed += task.await.unwrap().unwrap().removed.len();
    }
    assert_eq!(n_removed, 2);
    let n_records: i64 = database.value("SELECT count(*) FROM audit_retention").await;
    assert_eq!(n_records, 2);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_maintainer_is_not_waited_for_without_an_end() {
    let (database, maintainer, _) = filled().await;
    let plan = plan(&maintainer).await;
    let mut other = database.pool.acquire().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(hashtextextended('audit retention', 'audit_retention'::regclass::oid::bigint))")
        .execute(&mut *other)
        .await
        .unwrap();
    let retention = maintainer
        .retention()
        .lock_timeout(Duration::from_millis(100));
    let error = retention.apply(&plan).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("another maintainer"), "{error}");
    drop(other);
    assert_eq!(years(&database).await.len(), 4);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_go_on_while_a_partition_is_removed() {
    let (database, maintainer, sink) = filled().await;
    let plan = plan(&maintainer).await;
    // A reader that takes its time holds the removal up.
    let mut open = database.pool.begin().await.unwrap();
    sqlx::query("SELECT count(*) FROM audit_events")
        .execute(&mut *open)
        .await
        .unwrap();
    let removal = tokio::spawn(async move { maintainer.retention().apply(&plan).await });
    while 0
        == database
            .value::<i64>("SELECT count(*) FROM audit_partitions WHERE is_detaching")
            .await
    {}
    for number in 10..60 {
        let event = event_at(at("2021-07-01T00:00:00Z"), number);
        assert!(sink.append(&[event]).await.unwrap().is_all_kept());
    }
    assert!(!removal.is_finished());
    open.rollback().await.unwrap();
    assert_eq!(removal.await.unwrap().unwrap().removed.len(), 2);
    let n: i64 = database.value("SELECT count(*) FROM audit_events").await;
    assert_eq!(n, 52);
    database.drop().await;
}

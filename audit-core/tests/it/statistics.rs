//! What statistics count, by numbers that were worked out by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use audit_core::event::{
    AuditEvent, Check, CheckName, Decision, Latency, Outcome, Reason, Timestamp, ToolName,
};
use audit_core::reader::{
    Condition, Filter, GroupBy, GroupKey, Statistics, StatisticsRequest, TextField, TimeBucket,
};
use audit_testkit::fixture;

fn event(number: u64, tool: Option<&str>, outcome: Outcome, millis: u64) -> AuditEvent {
    let draft = fixture::draft(number)
        .outcome(outcome)
        .latency(Latency::new(Duration::from_millis(millis)));
    let draft = match tool {
        Some(tool) => draft.tool_name(ToolName::new(tool).unwrap()),
        None => draft,
    };
    fixture::stamp(draft, number)
}

fn events() -> Vec<AuditEvent> {
    vec![
        event(1, Some("b"), Outcome::Ok, 10),
        event(2, Some("b"), Outcome::ToolError, 30),
        event(3, Some("a"), Outcome::Ok, 5),
        event(4, Some("a"), Outcome::Ok, 7),
        event(5, None, Outcome::Denied, 1),
        event(6, None, Outcome::Denied, 2),
        event(7, Some("c"), Outcome::Ok, 90),
    ]
}

fn by(group_by: GroupBy) -> StatisticsRequest {
    StatisticsRequest::new(Filter::all()).group_by(group_by)
}

fn named(name: &str) -> GroupKey {
    GroupKey::Text(name.into())
}

fn keys(found: &Statistics) -> Vec<(GroupKey, u64)> {
    let rows = found.rows.iter();
    rows.map(|row| (row.key.clone(), row.n_events)).collect()
}

#[test]
fn a_row_says_how_many_with_which_outcome_and_how_fast() {
    let found = Statistics::collect(&by(GroupBy::Nothing), &events());
    assert!(!found.is_capped);
    let [row] = &*found.rows else {
        panic!("one row, not {found:?}")
    };
    assert_eq!((&row.key, row.n_events), (&GroupKey::All, 7));
    let outcomes = [
        (Outcome::Denied, 2),
        (Outcome::Ok, 4),
        (Outcome::ToolError, 1),
    ];
    assert_eq!(row.outcomes, BTreeMap::from(outcomes));
    // Sorted: 1, 2, 5, 7, 10, 30, 90; the ranks of seven are 4, 7, 7 and 7.
    let of = row.latency_ms;
    assert_eq!(
        [of.p50, of.p95, of.p99, of.max].map(Latency::as_millis),
        [7.0, 90.0, 90.0, 90.0]
    );
}

#[test]
fn groups_of_one_size_stand_in_the_order_of_their_keys() {
    let by_tool = by(GroupBy::Text(TextField::Tool));
    let mut events = events();
    let expected = [
        (GroupKey::Absent, 2),
        (named("a"), 2),
        (named("b"), 2),
        (named("c"), 1),
    ];
    for _ in 0..events.len() {
        events.rotate_left(1);
        assert_eq!(keys(&Statistics::collect(&by_tool, &events)), expected);
    }
}

#[test]
fn of_too_many_groups_the_largest_stay() {
    let by_tool = by(GroupBy::Text(TextField::Tool));
    for (limit, is_capped) in [(1, true), (3, true), (4, false), (5, false)] {
        let request = by_tool.clone().limit(limit).unwrap();
        let found = Statistics::collect(&request, &events());
        assert_eq!(found.is_capped, is_capped, "{limit}");
        assert_eq!(found.rows.len(), std::cmp::min(limit, 4));
        assert_eq!(found.rows[0].key, GroupKey::Absent);
    }
}

#[test]
fn events_are_grouped_by_outcome_and_by_what_each_check_said() {
    let reason = |text: &str| Reason::new(text).unwrap();
    let decided = |number, decision| {
        let draft = fixture::draft(number).decision(decision);
        fixture::stamp(draft, number)
    };
    let events = [
        decided(1, Decision::new().auth(Check::denied(reason("no key")))),
        decided(2, Decision::new().auth(Check::denied(reason("old key")))),
        decided(3, Decision::new().auth(Check::error(reason("old key")))),
        decided(
            4,
            Decision::allowed().rate(Check::denied(reason("too fast"))),
        ),
    ];
    let found = |group_by| keys(&Statistics::collect(&by(group_by), &events));
    assert_eq!(found(GroupBy::Outcome), [(named("ok"), 4)]);
    assert_eq!(
        found(GroupBy::Reason(CheckName::Auth)),
        [
            (named("old key"), 2),
            (GroupKey::Absent, 1),
            (named("no key"), 1)
        ]
    );
    assert_eq!(
        found(GroupBy::Reason(CheckName::Rate)),
        [(GroupKey::Absent, 3), (named("too fast"), 1)]
    );
    assert_eq!(
        found(GroupBy::Verdict(CheckName::Auth)),
        [
            (named("denied"), 2),
            (named("allowed"), 1),
            (named("error"), 1)
        ]
    );
    assert_eq!(
        found(GroupBy::Verdict(CheckName::Authz)),
        [(named("skipped"), 3), (named("allowed"), 1)]
    );
}

#[test]
fn stretches_of_time_stand_in_their_order_and_the_latest_stay() {
    // The first fixture is of 22:13:20.001 o'clock; a number is a millisecond.
    let numbers = [1, 39_999, 40_000, 99_999, 100_000, 100_001, 160_000];
    let events: Vec<_> = numbers
        .map(|number| event(number, None, Outcome::Ok, 1))
        .into();
    let minute = |minute: i64| {
        let micros = 1_700_000_000_000_000 - 20_000_000 + minute * 60_000_000;
        GroupKey::Time(Timestamp::from_micros(micros).unwrap())
    };
    let rows = [
        (minute(0), 2),
        (minute(1), 2),
        (minute(2), 2),
        (minute(3), 1),
    ];
    let by_minute = by(GroupBy::Time(TimeBucket::Minute));
    assert_eq!(keys(&Statistics::collect(&by_minute, &events)), rows);
    let capped = Statistics::collect(&by_minute.limit(3).unwrap(), &events);
    assert!(capped.is_capped);
    assert_eq!(keys(&capped), rows[1..]);
}

#[test]
fn only_what_the_filter_asks_for_is_counted() {
    let denied = Filter::all().with(Condition::Outcome(Outcome::Denied));
    let found = Statistics::collect(&StatisticsRequest::new(denied), &events());
    assert_eq!(keys(&found), [(GroupKey::All, 2)]);
    let none = Filter::all().with(Condition::Outcome(Outcome::Timeout));
    let found = Statistics::collect(&StatisticsRequest::new(none), &events());
    assert_eq!((found.rows.len(), found.is_capped), (0, false));
}

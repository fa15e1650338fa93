//! What filters mean, by hand-written tables: the conformance suite asks every
//! store for what `Filter::matches` says, so this is where that is said right.

use std::time::Duration;

use audit_core::Glob;
use audit_core::event::{CheckName, Latency, Outcome, StatusCode, Verdict};
use audit_core::reader::{Condition, Filter, Span, TextField};
use audit_testkit::fixture;

fn text(field: TextField, glob: &str) -> Condition {
    Condition::Text(field, Glob::new(glob))
}

fn status(status: u16) -> StatusCode {
    StatusCode::new(status).unwrap()
}

fn millis(millis: u64) -> Latency {
    Latency::new(Duration::from_millis(millis))
}

#[test]
fn each_condition_asks_what_it_says() {
    // Every field is set: the key is `k_fixture`, the rate limit said no, the status is 429.
    let event = fixture::full_event(1);
    let small = fixture::event(1);
    let cases = [
        (text(TextField::Key, "k_fix*"), true, true),
        (text(TextField::Key, "K_FIX*"), false, false),
        (text(TextField::Role, "operator"), true, false),
        (text(TextField::Method, "tools/*"), true, true),
        (text(TextField::Tool, "delete_*"), true, false),
        (text(TextField::Upstream, "crm.*"), true, false),
        (text(TextField::Session, "*"), true, false),
        (text(TextField::RequestId, "17"), true, false),
        (text(TextField::ClientName, "inspector"), true, false),
        (text(TextField::ClientVersion, "1.2.3"), true, false),
        (text(TextField::ClientAddress, "192.0.2.*"), true, false),
        (text(TextField::Writer, "fixture-1"), true, true),
        (Condition::Absent(TextField::Upstream), false, true),
        (Condition::Absent(TextField::Method), false, false),
        (Condition::Id(fixture::event_id(1)), true, true),
        (Condition::Id(fixture::event_id(2)), false, false),
        (Condition::Outcome(Outcome::RateLimited), true, false),
        (Condition::Outcome(Outcome::Ok), false, true),
        (Condition::Status(Span::at_least(status(400))), true, false),
        (Condition::Status(Span::at_most(status(428))), false, true),
        (Condition::Status(Span::exactly(status(429))), true, false),
        (
            Condition::Latency(Span::at_least(millis(1_234))),
            true,
            false,
        ),
        (
            Condition::Latency(Span::between(millis(1), millis(2))),
            false,
            true,
        ),
        (
            Condition::UpstreamLatency(Span::at_least(millis(0))),
            true,
            false,
        ),
        (
            Condition::Time(Span::exactly(fixture::moment(1))),
            true,
            true,
        ),
        (
            Condition::Time(Span::at_least(fixture::moment(2))),
            false,
            false,
        ),
        (
            Condition::Verdict(CheckName::Rate, Verdict::Denied),
            true,
            false,
        ),
        (
            Condition::Verdict(CheckName::Auth, Verdict::Denied),
            false,
            false,
        ),
        (Condition::Contains("BUCKET EMPTY".into()), true, false),
        (Condition::Contains("per-KEY".into()), true, false),
        (Condition::Contains("INSPECT".into()), true, false),
        (Condition::Contains("c-17".into()), false, false),
        (Condition::Redacted, false, false),
    ];
    for (condition, of_full, of_small) in cases {
        let filter = Filter::all().with(condition.clone());
        let found = (filter.matches(&event), filter.matches(&small));
        assert_eq!(found, (of_full, of_small), "{condition}");
        let without = Filter::all().without(condition.clone());
        assert_eq!(
            (without.matches(&event), without.matches(&small)),
            (!of_full, !of_small),
            "-{condition}"
        );
    }
}

#[test]
fn one_field_is_or_and_two_fields_are_and() {
    let event = fixture::full_event(1);
    let (yes, no) = (
        text(TextField::Role, "operator"),
        text(TextField::Role, "admin"),
    );
    let other = text(TextField::Tool, "search");
    assert!(
        Filter::all()
            .with(no.clone())
            .with(yes.clone())
            .matches(&event)
    );
    assert!(
        !Filter::all()
            .with(yes.clone())
            .with(other.clone())
            .matches(&event)
    );
    assert!(
        !Filter::all()
            .with(yes.clone())
            .without(yes.clone())
            .matches(&event)
    );
    assert!(Filter::all().with(yes).without(other).matches(&event));
    assert!(!Filter::all().with(no).matches(&event));
}

#[test]
fn an_intersection_never_widens() {
    let event = fixture::full_event(1);
    let (yes, no) = (
        text(TextField::Role, "operator"),
        text(TextField::Role, "admin"),
    );
    let (mine, theirs) = (
        Filter::all().with(yes.clone()),
        Filter::all().with(no.clone()),
    );
    assert!(!mine.clone().intersect(theirs.clone()).matches(&event));
    assert!(!theirs.intersect(mine.clone()).matches(&event));
    assert!(mine.clone().intersect(Filter::all()).matches(&event));
    let either = Filter::all().with(no).with(yes);
    let both = mine.intersect(either);
    assert!(both.matches(&event));
    assert_eq!(both.alternatives().len(), 2, "two groups about one field");
    assert_eq!(
        both.to_string(),
        r#"role:"operator" & role:"admin" role:"operator""#
    );
}

#[test]
fn a_value_cannot_pass_for_another_term() {
    let sly = Glob::exact("a\" -role:\"b\\*");
    let filter = Filter::all().with(Condition::Text(TextField::Tool, sly));
    assert_eq!(filter.to_string(), r#"tool:"a\" -role:\"b\\\\\\*""#);
}

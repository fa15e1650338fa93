//! The filter grammar: what people type, what they mean, and what they are told when it is nothing.

use audit_core::event::Timestamp;
use audit_core::reader::{Filter, InvalidFilter, moment};
use audit_testkit::{fixture, strategy};
use proptest::prelude::*;

fn now() -> Timestamp {
    moment("2026-03-04T12:00:00Z", Timestamp::MIN).unwrap()
}

fn parse(text: &str) -> Result<Filter, InvalidFilter> {
    Filter::parse(text, now())
}

#[test]
fn what_people_type_is_what_they_mean() {
    let uuid = fixture::event(1).id;
    let id = format!("id:{uuid}");
    for (text, printed) in [
        ("", ""),
        ("  \t", ""),
        ("tool:delete_*", r#"tool:"delete_*""#),
        (
            "outcome:denied,rate_limited",
            "outcome:denied outcome:rate_limited",
        ),
        ("-role:admin", r#"-role:"admin""#),
        (
            r#"key:k_7f3*  tool:"a b,\"c\"\\d""#,
            r#"key:"k_7f3*" tool:"a b,\"c\"d""#,
        ),
        (r#"tool:"a\\*b""#, r#"tool:"a\\*b""#),
        ("tool_name:x api_key_id:y", r#"tool:"x" key:"y""#),
        ("session:none", "session:none"),
        (r#"session:"none""#, r#"session:"none""#),
        ("status:500", "status:500..500"),
        ("status:>=500", "status:500.."),
        ("status:>500", "status:501.."),
        ("status:<=500", "status:..500"),
        ("status:<500", "status:..499"),
        ("status:500..599,404", "status:500..599 status:404..404"),
        ("seq:7..", "seq:7.."),
        ("latency:>250ms", "latency:250.001ms.."),
        ("latency:>=1.5s", "latency:1500ms.."),
        ("latency:<1s", "latency:..999.999ms"),
        ("latency:10us..2m", "latency:0.01ms..120000ms"),
        ("latency:>=7", "latency:7ms.."),
        ("upstream_latency:..5ms", "upstream_latency:..5ms"),
        ("since:24h", "time:2026-03-03T12:00:00.000000Z.."),
        (
            "until:2026-03-04 since:yesterday",
            "time:2026-03-03T00:00:00.000000Z..2026-03-04T00:00:00.000000Z",
        ),
        (
            "time:2026-03-01..2026-03-02 since:1h",
            "time:2026-03-01T00:00:00.000000Z..2026-03-02T00:00:00.000000Z & \
             time:2026-03-04T11:00:00.000000Z..",
        ),
        ("-time:>=1h", "-time:2026-03-04T11:00:00.000000Z.."),
        (
            "auth:denied -rate:skipped,error",
            "auth:denied -rate:skipped -rate:error",
        ),
        ("redacted:yes", "redacted:yes"),
        ("redacted:no", "-redacted:yes"),
        ("-redacted:no", "redacted:yes"),
        (
            "trace:4bf92f3577b34da6a3ce929d0e0e4736",
            "trace:4bf92f3577b34da6a3ce929d0e0e4736",
        ),
        ("span:00f067aa0ba902b7", "span:00f067aa0ba902b7"),
        (&id, &id),
        ("customer", r#""customer""#),
        ("a,b -\"c d\"", r#""a,b" -"c d""#),
        ("--x", r#"-"-x""#),
        ("a & b", r#""a" & "b""#),
        ("a&b", r#""a&b""#),
        ("tool:a tool:b & tool:c", r#"tool:"a" tool:"b" & tool:"c""#),
    ] {
        match parse(text) {
            Ok(filter) => assert_eq!(filter.to_string(), printed, "{text}"),
            Err(error) => panic!("{text}: {error}"),
        }
    }
}

#[test]
fn an_error_points_at_its_place_and_says_what_would_fit() {
    for (text, column, says) in [
        ("tol:x", 1, "did you mean tool:?"),
        ("tool:x  statsu:5", 9, "did you mean status:?"),
        ("Tool:x", 1, "did you mean tool:?"),
        ("http://x", 1, "quotes"),
        ("zzz:x", 1, "there are key, tool"),
        ("ü tol:x", 3, "tool"),
        ("outcome:denid", 9, "did you mean denied?"),
        ("outcome:denied,xyzzy", 16, "timeout"),
        ("auth:yes", 6, "allowed"),
        ("status:abc", 8, ">=500"),
        ("status:-1", 8, ">=500"),
        ("status:1000", 8, ">=500"),
        ("status:>999", 8, "nothing"),
        ("status:<0", 8, "nothing"),
        ("status:500..400", 8, "before it begins"),
        ("seq:0", 5, "begin with 1"),
        ("latency:fast", 9, "250ms"),
        ("latency:-1ms", 9, "250ms"),
        ("latency:1e3ms", 9, "250ms"),
        ("latency:infms", 9, "250ms"),
        ("time:never", 6, "15m"),
        ("since:tomorrow", 7, "15m"),
        ("since:1h since:2h", 16, "time:A..B"),
        ("since:1h,2h", 7, "time:A..B"),
        ("-since:1h", 8, "until:"),
        ("since:1h until:2h", 16, "before it begins"),
        ("id:123", 4, "UUIDv7"),
        ("trace:xyz", 7, "32 digits"),
        ("redacted:maybe", 10, "yes or no"),
        ("tool:", 6, "no value"),
        ("tool: x", 6, "no value"),
        ("tool:a,", 8, "no value"),
        ("tool:\"a", 6, "no end"),
        ("\"a\\", 1, "no end"),
        ("tool:\"a\"b", 9, "behind the quote"),
        ("\"a\"b", 4, "behind the quote"),
        ("-", 1, "minus"),
        ("a - b", 3, "minus"),
    ] {
        match parse(text) {
            Ok(filter) => panic!("{text:?} was read as {filter}"),
            Err(error) => {
                assert_eq!(error.column(), column, "{text:?}: {error}");
                assert!(error.to_string().contains(says), "{text:?}: {error}");
            }
        }
    }
}

#[test]
fn terms_about_a_field_widen_and_others_narrow() {
    let event = fixture::full_event(1);
    for (text, is_asked_for) in [
        ("", true),
        ("tool:delete_*,search", true),
        ("tool:search", false),
        ("tool:delete_* role:operator", true),
        ("tool:delete_* role:admin", false),
        ("tool:delete_* -role:operator", false),
        ("tool:search & tool:delete_*", false),
        ("key:none", false),
    ] {
        assert_eq!(parse(text).unwrap().matches(&event), is_asked_for, "{text}");
    }
}

proptest! {
    #[test]
    fn what_a_filter_prints_is_read_back(
        filter in strategy::filters(&[fixture::full_event(1), fixture::event(2)]),
    ) {
        let printed = filter.to_string();
        match parse(&printed) {
            Ok(read) => prop_assert_eq!(read, filter, "{}", printed),
            // A program can ask for an empty range; a person who does has made a mistake.
            Err(error) => prop_assert!(error.to_string().contains("before it begins"), "{}", error),
        }
    }

    #[test]
    fn no_text_breaks_the_parser(
        text in r#"\PC{0,40}|([a-z_]{1,8}:|-|"|\\|,|&|\.\.|[<>]=?|[0-9]{1,20}|[a-zäß*]{1,4}| ){0,16}"#,
    ) {
        match parse(&text) {
            // What is printed means the same at any moment.
            Ok(filter) => prop_assert_eq!(
                Filter::parse(&filter.to_string(), Timestamp::MIN),
                Ok(filter)
            ),
            Err(error) => {
                prop_assert!(error.column() <= text.chars().count() + 1, "{}", error);
            }
        }
    }

    #[test]
    fn a_read_filter_prints_itself(
        text in "(-?(tool|key|status|latency|outcome|time|redacted):[a-z0-9.>=,*]{1,8} ?){1,4}",
    ) {
        if let Ok(filter) = parse(&text) {
            prop_assert_eq!(parse(&filter.to_string()), Ok(filter));
        }
    }
}

//! README's first command.

use audit_core::event::AuditEvent;

use crate::store::{Store, audit, ran};

#[test]
fn every_call_of_the_demo_has_one_record_with_the_right_outcome() {
    let store = Store::none();
    let address = format!("sqlite:{}", store.path().display());
    let ran_demo = ran(audit(&["demo", "--store", &address]));
    assert_eq!(ran_demo.code, 0, "{ran_demo:?}");
    assert!(
        ran_demo
            .out
            .contains("14 calls, 14 records, 0 that are not as they should be"),
        "{}",
        ran_demo.out
    );
    assert!(
        ran_demo.out.contains("None were found of"),
        "{}",
        ran_demo.out
    );

    let mut outcomes: Vec<String> = store
        .audit(&["events"])
        .out
        .lines()
        .map(|line| AuditEvent::from_json(line).unwrap().outcome.to_string())
        .collect();
    outcomes.sort();
    assert_eq!(
        outcomes,
        [
            "cancelled",
            "denied",
            "invalid_request",
            "ok",
            "ok",
            "ok",
            "ok",
            "ok",
            "rate_limited",
            "rpc_error",
            "timeout",
            "tool_error",
            "unauthenticated",
            "unauthenticated",
        ]
    );
    assert_eq!(store.audit(&["doctor"]).code, 0);
}

#[test]
fn the_demo_needs_no_disk() {
    let ran = ran(audit(&["demo", "--store", "memory:"]));
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = ran(audit(&["demo", "--store", "memory:", "--listen", &address]));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains(&address) && ran.err.contains("--listen"),
        "{ran:?}"
    );
}

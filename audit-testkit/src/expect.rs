//! Comparisons whose failure shows what was expected, what came, and the event.

use std::fmt::Debug;

use audit_core::Error;
use audit_core::event::AuditEvent;

/// What a sink or reader answered; fails if that is an error.
#[track_caller]
pub(crate) fn ok<T>(promise: &str, answer: Result<T, Error>) -> T {
    answer.unwrap_or_else(|error| panic!("{promise}\nexpected: Ok\n     got: {error:?}"))
}

/// Fails unless both are equal.
#[track_caller]
pub(crate) fn same<T: Debug + PartialEq>(promise: &str, expected: &T, got: &T) {
    assert!(
        expected == got,
        "{promise}\nexpected: {expected:?}\n     got: {got:?}"
    );
}

/// Fails unless both are equal, and shows the event.
#[track_caller]
pub(crate) fn same_about<T: Debug + PartialEq>(
    promise: &str,
    event: &AuditEvent,
    expected: &T,
    got: &T,
) {
    assert!(
        expected == got,
        "{promise}\nexpected: {expected:?}\n     got: {got:?}\n   event: {event:?}"
    );
}

/// Fails unless both are the same events in the same order. Shows the first difference; payloads
/// are compared and not shown.
#[track_caller]
pub(crate) fn same_events(promise: &str, expected: &[AuditEvent], got: &[AuditEvent]) {
    let pairs = expected.iter().zip(got);
    if let Some((index, (expected, got))) = pairs.enumerate().find(|(_, (a, b))| a != b) {
        let payloads = if **expected == **got {
            "\n    note: nothing but the payloads differs"
        } else {
            ""
        };
        panic!("{promise}: event {index}\nexpected: {expected:?}\n     got: {got:?}{payloads}");
    }
    let (n_expected, n_got) = (expected.len(), got.len());
    if n_expected == n_got {
        return;
    }
    let (title, odd) = if n_expected > n_got {
        ("the first that is missing", &expected[n_got])
    } else {
        ("the first too many", &got[n_expected])
    };
    panic!("{promise}\nexpected: {n_expected} events\n     got: {n_got}\n{title}: {odd:?}");
}

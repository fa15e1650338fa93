//! How a broken sink is caught, and that no case is without one.

use std::any::Any;

use audit_testkit::Harness;
use audit_testkit::conformance::{self, CASES, Case};

use super::quirk::{Intact, Tables};

audit_testkit::conformance!(intact, Tables::<Intact>::default());

/// One broken sink: its name, and the case that is meant for it.
pub(super) type Catch = (&'static str, &'static str);

/// Makes a test of each broken sink, and a table of them all. `also` names the other cases that
/// such a sink cannot pass; `and more` stands for too many to name.
macro_rules! catches {
    ($(
        $name:ident: $quirk:ty => $case:ident
            $(, also [$($other:ident),+ $(,)?])? $(, and $more:ident)?,
            says $text:literal;
    )+) => {
        pub(super) const CATCHES: &[$crate::broken::catching::Catch] = &[
            $((stringify!($name), stringify!($case)),)+
        ];

        $(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                let open = $crate::broken::quirk::Tables::<$quirk>::default;
                let also = [$($(stringify!($other)),+)?];
                let failed = $crate::broken::catching::failed_but(
                    open, stringify!($case), $text,
                ).await;
                let has_more = [$(stringify!($more),)?].contains(&"more");
                $crate::broken::catching::are_caught_also(&failed, &also, has_more);
            }
        )+
    };
}

pub(super) use catches;

/// The cases that fail on the broken sink, but for the one that is meant for it, which has to
/// fail by saying what is broken. That the intact store passes them all is a test of each case,
/// above.
pub(super) async fn failed_but<H: Harness + 'static>(
    harness: fn() -> H,
    meant: &str,
    text: &str,
) -> Vec<&'static str> {
    let mut failed = Vec::new();
    let capabilities = harness().capabilities();
    for case in CASES.iter().filter(|case| case.applies_to(&capabilities)) {
        let message = failure(case, harness()).await;
        if case.name() == meant {
            let message = message.as_deref().unwrap_or("(it passes)");
            assert!(
                message.contains(text),
                "`{meant}` says what is broken\nexpected: {text}\n     got: {message}"
            );
            let shows_both = message.contains("got:") && !message.contains("\"query\"");
            assert!(
                shows_both,
                "it shows what came, and no payload\n     got: {message}"
            );
        } else {
            failed.extend(message.map(|_| case.name()));
        }
    }
    failed
}

pub(super) fn are_caught_also(failed: &[&str], expected: &[&str], has_more: bool) {
    let unexpected = failed.iter().filter(|case| !expected.contains(case));
    let unexpected: Vec<_> = unexpected.filter(|_| !has_more).collect();
    let passed: Vec<_> = expected
        .iter()
        .filter(|case| !failed.contains(case))
        .collect();
    let nothing: [&&str; 0] = [];
    assert_eq!(unexpected, nothing, "no other case fails on this sink");
    assert_eq!(passed, nothing, "the other cases that are named fail, too");
}

/// What the case says, if it fails.
async fn failure<H: Harness + 'static>(case: &'static Case, harness: H) -> Option<String> {
    let deadline = harness.capabilities().patience * 6;
    let run = tokio::spawn(async move { case.run(&harness).await });
    let Ok(ended) = tokio::time::timeout(deadline, run).await else {
        return Some("the case does not end".into());
    };
    let panic = ended.err()?.into_panic();
    Some(text_of(&*panic))
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_default()
}

#[test]
fn every_case_is_meant_for_a_broken_sink() {
    let groups = [
        super::altering::CATCHES,
        super::answering::CATCHES,
        super::closing::CATCHES,
        super::following::CATCHES,
        super::keeping::CATCHES,
        super::racing::CATCHES,
        super::refusing::CATCHES,
    ];
    let meant: Vec<&str> = groups.concat().iter().map(|(_, case)| *case).collect();
    let unproven: Vec<&str> = CASES
        .iter()
        .map(Case::name)
        .filter(|case| !meant.contains(case))
        .collect();
    assert_eq!(
        unproven, [""; 0],
        "a case that catches nothing proves nothing"
    );
    assert!(meant.iter().all(|case| conformance::find(case).is_some()));
}

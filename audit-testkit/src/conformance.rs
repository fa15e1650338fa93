//! The suite: a case for each promise of the contracts.
//!
//! [`conformance!`](crate::conformance!) makes a test of each case; [`run`] runs one by name, and
//! [`CASES`] lists them for whoever wants to run them in another way.

use std::fmt;
use std::pin::Pin;

use crate::capabilities::Capabilities;
use crate::cases;
use crate::harness::Harness;

/// One case: a promise, and how it is tested.
#[derive(Clone, Copy)]
pub struct Case {
    name: &'static str,
    applies: fn(&Capabilities) -> bool,
    run: for<'a> fn(&'a dyn Harness) -> CaseFuture<'a>,
}

/// A case that is under way. It panics if the promise is broken.
pub type CaseFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl Case {
    /// The promise as a sentence; the name of the test.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether a sink with these capabilities can be asked.
    #[must_use]
    pub fn applies_to(&self, capabilities: &Capabilities) -> bool {
        (self.applies)(capabilities)
    }

    /// Runs the case on the runtime that polls it, whatever the capabilities are.
    #[must_use]
    pub fn run<'a>(&self, harness: &'a dyn Harness) -> CaseFuture<'a> {
        (self.run)(harness)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Case").field(&self.name).finish()
    }
}

/// The case of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| case.name == name)
}

/// The cases that these capabilities leave out.
#[must_use]
pub fn left_out(capabilities: &Capabilities) -> Vec<&'static str> {
    let missing = CASES.iter().filter(|case| !case.applies_to(capabilities));
    missing.map(Case::name).collect()
}

/// Runs the case of this name on a runtime of its own, as the tests of
/// [`conformance!`](crate::conformance!) do.
///
/// # Panics
/// The promise is broken, the case does not end within six times the
/// [patience](Capabilities::patience), or there is no case of this name.
pub fn run(name: &str, harness: impl Harness) {
    let case = find(name).unwrap_or_else(|| panic!("the suite has no case `{name}`"));
    let capabilities = harness.capabilities();
    if !case.applies_to(&capabilities) {
        eprintln!("`{name}` is left out: the sink's capabilities do not declare what it asks for");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for one test can be built");
    let deadline = capabilities.patience * 6;
    runtime.block_on(async {
        let ended = tokio::time::timeout(deadline, case.run(&harness)).await;
        assert!(ended.is_ok(), "`{name}` did not end within {deadline:?}");
    });
}

/// Makes a module of tests, one for each case of the suite, for what a harness opens.
///
/// The second argument is an expression that makes a [`Harness`], such as the
/// name of an async function that gives a [`Subject`](crate::Subject). It is evaluated for each
/// test.
#[macro_export]
macro_rules! conformance {
    ($name:ident, $harness:expr $(,)?) => {
        mod $name {
            #[allow(unused_imports, reason = "the harness may name what stands around it")]
            use super::*;

            $crate::__for_each_case! { __conformance_tests, $harness }
        }
    };
}

/// The tests of [`conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ([$harness:expr] $($group:ident { $($case:ident $(if $needs:ident)?,)+ })+) => {
        $($(
            #[test]
            fn $case() {
                $crate::conformance::run(stringify!($case), $harness);
            }
        )+)+
    };
}

/// The list of cases, in the order of the contract; `if` names the capability that one asks for.
#[doc(hidden)]
#[macro_export]
macro_rules! __for_each_case {
    ($callback:ident $(, $argument:expr)?) => {
        $crate::$callback! {
            [$($argument)?]
            durability {
                ok_means_a_reader_sees_it,
                ok_survives_reopen if survives_reopen,
                flush_waits_for_the_last_store,
            }
            idempotency {
                appending_again_changes_nothing,
                another_number_makes_no_other_event,
                a_repeat_within_a_batch_is_stored_once,
            }
            conflict {
                other_content_under_an_id_is_refused if has_exact_receipts,
                what_was_stored_first_stays,
            }
            refusal {
                a_refused_event_leaves_its_neighbors,
                an_unstorable_event_is_refused_alone if refuses_an_event,
            }
            failure {
                a_failed_batch_keeps_nothing if fails_on_request,
                a_full_store_keeps_nothing_of_a_batch if is_bounded,
            }
            batch {
                receipts_stand_in_the_order_of_the_batch,
                an_empty_batch_touches_nothing,
                a_large_batch_is_stored_whole,
            }
            order {
                followers_see_the_order_of_appends,
                gaps_in_seq_are_listed,
            }
            concurrency {
                concurrent_appends_store_each_event_once,
            }
            cancel {
                a_cancelled_append_stores_all_or_nothing,
                a_cancelled_append_can_be_repeated,
                a_cancelled_close_can_be_repeated,
                a_cancelled_follow_can_be_repeated,
            }
            close {
                close_keeps_what_was_stored if is_readable_after_close,
                append_after_close_is_refused,
                closing_twice_is_ok,
                health_follows_the_state,
            }
            fidelity {
                texts_at_their_limits_come_back_equal,
                numbers_at_their_limits_come_back_equal,
                every_microsecond_comes_back_equal,
                payloads_come_back_equal,
                the_largest_event_comes_back_equal,
                any_event_comes_back_equal,
            }
            queries {
                an_event_is_found_by_its_id,
                a_page_holds_what_its_filter_matches,
                a_summary_is_its_event_without_payloads,
                a_count_is_of_what_its_filter_matches,
                a_count_ends_at_its_cap,
                statistics_are_of_what_their_filter_matches,
            }
            pages {
                pages_turn_forward_and_back,
                pages_neither_skip_nor_repeat_while_writes_go_on,
            }
            follow {
                following_goes_on_where_it_ended,
                followers_miss_no_late_event,
                a_waiting_follower_wakes,
                following_from_now_gives_what_comes,
                a_foreign_position_is_refused,
            }
        }
    };
}

/// Makes [`CASES`].
#[doc(hidden)]
#[macro_export]
macro_rules! __list_of_cases {
    ([] $($group:ident { $($case:ident $(if $needs:ident)?,)+ })+) => {
        &[$($(
            Case {
                name: stringify!($case),
                applies: |capabilities| {
                    let _ = capabilities;
                    true $(&& capabilities.$needs)?
                },
                run: |harness| Box::pin(cases::$group::$case(harness)),
            },
        )+)+]
    };
}

/// Every case, in the order of the contract.
pub const CASES: &[Case] = crate::__for_each_case!(__list_of_cases);

//! The generators reach what they are meant to reach.

use std::collections::BTreeSet;

use audit_core::event::{AuditEvent, Latency, Method, Outcome, Seq, Timestamp};
use audit_core::reader::Filter;
use audit_testkit::strategy;
use proptest::prelude::*;

#[test]
fn a_sample_is_the_same_in_every_run() {
    let (one, other) = (
        strategy::sample(&strategy::events(), 20),
        strategy::sample(&strategy::events(), 20),
    );
    assert_eq!(one, other);
}

#[test]
fn events_reach_the_ends_of_their_ranges() {
    let events = strategy::sample(&strategy::events(), 1_500);
    let some = |is_so: &dyn Fn(&AuditEvent) -> bool| events.iter().any(is_so);
    assert!(some(&|event| event.ts == Timestamp::MIN));
    assert!(some(&|event| event.ts == Timestamp::MAX));
    assert!(some(&|event| event.latency_ms == Latency::MAX));
    assert!(some(&|event| event.seq == Seq::MAX));
    assert!(some(
        &|event| event.method.as_str().chars().count() == Method::MAX_CHARS
    ));
    assert!(some(
        &|event| event.method.as_str().len() == 4 * Method::MAX_CHARS
    ));
    assert!(some(&|event| event.tool_name.is_none()));
    assert!(some(
        &|event| event.request().is_none() && event.response().is_some()
    ));
    let outcomes: BTreeSet<Outcome> = events.iter().map(|event| event.outcome).collect();
    assert_eq!(outcomes.len(), Outcome::ALL.len());
}

#[test]
fn filters_meet_some_events_and_miss_some() {
    let events = strategy::sample(&strategy::clusters(80), 1).remove(0);
    let filters = strategy::sample(&strategy::filters(&events), 300);
    let n_met = |filter: &Filter| events.iter().filter(|event| filter.matches(event)).count();
    let n_telling = filters
        .iter()
        .filter(|filter| (1..80).contains(&n_met(filter)))
        .count();
    assert!(
        n_telling > 100,
        "{n_telling} of 300 filters tell events apart"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_batch_has_ids_of_its_own(batch in strategy::batches(12)) {
        let ids: BTreeSet<_> = batch.iter().map(|event| event.id).collect();
        prop_assert_eq!(ids.len(), batch.len());
        prop_assert!(!batch.is_empty());
    }
}

//! Any event and any question, for proptest.

mod cluster;
mod event;
mod question;
mod text;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

pub use cluster::clusters;
pub use event::{batches, events, json, latencies, payloads, timestamps};
pub use question::{filters, group_bys, orders};
pub use text::texts;

/// So many values of a strategy, the same in every run: for async tests, which proptest's macro
/// does not run.
pub fn sample<S: Strategy>(strategy: &S, n_values: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    let value = |_| {
        strategy
            .new_tree(&mut runner)
            .expect("the strategy gives values")
            .current()
    };
    (0..n_values).map(value).collect()
}

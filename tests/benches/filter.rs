//! The filter grammar: `cargo xtask bench filter [--json]`.
//!
//! Filters as people type them, and as dashboards send them. The rival reads the same question as JSON,
//! which is what an API without a grammar would take.
#![allow(
    clippy::expect_used,
    reason = "a bench whose premise fails has no figures to show"
)]

use std::hint::black_box;

use audit_core::event::Timestamp;
use audit_core::reader::Filter;
use audit_tests::bench::{Bench, Options, Sample};
use serde_json::Value;

/// The names of a case and of its rival, a filter, and the same question as JSON.
const QUESTIONS: &[(&str, &str, &str, &str)] = &[
    (
        "one_term",
        "one_term_json",
        "tool:delete_*",
        r#"{"tool":["delete_*"]}"#,
    ),
    (
        "usual",
        "usual_json",
        "tool:delete_* outcome:denied",
        r#"{"tool":["delete_*"],"outcome":["denied"]}"#,
    ),
    (
        "long",
        "long_json",
        r#"tool:delete_*,drop_* outcome:denied,rate_limited -role:admin status:>=500 since:24h "free text""#,
        r#"{"tool":["delete_*","drop_*"],"outcome":["denied","rate_limited"],"not":{"role":["admin"]},"status":{"min":500},"since":"24h","text":["free text"]}"#,
    ),
];

fn main() -> Result<(), String> {
    let options = Options::from_args()?;
    let time = options.time_per_round();
    let now = Timestamp::from_micros(1_700_000_000_000_000).map_err(|error| error.to_string())?;
    let mut bench = Bench::new();
    for (name, rival, filter, json) in QUESTIONS {
        bench = bench
            .case_vs(*name, rival, move || {
                Sample::time_for(time, || {
                    Filter::parse(black_box(filter), now).expect("a filter")
                })
            })
            .case(*rival, move || {
                Sample::time_for(time, || {
                    serde_json::from_str::<Value>(black_box(json)).expect("JSON")
                })
            });
    }
    bench.run(options);
    Ok(())
}

//! `cargo xtask bench NAME`: figures of a release build.

use crate::command::cargo;

/// The benches, as files of `tests/benches`.
pub(crate) const NAMES: &[&str] = &[
    "export", "filter", "gateway", "ingest", "logger", "payload", "query",
];

/// Runs one bench of the package `audit-tests`.
pub(crate) fn run(name: &str, options: &[&str]) -> Result<(), String> {
    if !NAMES.contains(&name) {
        return Err(format!(
            "there is no bench {name}; there are: {}",
            NAMES.join(", ")
        ));
    }
    let mut arguments = vec![
        "bench",
        "--quiet",
        "--package",
        "audit-tests",
        "--bench",
        name,
        "--",
    ];
    arguments.extend(options);
    cargo(&arguments, &[])
}

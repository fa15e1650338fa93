//! `cargo xtask bench NAME`: figures of a release build.

use crate::command::cargo;

/// Runs one bench of the package `audit-tests`.
pub(crate) fn run(name: &str, options: &[&str]) -> Result<(), String> {
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

//! `cargo xtask crash`: the proof by crash, in a release build.

use crate::command::cargo;

/// Runs the program `audit-crash` of the package `audit-tests`.
pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    let mut arguments = vec![
        "run",
        "--quiet",
        "--release",
        "--package",
        "audit-tests",
        "--bin",
        "audit-crash",
        "--",
    ];
    arguments.extend(options);
    cargo(&arguments, &[])
}

//! `cargo xtask test`: what a newcomer runs.

use crate::command::{cargo, has_subcommand};

/// Runs all tests, or those whose names contain one of the filters.
pub(crate) fn run(filters: &[&str]) -> Result<(), String> {
    if has_subcommand("nextest") {
        nextest(filters)?;
    } else {
        eprintln!("cargo-nextest is not installed; the tests run under `cargo test`");
        cargo_test(filters)?;
    }
    if filters.is_empty() {
        // Nextest runs no doc tests.
        cargo(&["test", "--workspace", "--doc"], &[])?;
    }
    Ok(())
}

fn nextest(filters: &[&str]) -> Result<(), String> {
    let mut arguments = vec![
        "nextest",
        "run",
        "--workspace",
        "--all-features",
        "--no-fail-fast",
    ];
    arguments.extend(filters);
    cargo(&arguments, &[])
}

fn cargo_test(filters: &[&str]) -> Result<(), String> {
    let mut arguments = vec![
        "test",
        "--workspace",
        "--all-features",
        "--lib",
        "--bins",
        "--tests",
        "--no-fail-fast",
    ];
    arguments.push("--");
    arguments.extend(filters);
    cargo(&arguments, &[])
}

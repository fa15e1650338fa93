//! `cargo xtask test`: what a newcomer runs.

use crate::command::{cargo, has_subcommand};
use crate::postgres::Postgres;
use crate::privilege::may_mount;

/// What the names of tests contain that mount a file system.
const NEEDS_ROOT: &str = "needs_root";

const BUILD: &[&str] = &["--workspace", "--all-features"];

/// Runs all tests, or those whose names contain one of the filters.
pub(crate) fn run(filters: &[&str]) -> Result<(), String> {
    let has_nextest = has_subcommand("nextest");
    // What keeps the server is built along with the tests.
    if has_nextest {
        cargo(&[&["nextest", "run", "--no-run"], BUILD].concat(), &[])?;
    } else {
        eprintln!("cargo-nextest is not installed; the tests run under `cargo test`");
        cargo(&[&["test", "--no-run"], BUILD].concat(), &[])?;
    }
    let postgres = Postgres::start()?;
    let environment = postgres.environment();
    let may_mount = may_mount();
    if has_nextest {
        nextest(filters, may_mount, &environment)?;
    } else {
        cargo_test(filters, may_mount, &environment)?;
    }
    if filters.is_empty() {
        // Nextest runs no doc tests.
        cargo(&[&["test", "--doc"], BUILD].concat(), &environment)?;
    }
    if !may_mount {
        eprintln!(
            "NOT RUN: the tests named *{NEEDS_ROOT}*, which mount a file system; root may run them"
        );
    }
    Ok(())
}

fn nextest(filters: &[&str], may_mount: bool, environment: &[(&str, &str)]) -> Result<(), String> {
    let rest = format!("not test({NEEDS_ROOT})");
    let left_out: &[&str] = if may_mount { &[] } else { &["-E", &rest] };
    let run = &["nextest", "run", "--no-fail-fast"];
    cargo(&[run, BUILD, left_out, filters].concat(), environment)
}

fn cargo_test(
    filters: &[&str],
    may_mount: bool,
    environment: &[(&str, &str)],
) -> Result<(), String> {
    let left_out: &[&str] = if may_mount {
        &[]
    } else {
        &["--skip", NEEDS_ROOT]
    };
    let run = &["test", "--lib", "--bins", "--tests", "--no-fail-fast"];
    cargo(
        &[run, BUILD, &["--"], left_out, filters].concat(),
        environment,
    )
}

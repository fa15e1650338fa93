//! `cargo xtask test`: what a newcomer runs.

use std::path::Path;

use crate::command::{cargo, has_subcommand};
use crate::postgres::Postgres;
use crate::privilege::may_mount;

const BUILD: &[&str] = &["--workspace", "--all-features"];

/// Tests that cannot be run here: a part of their names, and what they want.
type LeftOut = (&'static str, &'static str);

/// Set where every test has to run, as on the machine of the CI; elsewhere it is enough to name
/// those that do not.
const ALL: &str = "AUDIT_TEST_ALL";

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

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
    let left_out = left_out(&postgres);
    let done = run_on(&postgres, filters, &left_out, has_nextest);
    for (name, want) in &left_out {
        eprintln!("NOT RUN: the tests named *{name}*, which want {want}");
    }
    let has_corpora = is_set("AUDIT_CORPORA");
    if !has_corpora {
        eprintln!("NOT RUN: inputs that others have collected; AUDIT_CORPORA names their folder");
    }
    done?;
    if is_set(ALL) && !(left_out.is_empty() && has_corpora) {
        return Err(format!(
            "{ALL} is set, so nothing may be left out; what was is above"
        ));
    }
    Ok(())
}

fn run_on(
    postgres: &Postgres,
    filters: &[&str],
    left_out: &[LeftOut],
    has_nextest: bool,
) -> Result<(), String> {
    let environment = postgres.environment();
    if has_nextest {
        nextest(filters, left_out, &environment)?;
    } else {
        cargo_test(filters, left_out, &environment)?;
    }
    if filters.is_empty() {
        // Nextest runs no doc tests.
        cargo(&[&["test", "--doc"], BUILD].concat(), &environment)?;
    }
    Ok(())
}

fn left_out(postgres: &Postgres) -> Vec<LeftOut> {
    let mut left_out = Vec::new();
    if !may_mount() {
        left_out.push(("needs_root", "the right to mount a file system"));
    }
    if !postgres.is_in_docker() {
        left_out.push(("needs_docker", "a running Docker"));
    }
    let has_web = is_installed("AUDIT_TEST_WEB", "target/web");
    if !has_web {
        left_out.push(("needs_web", "what .ci/install-web installs"));
    }
    if !(has_web && has_program("chromium") && has_program("chromedriver")) {
        let want = "chromium, chromedriver, and what .ci/install-web installs";
        left_out.push(("needs_browser", want));
    }
    if !is_installed("AUDIT_TEST_MCP", "target/mcp") {
        left_out.push(("needs_mcp", "what .ci/install-mcp installs"));
    }
    left_out
}

/// Whether the script of `.ci` that installs into this folder has come to its end.
fn is_installed(variable: &str, folder: &str) -> bool {
    let folder = std::env::var_os(variable).unwrap_or_else(|| folder.into());
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    root.join(folder).join("installed").exists()
}

fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn nextest(
    filters: &[&str],
    left_out: &[LeftOut],
    environment: &[(&str, &str)],
) -> Result<(), String> {
    let rest: Vec<String> = left_out
        .iter()
        .map(|(name, _)| format!("not test({name})"))
        .collect();
    let rest = rest.join(" and ");
    let selection: &[&str] = if rest.is_empty() { &[] } else { &["-E", &rest] };
    let run = &["nextest", "run", "--no-fail-fast"];
    cargo(&[run, BUILD, selection, filters].concat(), environment)
}

fn cargo_test(
    filters: &[&str],
    left_out: &[LeftOut],
    environment: &[(&str, &str)],
) -> Result<(), String> {
    let run = &["test", "--lib", "--bins", "--tests", "--no-fail-fast"];
    let mut arguments = [run, BUILD, &["--"], filters].concat();
    for (name, _) in left_out {
        arguments.extend(["--skip", name]);
    }
    cargo(&arguments, environment)
}

//! `cargo xtask check`: what has to hold beside the tests before a change lands.

use crate::bench;
use crate::command::{cargo, has_subcommand};

/// Runs all checks, the quickest first.
pub(crate) fn run() -> Result<(), String> {
    format()?;
    licences()?;
    lint()?;
    document()?;
    fuzz_targets_compile()?;
    benches_work()
}

fn format() -> Result<(), String> {
    cargo(&["fmt", "--all", "--check"], &[])
}

fn licences() -> Result<(), String> {
    if !has_subcommand("deny") {
        return Err("cargo-deny is missing: `cargo install --locked cargo-deny`".to_owned());
    }
    // The database of advisories is a repository to clone, which not every machine reaches.
    cargo(&["deny", "check", "bans", "licenses", "sources"], &[])
}

fn lint() -> Result<(), String> {
    cargo(
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ],
        &[],
    )
}

fn document() -> Result<(), String> {
    cargo(
        &[
            "doc",
            "--workspace",
            "--no-deps",
            "--all-features",
            "--document-private-items",
        ],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )
}

/// They stand outside of the workspace: nothing else would notice that they no longer fit it. The
/// flags that a fuzzer needs are only needed to run them.
fn fuzz_targets_compile() -> Result<(), String> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/Cargo.toml");
    cargo(&["check", "--locked", "--manifest-path", manifest], &[])
}

/// A bench that nobody runs is a bench that no longer runs.
fn benches_work() -> Result<(), String> {
    for name in bench::NAMES {
        cargo(
            &[
                "bench",
                "--profile",
                "dev",
                "--package",
                "audit-tests",
                "--bench",
                name,
                "--",
                "--quick",
            ],
            &[],
        )?;
    }
    Ok(())
}

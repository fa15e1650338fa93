//! Running programs.

use std::process::{Command, Stdio};

/// Runs `cargo` with these arguments and environment, its output passed through.
pub(crate) fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    eprintln!("\n$ cargo {}", arguments.join(" "));
    let status = Command::new(program())
        .args(arguments)
        .envs(environment.iter().copied())
        .status()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("`cargo {}` failed ({status})", arguments.join(" ")))
}

/// Cargo tells its own path, so that the same toolchain is used again.
fn program() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Whether a subcommand of cargo is installed.
pub(crate) fn has_subcommand(name: &str) -> bool {
    let found = Command::new(program())
        .args([name, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}

//! Running programs.

use std::process::{Command, Stdio};

/// Runs `cargo` with these arguments and environment, its output passed through.
pub(crate) fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    run("cargo", &program(), arguments, environment)
}

/// Runs a script of the project, its output passed through.
pub(crate) fn python(arguments: &[&str]) -> Result<(), String> {
    run("python3", "python3", arguments, &[])
}

fn run(
    name: &str,
    program: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<(), String> {
    let arguments_in_words = arguments.join(" ");
    eprintln!("\n$ {name} {arguments_in_words}");
    let status = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .status()
        .map_err(|error| format!("{name} cannot be started: {error}"))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("`{name} {arguments_in_words}` failed ({status})"))
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

//! What `.ci/install-mcp` has installed.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the repository.
fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A command that runs a script of `tests/mcp`.
pub(crate) fn script(name: &str) -> Command {
    let python = installed("venv/bin/python");
    let mut command = Command::new(python);
    command.arg(repository().join("tests/mcp").join(name));
    // What Python would keep beside the scripts.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn installed(path: &str) -> PathBuf {
    let folder = std::env::var_os("AUDIT_TEST_MCP").unwrap_or_else(|| "target/mcp".into());
    let path = repository().join(folder).join(path);
    assert!(
        path.exists(),
        "{} is not there: .ci/install-mcp installs it",
        path.display()
    );
    path
}

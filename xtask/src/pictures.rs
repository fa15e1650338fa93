//! `cargo xtask pictures`: the pictures of README, of the program as it is now.

use std::path::PathBuf;

use crate::command::{cargo, python};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Takes those that README shows.
pub(crate) fn take() -> Result<(), String> {
    photograph("docs/pictures", &[])
}

/// Takes those of the dashboard on a telephone, which nothing shows: to be looked at.
pub(crate) fn take_narrow() -> Result<(), String> {
    photograph("target/pictures", &["--narrow"])
}

fn photograph(folder: &str, options: &[&str]) -> Result<(), String> {
    cargo(&["build", "--package", "audit-cli", "--bin", "audit"], &[])?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(ROOT).join("target"), PathBuf::from);
    let program = target.join("debug/audit").display().to_string();
    let script = format!("{ROOT}/tests/web/pictures");
    let folder = format!("{ROOT}/{folder}");
    let mut arguments = vec!["-B", script.as_str(), &program, &folder];
    arguments.extend(options);
    python(&arguments)
}

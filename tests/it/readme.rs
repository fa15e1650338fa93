//! What README tells a newcomer to type.

use std::process::Command;

use serde_json::Value;

/// `cargo run` has to know which program is meant.
#[test]
fn there_is_one_program_for_cargo_run() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let defaults = list(&metadata["workspace_default_members"]);
    let packages = list(&metadata["packages"]);
    let mut programs = Vec::new();
    for package in packages.iter().filter(|it| defaults.contains(&it["id"])) {
        let targets = list(&package["targets"]);
        let is_program = |it: &&Value| list(&it["kind"]).contains(&"bin".into());
        let names = targets
            .iter()
            .filter(is_program)
            .map(|it| it["name"].clone());
        programs.extend(names);
    }
    assert_eq!(programs, ["audit"]);
}

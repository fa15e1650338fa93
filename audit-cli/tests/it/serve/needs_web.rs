//! Tools of others against the server. `.ci/install-web` installs them; `cargo xtask test` leaves these
//! tests out, and says so, where it has not been run.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::server::Serve;

/// The folder of the repository.
fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn installed(path: &str) -> PathBuf {
    let folder = std::env::var_os("AUDIT_TEST_WEB").unwrap_or_else(|| "target/web".into());
    let path = repository().join(folder).join(path);
    assert!(
        path.exists(),
        "{} is not there: .ci/install-web installs it",
        path.display()
    );
    path
}

#[test]
fn schemathesis_finds_no_answer_that_is_not_described() {
    let mut serve = Serve::stopped();
    let token = serve.create("fuzz", "auditor,ingest");
    let address = serve.start(&["--requests-per-second", "100000"]);
    let document = repository().join("audit-web/src/api/openapi.json");
    let configuration = repository().join("tests/web/schemathesis.toml");
    let output = Command::new(installed("venv/bin/schemathesis"))
        .arg("--config-file")
        .arg(configuration)
        .args(["run", "--url", &format!("http://{address}")])
        .arg(document)
        .env("AUDIT_TOKEN", token)
        // What it would keep between runs.
        .current_dir(serve.folder())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let (code, errors) = serve.end();
    assert_eq!(code, Some(0), "{errors}");
}

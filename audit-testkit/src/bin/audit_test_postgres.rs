//! Keeps one Postgres for a whole run of tests.
//!
//! Starts it as [`TestPostgres`] does, prints one line of JSON (`url`, `via`, `version`), and ends
//! it when stdin ends: the pipe tells when whoever started this is gone, however that came about.

use std::io::{Write, stdin, stdout};
use std::process::ExitCode;

use audit_testkit::postgres::{PostgresError, TestPostgres};
use serde_json::json;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("audit-test-postgres: {error:?}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), PostgresError> {
    let server = TestPostgres::start().await?;
    eprintln!("audit-test-postgres: {server}");
    let line = json!({
        "url": server.url(),
        "via": server.via().as_str(),
        "version": server.version(),
    });
    // An asker that is gone already has closed stdin as well.
    drop(writeln!(stdout(), "{line}"));
    let end = tokio::task::spawn_blocking(|| std::io::copy(&mut stdin(), &mut std::io::sink()));
    // Whatever ends the reading ends the need for a server.
    drop(end.await);
    server.stop().await
}

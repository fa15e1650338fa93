//! The scenario server of `audit-testkit` over stdio, as a process that may die: what the proxy is
//! tested with.

use std::process::ExitCode;

use audit_testkit::mcp::{Death, ScenarioServer};
use rmcp::ServiceExt as _;
use rmcp::transport::stdio;

#[tokio::main]
async fn main() -> ExitCode {
    let server = ScenarioServer::new().death(Death::Exit);
    match server.serve(stdio()).await {
        Ok(running) => match running.waiting().await {
            Ok(_) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        },
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("audit-mcp-server: {error}");
    ExitCode::FAILURE
}

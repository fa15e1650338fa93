//! The gateway as a program: files of roles and keys, a SQLite file of records.
#![allow(clippy::print_stdout, reason = "a program's output is its result")]

use std::process::ExitCode;
use std::time::Duration;

use audit_core::AuditLogger;
use audit_core::event::Upstream as UpstreamName;
use audit_example_gateway::demo::DemoServer;
use audit_example_gateway::{ApiKeys, Config, MCP_PATH, Roles, Upstream, hash_of, new_key, serve};
use audit_sqlite::{SqliteConfig, SqliteStore};
use tokio::net::TcpListener;

const USAGE: &str = "\
audit-example-gateway serve ADDRESS ROLES.toml KEYS.toml AUDIT.db
    serves the demo's tools, such as on 127.0.0.1:8080, and records to the SQLite file
audit-example-gateway new-key NAME ROLE
    shows a new key, once, and the lines that KEYS.toml needs for it";

/// How long the records that are on their way may take at the end.
const DRAIN: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["serve", address, roles, keys, store] => run(address, roles, keys, store).await,
        ["new-key", name, role] => {
            show_key(name, role);
            Ok(())
        }
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(
    address: &str,
    roles: &str,
    keys: &str,
    store: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let read =
        |path: &str| std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    let roles = Roles::from_toml(&read(roles)?).map_err(|error| format!("{roles}: {error}"))?;
    let keys = ApiKeys::from_toml(&read(keys)?).map_err(|error| format!("{keys}: {error}"))?;
    let upstream =
        Upstream::in_process(UpstreamName::new("demo-tools")?, DemoServer::new()).await?;
    let store = SqliteStore::open(&SqliteConfig::new(store)).await?;
    let logger = AuditLogger::builder(store).build()?;

    let listener = TcpListener::bind(address).await?;
    println!("http://{}{MCP_PATH}", listener.local_addr()?);
    let config = Config::new(keys, roles, upstream);
    serve(config, logger.clone(), listener, interrupted()).await?;

    let report = logger.shutdown(DRAIN).await;
    if report.is_complete() {
        return Ok(());
    }
    Err(format!("not every record was stored: {report:?}").into())
}

/// The end, as a terminal says it.
async fn interrupted() {
    // Without signals, only the end of the process ends it.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn show_key(name: &str, role: &str) {
    let key = new_key();
    let hash = hash_of(&key);
    println!("{key}\n\n[[key]]\nid = \"{name}\"\nrole = \"{role}\"\nsha256 = \"{hash}\"");
}

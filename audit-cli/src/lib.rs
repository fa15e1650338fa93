//! The binary `audit`: records the calls of MCP clients and shows what was recorded. Its help says
//! what it does.
//!
//! It is a library of one function so that the tests and benches of the workspace, which are another
//! package, run what they have just built.

#![warn(
    clippy::print_stderr,
    reason = "it panics where nobody reads: `output::tell`"
)]

mod args;
mod commands;
mod config;
mod failure;
mod output;
mod policy;
mod signals;
mod store;

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use args::{Command, Parsed};
use failure::Failure;

/// The whole program: reads the command line, and says how the process ends.
#[must_use]
pub fn main() -> ExitCode {
    log_to_stderr();
    match args::parse().and_then(run) {
        Ok(code) => code,
        Err(failure) => {
            output::tell(format_args!("audit: {failure}"));
            failure.exit_code()
        }
    }
}

fn run(parsed: Parsed) -> Result<ExitCode, Failure> {
    let Parsed {
        args,
        file,
        origins,
    } = parsed;
    args.color.choose();
    // Before any thread is started: this process is about to be another one.
    if let Command::Tied(args) = &args.command {
        return Err(commands::proxy::become_server(args));
    }
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::because("the runtime cannot be started", &error))?;
    let code = runtime.block_on(async {
        match args.command {
            Command::Completions(args) => commands::completions::run(&args),
            Command::Config(args) => commands::config::run(&args, &file, &origins),
            Command::DeadLetters(args) => commands::dead_letters::run(args).await,
            Command::Demo(args) => commands::demo::run(args).await,
            Command::Doctor(args) => commands::doctor::run(args).await,
            Command::Events(args) => commands::events::run(*args).await,
            Command::Export(args) => commands::export::run(*args).await,
            Command::Import(args) => commands::import::run(args).await,
            Command::Man(args) => commands::man::run(&args),
            Command::Migrate(args) => commands::migrate::run(args).await,
            Command::Proxy(args) => commands::proxy::run(*args).await,
            Command::Redact(args) => commands::redact::run(&args),
            Command::Retention(args) => commands::retention::run(args).await,
            Command::Serve(args) => commands::serve::run(*args).await,
            Command::Show(args) => commands::show::run(args).await,
            Command::Spool(args) => commands::spool::run(args).await,
            Command::Stats(args) => commands::stats::run(args).await,
            Command::Token(command) => commands::token::run(command),
            Command::Tail(args) => commands::events::tail(args).await,
            Command::Tied(args) => Err(commands::proxy::become_server(&args)),
        }
    });
    // A read of standard input that is still under way would keep the process.
    runtime.shutdown_background();
    code
}

/// What the MCP library says of calls stands in their records, and there without secrets.
const DEFAULT_LOG: &str = "warn,rmcp=off";

/// Standard output is for results, and for the protocol of a proxied server.
fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_env("AUDIT_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // Where nobody reads standard error, complaining of that there would end the thread.
        .log_internal_errors(false)
        .init();
}

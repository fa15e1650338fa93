//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::{
    dead_letters, demo, doctor, events, export, import, migrate, proxy, retention, serve, show,
    spool, stats, token,
};
use crate::failure::Failure;
use crate::store::StoreAddress;

/// Records every tool call that passes, and shows what was recorded.
#[derive(Parser)]
#[command(
    name = "audit",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = EXIT_CODES
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 failed; 2 the command line cannot be understood; 3 not found; 5 done in part; \
6 not permitted; 127 the server of a proxy cannot be started. `audit proxy -- COMMAND` ends with \
the code of COMMAND.

What happens inside goes to standard error; AUDIT_LOG sets how much (warn, info, debug).";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// See what a store refused for good, and try it again
    DeadLetters(dead_letters::DeadLettersArgs),
    /// Show a small gateway at work: each call of its callers beside what is recorded of it
    Demo(demo::DemoArgs),
    /// Look for what is wrong with a store
    Doctor(doctor::DoctorArgs),
    /// List events, newest first
    Events(Box<events::EventsArgs>),
    /// Write events into a file, whatever their number
    Export(Box<export::ExportArgs>),
    /// Read an export into a store
    Import(import::ImportArgs),
    /// Bring the schema of a PostgreSQL store up to date
    Migrate(migrate::MigrateArgs),
    /// Stand between an MCP client and its server, and record every call
    Proxy(Box<proxy::ProxyArgs>),
    /// Remove what is old, and hold what must stay
    Retention(retention::RetentionArgs),
    /// Serve the API, the live stream and the dashboard
    Serve(Box<serve::ServeArgs>),
    /// Show one event with its payloads
    Show(show::ShowArgs),
    /// See what waits on this machine for a store, and send it
    Spool(spool::SpoolArgs),
    /// Count calls, outcomes and latencies
    Stats(stats::StatsArgs),
    /// Show the latest events, and go on with what is stored from now on
    Tail(events::TailArgs),
    /// Say who may ask `audit serve`
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Become the server of a proxy
    #[command(name = proxy::TIED, hide = true)]
    Tied(proxy::TiedArgs),
}

/// Which store.
#[derive(clap::Args)]
pub(crate) struct StoreArgs {
    /// Where events are kept: sqlite:PATH, postgres://USER@HOST/DATABASE, or memory: [default: a
    /// SQLite file in the user's data folder]
    #[arg(
        long,
        value_name = "STORE",
        env = "AUDIT_STORE",
        hide_env_values = true
    )]
    store: Option<StoreAddress>,
}

impl StoreArgs {
    pub(crate) fn address(self) -> Result<StoreAddress, Failure> {
        StoreAddress::or_default(self.store)
    }
}

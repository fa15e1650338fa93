//! The command line.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::{
    completions, config, dead_letters, demo, doctor, events, export, import, man, migrate, proxy,
    redact, retention, serve, show, spool, stats, token,
};
use crate::config::{ConfigFile, Origins, setting_of};
use crate::failure::Failure;
use crate::output::{self, ColorChoice};
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
    /// Whether results have colors
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        global = true,
        env = "AUDIT_COLOR",
        hide_env_values = true
    )]
    pub(crate) color: ColorChoice,
    /// The configuration file [default: audit/config.toml in the user's configuration folder]
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        env = "AUDIT_CONFIG",
        hide_env_values = true
    )]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 failed; 2 the command line cannot be understood; 3 not found; 5 done in part; \
6 not permitted; 127 the server of a proxy cannot be started. `audit proxy -- COMMAND` ends with \
the code of COMMAND.

What happens inside goes to standard error; AUDIT_LOG sets how much (warn, info, debug).";

/// A command line that was understood.
pub(crate) struct Parsed {
    pub(crate) args: Args,
    pub(crate) file: ConfigFile,
    /// Where the settings of the command come from.
    pub(crate) origins: Origins,
}

/// Reads the command line, and beneath it the configuration file: a flag goes before the environment,
/// that before the file, and that before the default. Ends the process where clap does.
pub(crate) fn parse() -> Result<Parsed, Failure> {
    let command = Args::command();
    let mut matches = command.clone().get_matches();
    let named = matches.get_one::<PathBuf>("config");
    let file = ConfigFile::read(named.map(PathBuf::as_path))?;
    let command = with_defaults(command, &file);
    if !file.is_empty() {
        matches = command.clone().get_matches();
    }
    let (leaf, of_leaf) = named_command(&command, &matches);
    let arguments = command.get_arguments().chain(leaf.get_arguments());
    let origins = Origins::of(of_leaf, arguments, &file);
    warn_of_password(of_leaf);
    let args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    Ok(Parsed {
        args,
        file,
        origins,
    })
}

/// What the file says stands where a default would, in every command that takes the setting.
fn with_defaults(command: clap::Command, file: &ConfigFile) -> clap::Command {
    let command = command.mut_args(|argument| match setting_of(&argument) {
        Some(setting) => match file.value(setting) {
            Some(value) => argument.default_value(value.to_owned()),
            None => argument,
        },
        None => argument,
    });
    command.mut_subcommands(|below| with_defaults(below, file))
}

/// The command that was named, through the commands that have commands.
fn named_command<'a>(
    command: &'a clap::Command,
    matches: &'a ArgMatches,
) -> (&'a clap::Command, &'a ArgMatches) {
    let below = matches.subcommand();
    let below = below.and_then(|(name, matches)| Some((command.find_subcommand(name)?, matches)));
    match below {
        Some((command, matches)) => named_command(command, matches),
        None => (command, matches),
    }
}

/// A password in a flag is in the list of processes and in the history of the shell.
fn warn_of_password(matches: &ArgMatches) {
    let is_flag = matches.try_get_raw("store").is_ok()
        && matches.value_source("store") == Some(ValueSource::CommandLine);
    let store = is_flag.then(|| matches.try_get_one::<StoreAddress>("store").ok().flatten());
    if store.flatten().is_some_and(StoreAddress::has_password) {
        output::tell(format_args!(
            "audit: other users of this machine see the password in --store; name the store by \
             AUDIT_STORE or in the configuration file"
        ));
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print what a shell completes
    Completions(completions::CompletionsArgs),
    /// See what is set, and by whom
    Config(config::ConfigArgs),
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
    /// Print the manual, or write its pages into a folder
    Man(man::ManArgs),
    /// Bring the schema of a PostgreSQL store up to date
    Migrate(migrate::MigrateArgs),
    /// Stand between an MCP client and its server, and record every call
    Proxy(Box<proxy::ProxyArgs>),
    /// Show what would be kept of a payload, and why
    Redact(redact::RedactArgs),
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

//! `audit spool`: what waits on this machine for a store.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use audit_core::AuditSink as _;
use audit_sqlite::{Spool, SpoolFile};
use clap::Subcommand;
use serde_json::json;

use super::events::OutputArgs;
use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Format, Paint, Table};
use crate::signals::Signals;
use crate::store::{self, spool};

#[derive(clap::Args)]
pub(crate) struct SpoolArgs {
    #[command(subcommand)]
    command: SpoolCommand,
}

#[derive(Subcommand)]
enum SpoolCommand {
    /// List the files of the spool, and what waits in them
    Ls(LsArgs),
    /// Send what waits to the store, of processes that have ended
    Drain(DrainArgs),
}

#[derive(clap::Args)]
pub(crate) struct FolderArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The folder of the spool [default: that of the store, in the user's data folder]
    #[arg(
        long,
        value_name = "FOLDER",
        env = "AUDIT_SPOOL",
        hide_env_values = true
    )]
    pub(crate) spool: Option<PathBuf>,
}

#[derive(clap::Args)]
struct LsArgs {
    #[command(flatten)]
    folder: FolderArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(clap::Args)]
struct DrainArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// Give up behind so many seconds; what waits stays
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

pub(crate) async fn run(args: SpoolArgs) -> Result<ExitCode, Failure> {
    match args.command {
        SpoolCommand::Drain(args) => drain(args).await,
        SpoolCommand::Ls(args) => ls(args).await,
    }
}

async fn ls(args: LsArgs) -> Result<ExitCode, Failure> {
    let address = args.folder.store.address()?;
    let folder = spool::folder(args.folder.spool.as_deref(), &address)?;
    let files = Spool::survey(&folder).await.map_err(|error| {
        Failure::because(
            format!("the spool {} cannot be read", folder.display()),
            &error,
        )
    })?;
    if files.is_empty() {
        output::tell(format_args!("there is no spool in {}", folder.display()));
    }
    output::print(&match args.output.format() {
        Format::Csv => csv(&files),
        Format::Table => table(&files),
        format => output::objects(format, files.iter().map(object)),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Takes over what processes left that have ended, and waits until the store has it.
async fn drain(args: DrainArgs) -> Result<ExitCode, Failure> {
    let address = args.folder.store.address()?;
    let folder = spool::folder(args.folder.spool.as_deref(), &address)?;
    if !folder.exists() {
        output::tell(format_args!("there is no spool in {}", folder.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let store = store::open(&address).await?;
    let spool = spool::open(Some(&folder), &address, store.sink).await?;
    let waiting = |spool: &Spool| spool.forwarding().map_or(0, |it| it.n_events);
    let n_before = waiting(&spool);
    let mut signals = Signals::new()?;
    let flushed = tokio::select! {
        flushed = tokio::time::timeout(Duration::from_secs(args.timeout), spool.flush()) => {
            matches!(flushed, Ok(Ok(())))
        }
        () = signals.next() => false,
    };
    let n_left = waiting(&spool);
    let trouble = spool.health().await.reason;
    // What is left stays on its disk, for the next process that opens this spool.
    let closed = match flushed {
        true => spool.close().await,
        false => Ok(()),
    };
    output::tell(format_args!(
        "{address}: {} events sent, {n_left} wait",
        n_before.saturating_sub(n_left)
    ));
    if !flushed {
        let failure = match trouble {
            Some(why) => Failure::new(format!("the spool is not empty: {why}")),
            None => Failure::new("the spool is not empty"),
        };
        return Err(failure
            .advice("what waits is safe in its files; run it again when the store answers")
            .exit(Exit::Incomplete));
    }
    closed.map_err(|error| Failure::because("the spool was not closed in order", &error))?;
    let files = Spool::survey(&folder).await;
    let files = files.map_err(|error| Failure::because("the spool cannot be read", &error))?;
    let in_use = files.iter().filter(|file| file.is_in_use).count();
    if in_use > 0 {
        output::tell(format_args!(
            "{in_use} files belong to processes that are at work: these send them themselves"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn object(file: &SpoolFile) -> String {
    let object = json!({
        "path": file.path.display().to_string(),
        "in_use": file.is_in_use,
        "events": file.n_events,
        "bytes": file.bytes,
        "oldest": file.oldest.map(|it| it.to_string()),
        "attempts": file.n_attempts,
        "dead_letters": file.n_dead_letters,
    });
    object.to_string()
}

fn csv(files: &[SpoolFile]) -> String {
    let mut text = String::from("path,in_use,events,bytes,oldest,attempts,dead_letters\n");
    for file in files {
        let cells = [
            output::csv_cell(&file.path.display().to_string()),
            file.is_in_use.to_string(),
            file.n_events.to_string(),
            file.bytes.to_string(),
            file.oldest.map(|it| it.to_string()).unwrap_or_default(),
            file.n_attempts.to_string(),
            file.n_dead_letters.to_string(),
        ];
        text.push_str(&(cells.join(",") + "\n"));
    }
    text
}

fn table(files: &[SpoolFile]) -> String {
    if files.is_empty() {
        return String::new();
    }
    let headings = [
        "FILE",
        "IN USE",
        "EVENTS",
        "BYTES",
        "OLDEST",
        "ATTEMPTS",
        "DEAD LETTERS",
    ];
    let mut table = Table::new(Paint::fitting(), &headings);
    for file in files {
        let name = file.path.file_name().unwrap_or_default();
        table.row([
            Cell::Text(name.to_string_lossy().into_owned()),
            Cell::Text(if file.is_in_use { "yes" } else { "no" }.to_owned()),
            Cell::Number(file.n_events.to_string()),
            Cell::Number(file.bytes.to_string()),
            file.oldest
                .map_or(Cell::Empty, |it| Cell::Text(it.to_string())),
            Cell::Number(file.n_attempts.to_string()),
            Cell::Number(file.n_dead_letters.to_string()),
        ]);
    }
    table.into_lines()
}

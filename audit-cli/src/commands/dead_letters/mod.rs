//! `audit dead-letters`: what a store refused for good.

mod letter;
mod source;

use std::process::ExitCode;

use clap::Subcommand;

use super::events::OutputArgs;
use super::spool::FolderArgs;
use crate::failure::{Exit, Failure};
use crate::output;

use source::{Retried, Source};

#[derive(clap::Args)]
pub(crate) struct DeadLettersArgs {
    #[command(subcommand)]
    command: DeadLettersCommand,
}

#[derive(Subcommand)]
enum DeadLettersCommand {
    /// List the events that the store, or the spool before it, has set aside
    Ls(LsArgs),
    /// Try to store them again: what the store takes now is a dead letter no longer
    Retry(RetryArgs),
}

#[derive(clap::Args)]
struct LsArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// At most this many
    #[arg(short = 'n', long = "limit", value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(clap::Args)]
struct RetryArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// The number of a letter of the store
    #[arg(value_name = "NUMBER", required_unless_present = "all")]
    numbers: Vec<i64>,
    /// Every letter, those of the spool too
    #[arg(long, conflicts_with = "numbers")]
    all: bool,
}

pub(crate) async fn run(args: DeadLettersArgs) -> Result<ExitCode, Failure> {
    match args.command {
        DeadLettersCommand::Ls(args) => ls(args).await,
        DeadLettersCommand::Retry(args) => retry(args).await,
    }
}

async fn ls(args: LsArgs) -> Result<ExitCode, Failure> {
    let address = args.folder.store.address()?;
    let source = Source::open(&address).await?;
    let mut letters = source.letters(args.limit).await?;
    let left = args.limit - letters.len();
    letters.extend(source::of_spool(args.folder.spool.as_deref(), &address, left).await?);
    if letters.is_empty() {
        output::tell(format_args!("{address} has no dead letters"));
    }
    output::print(&letter::shown(&letters, args.output.format()))?;
    Ok(ExitCode::SUCCESS)
}

async fn retry(args: RetryArgs) -> Result<ExitCode, Failure> {
    let address = args.folder.store.address()?;
    let source = Source::open(&address).await?;
    let retried = match args.all {
        true => {
            let mut retried = source.retry_all().await?;
            let folder = args.folder.spool.as_deref();
            retried.add(&source::retry_spool(folder, &address).await?);
            retried
        }
        false => source.retry(&args.numbers).await?,
    };
    source.close().await?;
    let Retried {
        n_stored,
        n_refused,
    } = retried;
    output::tell(format_args!(
        "{address}: {n_stored} dead letters stored, {n_refused} refused again"
    ));
    if n_refused > 0 {
        return Err(Failure::new(format!("{n_refused} dead letters stay"))
            .advice("audit dead-letters ls says why")
            .exit(Exit::Incomplete));
    }
    Ok(ExitCode::SUCCESS)
}

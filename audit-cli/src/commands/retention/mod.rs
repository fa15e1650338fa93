//! `audit retention`: removing what is old, and holding what must stay.

mod holds;
mod keeper;

use std::process::ExitCode;

use clap::Subcommand;

use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};
use crate::output;

use keeper::Keeper;

#[derive(clap::Args)]
pub(crate) struct RetentionArgs {
    #[command(subcommand)]
    command: RetentionCommand,
}

#[derive(Subcommand)]
enum RetentionCommand {
    /// Remove what is older than that, for good
    Apply(ApplyArgs),
    /// Hold stretches of time, so that nothing of them is removed
    Hold(holds::HoldArgs),
    /// Say what would be removed, what would stay, and why
    Plan(PlanArgs),
}

#[derive(clap::Args)]
struct PlanArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Keep at least so many days of 24 hours
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    keep_days: u16,
}

#[derive(clap::Args)]
struct ApplyArgs {
    #[command(flatten)]
    plan: PlanArgs,
    /// Yes, remove it
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(args: RetentionArgs) -> Result<ExitCode, Failure> {
    match args.command {
        RetentionCommand::Apply(args) => apply(args).await,
        RetentionCommand::Hold(args) => holds::run(args).await,
        RetentionCommand::Plan(args) => {
            let keeper = Keeper::open(&args.store.address()?).await?;
            let plan = keeper.plan(args.keep_days).await?;
            output::print(&format!("{plan}\n"))?;
            keeper.close().await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn apply(args: ApplyArgs) -> Result<ExitCode, Failure> {
    let address = args.plan.store.address()?;
    let keeper = Keeper::open(&address).await?;
    let plan = keeper.plan(args.plan.keep_days).await?;
    output::tell(format_args!("{plan}"));
    if !args.yes {
        return Err(Failure::new("nothing was removed")
            .advice("what goes is gone for good; say --yes if that is meant")
            .exit(Exit::Usage));
    }
    let report = keeper.apply(&plan).await?;
    keeper.close().await?;
    output::print(&format!("{report}\n"))?;
    Ok(ExitCode::SUCCESS)
}

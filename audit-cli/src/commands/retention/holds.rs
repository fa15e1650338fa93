use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::super::events::OutputArgs;
use super::super::{bound, now};
use super::keeper::{Hold, Keeper};
use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Format, Paint, Table, visible_json};

#[derive(clap::Args)]
pub(super) struct HoldArgs {
    #[command(subcommand)]
    command: HoldCommand,
}

#[derive(Subcommand)]
enum HoldCommand {
    /// List the holds
    Ls(LsArgs),
    /// Place a hold: nothing of that time is removed until it is released
    Place(PlaceArgs),
    /// Release a hold
    Release(ReleaseArgs),
}

#[derive(clap::Args)]
struct LsArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(clap::Args)]
struct PlaceArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// By which it is released
    name: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The first moment that is held [default: from the beginning]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// The last moment that is held [default: without an end]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

#[derive(clap::Args)]
struct ReleaseArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The hold
    name: String,
}

pub(super) async fn run(args: HoldArgs) -> Result<ExitCode, Failure> {
    match args.command {
        HoldCommand::Ls(args) => ls(args).await,
        HoldCommand::Place(args) => place(args).await,
        HoldCommand::Release(args) => release(args).await,
    }
}

async fn ls(args: LsArgs) -> Result<ExitCode, Failure> {
    let address = args.store.address()?;
    let keeper = Keeper::open(&address).await?;
    let holds = keeper.holds().await?;
    keeper.close().await?;
    if holds.is_empty() {
        output::tell(format_args!("{address} has no holds"));
    }
    output::print(&match args.output.format() {
        Format::Csv => csv(&holds),
        Format::Table => table(&holds),
        format => output::objects(format, holds.iter().map(object)),
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn place(args: PlaceArgs) -> Result<ExitCode, Failure> {
    let now = now();
    let hold = Hold {
        from: bound("--since", args.since.as_deref(), now)?,
        to: bound("--until", args.until.as_deref(), now)?,
        name: args.name,
        reason: args.reason,
        placed_at: None,
    };
    let keeper = Keeper::open(&args.store.address()?).await?;
    keeper.place(hold).await?;
    keeper.close().await?;
    Ok(ExitCode::SUCCESS)
}

async fn release(args: ReleaseArgs) -> Result<ExitCode, Failure> {
    let keeper = Keeper::open(&args.store.address()?).await?;
    let was_there = keeper.release(&args.name).await?;
    keeper.close().await?;
    match was_there {
        true => Ok(ExitCode::SUCCESS),
        false => Err(Failure::new(format!("there is no hold {:?}", args.name))
            .advice("audit retention hold ls says which there are")
            .exit(Exit::NotFound)),
    }
}

/// The ends and the moment of placing, as text.
fn moments(hold: &Hold) -> [Option<String>; 3] {
    [hold.from, hold.to, hold.placed_at].map(|it| it.map(|it| it.to_string()))
}

fn object(hold: &Hold) -> String {
    let [from, to, placed_at] = moments(hold);
    let object = json!({
        "name": hold.name,
        "from": from,
        "to": to,
        "placed_at": placed_at,
        "reason": hold.reason,
    });
    visible_json(&object.to_string()).into_owned()
}

fn csv(holds: &[Hold]) -> String {
    let mut text = String::from("name,from,to,placed_at,reason\n");
    for hold in holds {
        let [from, to, placed_at] = moments(hold).map(Option::unwrap_or_default);
        let (name, reason) = (output::csv_cell(&hold.name), output::csv_cell(&hold.reason));
        text.push_str(&([name, from, to, placed_at, reason].join(",") + "\n"));
    }
    text
}

fn table(holds: &[Hold]) -> String {
    if holds.is_empty() {
        return String::new();
    }
    let mut table = Table::new(
        Paint::fitting(),
        &["NAME", "FROM", "TO", "PLACED", "REASON"],
    );
    for hold in holds {
        let moments = moments(hold).map(|it| it.map_or(Cell::Empty, Cell::Text));
        let name = Cell::Text(hold.name.clone());
        let reason = Cell::Text(hold.reason.clone());
        table.row([name].into_iter().chain(moments).chain([reason]));
    }
    table.into_lines()
}

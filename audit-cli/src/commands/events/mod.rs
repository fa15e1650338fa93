//! `audit events`, `audit tail`: the list, and what comes next.

mod follow;
mod list;
mod printer;

use std::path::PathBuf;
use std::process::ExitCode;

use audit_core::reader::{Order, PageRequest};
use audit_export::Column;

pub(crate) use printer::{HEADINGS, NARROW, Printer, cells};

use super::FilterArgs;
use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};
use crate::output::{self, Format};
use crate::store;

#[derive(clap::Args)]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// At most this many [default: 50; with --follow as many as come]
    #[arg(short = 'n', long = "limit", value_name = "N")]
    limit: Option<usize>,
    /// The call that began first comes first
    #[arg(long, conflicts_with = "follow")]
    reverse: bool,
    /// These fields alone, in this order: id,ts,tool_name,… (a name that is none says which there
    /// are)
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = column)]
    fields: Vec<Column>,
    /// Go on with what is stored from now on, in the order in which it is stored
    #[arg(long)]
    follow: bool,
    /// Go on behind what the last run printed, and keep the place in this file; the first run
    /// begins with the first event that the store has
    #[arg(long, value_name = "FILE", requires = "follow")]
    cursor_file: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(clap::Args)]
pub(crate) struct TailArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// Begin with this many of those that are there
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 10)]
    lines: usize,
    #[command(flatten)]
    output: OutputArgs,
}

/// How a result is printed.
#[derive(clap::Args)]
pub(crate) struct OutputArgs {
    /// How it is printed [default: as a table on a terminal, else one JSON object a line]
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        env = "AUDIT_OUTPUT",
        hide_env_values = true
    )]
    pub(crate) output: Option<Format>,
}

impl OutputArgs {
    pub(crate) fn format(&self) -> Format {
        Format::or_fitting(self.output)
    }
}

/// How many are listed, if nothing is said.
const LIMIT: usize = 50;

pub(crate) async fn run(args: EventsArgs) -> Result<ExitCode, Failure> {
    let filter = args.filter.read(None)?;
    let format = args.output.format();
    let printer = Printer::new(format, args.fields);
    if args.follow {
        let from = follow::From::of(args.cursor_file)?;
        let reader = store::open_reader(&args.store.address()?).await?;
        return follow::run(&*reader, filter, from, args.limit, printer).await;
    }
    let limit = args.limit.unwrap_or(LIMIT);
    if format == Format::Table && limit > PageRequest::MAX_LIMIT {
        let what = format!("a table has at most {} rows", PageRequest::MAX_LIMIT);
        let advice = "take --output jsonl for more";
        return Err(Failure::new(what).advice(advice).exit(Exit::Usage));
    }
    let order = match args.reverse {
        true => Order::OldestFirst,
        false => Order::NewestFirst,
    };
    let address = args.store.address()?;
    let reader = store::open_reader(&address).await?;
    if list::print(&*reader, filter, order, limit, printer).await? {
        output::tell(format_args!("no such events in {address}"));
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn tail(args: TailArgs) -> Result<ExitCode, Failure> {
    let filter = args.filter.read(None)?;
    let printer = Printer::new(args.output.format(), Vec::new());
    let from = follow::From::Latest(args.lines);
    let reader = store::open_reader(&args.store.address()?).await?;
    follow::run(&*reader, filter, from, None, printer).await
}

/// The column of a name, or which names there are.
fn column(name: &str) -> Result<Column, String> {
    Column::named(name).ok_or_else(|| {
        let names: Vec<&str> = Column::ALL.iter().map(|it| it.name()).collect();
        format!("there is no such field; there are {}", names.join(", "))
    })
}

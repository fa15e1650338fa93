use std::process::ExitCode;

use audit_core::AuditReader;
use audit_core::event::EventMetadata;
use audit_core::reader::{Filter, PageRequest};

use super::FilterArgs;
use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Format, Paint, Table};
use crate::store::{self, unanswered};

#[derive(clap::Args)]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// At most this many
    #[arg(short = 'n', long = "limit", value_name = "N", default_value_t = 50)]
    limit: usize,
    /// As a table or as JSON lines with payloads [default: a table on a terminal]
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
}

pub(crate) async fn run(args: EventsArgs) -> Result<ExitCode, Failure> {
    let filter = args.filter.read(None)?;
    let format = Format::or_fitting(args.output);
    if format == Format::Table && args.limit > PageRequest::MAX_LIMIT {
        let what = format!("a table has at most {} rows", PageRequest::MAX_LIMIT);
        let advice = "take --output jsonl for more";
        return Err(Failure::new(what).advice(advice).exit(Exit::Usage));
    }
    let address = args.store.address()?;
    let reader = store::open_reader(&address).await?;
    let is_empty = match format {
        Format::Jsonl => print_lines(&*reader, filter, args.limit).await?,
        Format::Table => print_table(&*reader, filter, args.limit).await?,
    };
    if is_empty {
        eprintln!("no such events in {address}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Page after page, so that any number takes the memory of one.
async fn print_lines(
    reader: &dyn AuditReader,
    filter: Filter,
    limit: usize,
) -> Result<bool, Failure> {
    let mut request = PageRequest::new(filter);
    let mut left = limit;
    let mut is_empty = true;
    while left > 0 {
        request = request
            .limit(page_of(left))
            .map_err(|error| unanswered(&error))?;
        let page = reader.page_with_payloads(&request).await;
        let page = page.map_err(|error| unanswered(&error))?;
        let mut lines = String::new();
        for event in &page.events {
            lines.push_str(&event.to_json());
            lines.push('\n');
        }
        is_empty &= page.events.is_empty();
        output::print(&lines)?;
        left = left.saturating_sub(page.events.len());
        let Some(next) = page.next else { break };
        request = request.cursor(next).map_err(|error| unanswered(&error))?;
    }
    Ok(is_empty)
}

async fn print_table(
    reader: &dyn AuditReader,
    filter: Filter,
    limit: usize,
) -> Result<bool, Failure> {
    let request = PageRequest::new(filter)
        .limit(page_of(limit))
        .map_err(|error| unanswered(&error))?;
    let page = reader
        .page(&request)
        .await
        .map_err(|error| unanswered(&error))?;
    if limit == 0 || page.events.is_empty() {
        return Ok(page.events.is_empty());
    }
    let mut table = Table::new(Paint::fitting(), HEADINGS);
    for event in &page.events {
        table.row(cells(event));
    }
    output::print(&table.to_lines())?;
    if page.next.is_some() {
        eprintln!("there are more; -n shows more of them");
    }
    Ok(false)
}

/// The columns of [`cells`].
pub(crate) const HEADINGS: &[&str] = &[
    "TIME (UTC)",
    "KEY",
    "ROLE",
    "METHOD",
    "TOOL",
    "OUTCOME",
    "STATUS",
    "MS",
    "ID",
];

/// An event in one line.
pub(crate) fn cells(event: &EventMetadata) -> [Cell; 9] {
    [
        Cell::Text(
            event
                .ts
                .to_datetime()
                .format("%Y-%m-%d %H:%M:%S%.3f")
                .to_string(),
        ),
        Cell::of(event.api_key_id.as_ref()),
        Cell::Text(event.role.to_string()),
        Cell::Text(event.method.to_string()),
        Cell::of(event.tool_name.as_ref()),
        Cell::Outcome(event.outcome),
        Cell::Number(event.status_code.to_string()),
        Cell::Number(format!("{:.1}", event.latency_ms.as_millis())),
        Cell::Text(event.id.to_string()),
    ]
}

fn page_of(left: usize) -> usize {
    left.clamp(1, PageRequest::MAX_LIMIT)
}

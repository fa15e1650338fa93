use std::process::ExitCode;

use audit_core::event::Outcome;
use audit_core::reader::{
    GroupBy, GroupKey, Statistics, StatisticsRequest, StatisticsRow, TextField, TimeBucket,
};
use clap::ValueEnum;
use serde::Serialize;

use super::FilterArgs;
use super::events::OutputArgs;
use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Format, Paint, Table, visible_json};
use crate::store::{self, unanswered};

#[derive(clap::Args)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// By what calls are counted
    #[arg(value_enum, default_value_t)]
    by: By,
    #[command(flatten)]
    filter: FilterArgs,
    /// At most this many rows: those with the most calls, or the latest
    #[arg(short = 'n', long = "limit", value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    output: OutputArgs,
}

/// By what calls are counted.
#[derive(Clone, Copy, Default, ValueEnum)]
enum By {
    /// A row an hour
    Hourly,
    /// A row a key
    Keys,
    /// A row a tool, the slowest first
    Latency,
    /// A row an outcome
    Outcomes,
    /// A row a role
    Roles,
    /// A row a tool
    #[default]
    Tools,
}

impl By {
    fn group(self) -> GroupBy {
        match self {
            Self::Hourly => GroupBy::Time(TimeBucket::Hour),
            Self::Keys => GroupBy::Text(TextField::Key),
            Self::Latency => GroupBy::Text(TextField::Tool),
            Self::Outcomes => GroupBy::Outcome,
            Self::Roles => GroupBy::Text(TextField::Role),
            Self::Tools => GroupBy::Text(TextField::Tool),
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Hourly => "HOUR (UTC)",
            Self::Keys => "KEY",
            Self::Outcomes => "OUTCOME",
            Self::Roles => "ROLE",
            Self::Latency | Self::Tools => "TOOL",
        }
    }
}

pub(crate) async fn run(args: StatsArgs) -> Result<ExitCode, Failure> {
    let request = StatisticsRequest::new(args.filter.read(Some("24h"))?)
        .group_by(args.by.group())
        .limit(args.limit)
        .map_err(|error| Failure::because("-n cannot be used", &error).exit(Exit::Usage))?;
    let address = args.store.address()?;
    let reader = store::open_reader(&address).await?;
    let statistics = reader.statistics(&request).await;
    let mut statistics = statistics.map_err(|error| unanswered(&error))?;
    if matches!(args.by, By::Latency) {
        statistics
            .rows
            .sort_by_key(|row| std::cmp::Reverse(row.latency_ms.p95));
    }
    output::print(&match args.output.format() {
        Format::Csv => csv(&statistics),
        format @ (Format::Json | Format::Jsonl) => output::objects(format, objects(&statistics)?),
        Format::Table => table(&statistics, args.by),
    })?;
    if statistics.is_capped {
        output::tell(format_args!("there are more; -n shows more of them"));
    }
    Ok(ExitCode::SUCCESS)
}

/// A row as a program reads it.
#[derive(Serialize)]
struct Line<'a> {
    /// `null`: the calls have none.
    key: Option<String>,
    calls: u64,
    outcomes: std::collections::BTreeMap<&'a str, u64>,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

fn objects(statistics: &Statistics) -> Result<Vec<String>, Failure> {
    let mut objects = Vec::new();
    for row in &statistics.rows {
        let latency = row.latency_ms;
        let line = Line {
            key: key(row),
            calls: row.n_events,
            outcomes: row
                .outcomes
                .iter()
                .map(|(outcome, n)| (outcome.as_str(), *n))
                .collect(),
            p50_ms: latency.p50.as_millis(),
            p95_ms: latency.p95.as_millis(),
            p99_ms: latency.p99.as_millis(),
            max_ms: latency.max.as_millis(),
        };
        let object = serde_json::to_string(&line)
            .map_err(|error| Failure::because("a row cannot be printed", &error))?;
        objects.push(visible_json(&object).into_owned());
    }
    Ok(objects)
}

/// The figures without the outcomes one by one.
fn csv(statistics: &Statistics) -> String {
    let mut text = String::from("key,calls,ok,refused,failed,p50_ms,p95_ms,p99_ms,max_ms\n");
    for row in &statistics.rows {
        let latency = row.latency_ms;
        let mut cells = vec![output::csv_cell(&key(row).unwrap_or_default())];
        cells.push(row.n_events.to_string());
        cells.extend(counts(row).map(|n| n.to_string()));
        let latencies = [latency.p50, latency.p95, latency.p99, latency.max];
        cells.extend(latencies.map(|it| it.as_millis().to_string()));
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

/// Calls that did what they were asked for, that were refused, and that failed.
fn counts(row: &StatisticsRow) -> [u64; 3] {
    let count = |of: fn(Outcome) -> bool| -> u64 {
        let outcomes = row.outcomes.iter().filter(|(outcome, _)| of(**outcome));
        outcomes.map(|(_, n)| n).sum()
    };
    [
        count(Outcome::is_ok),
        count(Outcome::is_refusal),
        count(|outcome| !outcome.is_ok() && !outcome.is_refusal()),
    ]
}

fn table(statistics: &Statistics, by: By) -> String {
    let paint = Paint::fitting();
    let headings = [
        by.heading(),
        "CALLS",
        "OK",
        "REFUSED",
        "FAILED",
        "P50 MS",
        "P95 MS",
        "P99 MS",
        "MAX MS",
    ];
    let mut table = Table::new(paint, &headings);
    for row in &statistics.rows {
        let latency = row.latency_ms;
        let mut cells = vec![
            key(row).map_or(Cell::Empty, Cell::Text),
            Cell::Number(row.n_events.to_string()),
        ];
        cells.extend(counts(row).map(|n| Cell::Number(n.to_string())));
        for latency in [latency.p50, latency.p95, latency.p99, latency.max] {
            cells.push(Cell::Number(format!("{:.1}", latency.as_millis())));
        }
        table.row(cells);
    }
    table.into_lines()
}

fn key(row: &StatisticsRow) -> Option<String> {
    match &row.key {
        GroupKey::Text(text) => Some(text.to_string()),
        GroupKey::Time(begin) => Some(begin.to_datetime().format("%Y-%m-%d %H:%M").to_string()),
        _ => None,
    }
}

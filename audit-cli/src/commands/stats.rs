use std::process::ExitCode;

use audit_core::event::Outcome;
use audit_core::reader::{
    GroupBy, GroupKey, Statistics, StatisticsRequest, StatisticsRow, TextField, TimeBucket,
};
use clap::ValueEnum;
use serde::Serialize;

use super::FilterArgs;
use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};
use crate::output::{self, Cell, Format, Paint, Table};
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
    /// As a table or as JSON lines [default: a table on a terminal]
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
}

/// By what calls are counted.
#[derive(Clone, Copy, Default, ValueEnum)]
enum By {
    /// A row an hour
    Hourly,
    /// A row a key
    Keys,
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
            Self::Tools => "TOOL",
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
    let statistics = statistics.map_err(|error| unanswered(&error))?;
    match Format::or_fitting(args.output) {
        Format::Jsonl => output::print(&lines(&statistics)?)?,
        Format::Table => output::print(&table(&statistics, args.by))?,
    }
    if statistics.is_capped {
        eprintln!("there are more; -n shows more of them");
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

fn lines(statistics: &Statistics) -> Result<String, Failure> {
    let mut lines = String::new();
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
        let line = serde_json::to_string(&line)
            .map_err(|error| Failure::because("a row cannot be printed", &error))?;
        lines.push_str(&line);
        lines.push('\n');
    }
    Ok(lines)
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
        let count = |of: fn(Outcome) -> bool| -> Cell {
            let outcomes = row.outcomes.iter().filter(|(outcome, _)| of(**outcome));
            Cell::Number(outcomes.map(|(_, n)| n).sum::<u64>().to_string())
        };
        let latency = row.latency_ms;
        let mut cells = vec![
            key(row).map_or(Cell::Empty, Cell::Text),
            Cell::Number(row.n_events.to_string()),
            count(Outcome::is_ok),
            count(Outcome::is_refusal),
            count(|outcome| !outcome.is_ok() && !outcome.is_refusal()),
        ];
        for latency in [latency.p50, latency.p95, latency.p99, latency.max] {
            cells.push(Cell::Number(format!("{:.1}", latency.as_millis())));
        }
        table.row(cells);
    }
    table.to_lines()
}

fn key(row: &StatisticsRow) -> Option<String> {
    match &row.key {
        GroupKey::Text(text) => Some(text.to_string()),
        GroupKey::Time(begin) => Some(begin.to_datetime().format("%Y-%m-%d %H:%M").to_string()),
        _ => None,
    }
}

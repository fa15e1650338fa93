//! What commands print: tables for people, JSON lines for programs.

mod escape;
mod paint;
mod table;

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};

use clap::ValueEnum;

pub(crate) use escape::{visible, visible_json, visible_lines};
pub(crate) use paint::{ColorChoice, Paint};
pub(crate) use table::{Cell, Narrow, Table};

use crate::failure::Failure;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Cells under names, so that no spreadsheet takes one for a formula.
    Csv,
    /// One JSON value.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// For people.
    Table,
}

impl Format {
    /// What the user said, or else what stands at the other end of standard output.
    pub(crate) fn or_fitting(said: Option<Self>) -> Self {
        said.unwrap_or_else(|| match io::stdout().is_terminal() {
            true => Self::Table,
            false => Self::Jsonl,
        })
    }

    /// What stands before objects, between them, and behind them.
    pub(crate) fn brackets(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Json => ("[", ",\n", "]\n"),
            Self::Csv | Self::Jsonl | Self::Table => ("", "\n", "\n"),
        }
    }
}

/// Prints a result to standard output. A reader that has enough (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_some(text).map(|_| ())
}

/// The same, and says whether somebody still reads.
pub(crate) fn print_some(text: &str) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::because("the result cannot be printed", &error)),
    }
}

/// Tells the user something beside the results, on standard error. It moves no cursor; and where nobody
/// reads that, the command goes on with what it was asked for.
pub(crate) fn tell(text: fmt::Arguments<'_>) {
    let line = visible_lines(&text.to_string()) + "\n";
    // Nobody is left to be told of a failure.
    drop(io::stderr().lock().write_all(line.as_bytes()));
}

/// JSON objects as a format of objects has them.
pub(crate) fn objects(format: Format, objects: impl IntoIterator<Item = String>) -> String {
    let (begin, between, end) = format.brackets();
    let objects: Vec<String> = objects.into_iter().collect();
    if objects.is_empty() && format != Format::Json {
        return String::new();
    }
    format!("{begin}{}{end}", objects.join(between))
}

/// A text as a cell of CSV, which no spreadsheet takes for a formula.
pub(crate) fn csv_cell(text: &str) -> String {
    let mut cell = Vec::new();
    audit_export::write_csv_text(text, &mut cell);
    visible_lines(&String::from_utf8_lossy(&cell))
}

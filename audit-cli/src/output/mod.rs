//! What commands print: tables for people, JSON lines for programs.

mod escape;
mod paint;
mod table;

use std::io::{self, IsTerminal as _, Write as _};

use clap::ValueEnum;

pub(crate) use escape::{visible, visible_lines};
pub(crate) use paint::Paint;
pub(crate) use table::{Cell, Table};

use crate::failure::Failure;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
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
}

/// Prints a result to standard output. A reader that has enough (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::because("the result cannot be printed", &error))
        }
        _ => Ok(()),
    }
}

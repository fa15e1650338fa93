//! `audit man`: the manual, out of the definitions of the help.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::args::Args;
use crate::failure::Failure;
use crate::output;

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ManArgs {
    /// Write a page for each command into this folder, instead of printing that of audit
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  audit man | man -l -
  audit man --to ~/.local/share/man/man1";

pub(crate) fn run(args: &ManArgs) -> Result<ExitCode, Failure> {
    let mut command = Args::command();
    // Names of commands within commands, and what is inherited, are there only then.
    command.build();
    let written = match &args.to {
        Some(folder) => write_all(&command, folder),
        None => {
            let page = page(command).map_err(|error| unwritten(&error))?;
            output::print(&String::from_utf8_lossy(&page))?;
            Ok(())
        }
    };
    written.map_err(|error| unwritten(&error))?;
    Ok(ExitCode::SUCCESS)
}

fn unwritten(error: &io::Error) -> Failure {
    Failure::because("the manual cannot be written", error)
}

fn page(command: Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}

/// Writes the page of a command and of those below it: `audit-export.1`.
fn write_all(command: &Command, folder: &Path) -> io::Result<()> {
    let name = command.get_display_name();
    let name = name.unwrap_or_else(|| command.get_name());
    let page = page(command.clone().name(name.to_owned()))?;
    std::fs::write(folder.join(format!("{name}.1")), page)?;
    for below in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        write_all(below, folder)?;
    }
    Ok(())
}

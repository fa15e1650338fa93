//! `audit config`: what is set, and by whom.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::events::OutputArgs;
use super::proxy::OnStoreFailure;
use crate::args::StoreArgs;
use crate::config::{ConfigFile, Origin, Origins, SETTINGS, Setting};
use crate::failure::Failure;
use crate::output::{self, Cell, Format, Paint, Table};

#[derive(clap::Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Show each setting with its value and where that comes from: a flag, the environment, the
    /// configuration file, or the default
    Show(ShowArgs),
}

/// What other commands take, so that what they would do can be seen.
#[derive(clap::Args)]
struct ShowArgs {
    #[command(flatten)]
    _store: StoreArgs,
    /// The file of policy
    #[arg(
        long,
        value_name = "FILE",
        env = "AUDIT_POLICY",
        hide_env_values = true
    )]
    policy: Option<PathBuf>,
    /// The folder of the spool
    #[arg(
        long,
        value_name = "FOLDER",
        env = "AUDIT_SPOOL",
        hide_env_values = true
    )]
    spool: Option<PathBuf>,
    /// What a proxy does with calls that cannot be recorded
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        env = "AUDIT_ON_STORE_FAILURE",
        hide_env_values = true
    )]
    on_store_failure: Option<OnStoreFailure>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(
    args: &ConfigArgs,
    file: &ConfigFile,
    origins: &Origins,
) -> Result<ExitCode, Failure> {
    let ConfigCommand::Show(args) = &args.command;
    let rows: Vec<Row> = SETTINGS
        .iter()
        .map(|it| Row::of(it, file, origins))
        .collect();
    output::print(&match args.output.format() {
        Format::Csv => csv(&rows),
        Format::Table => table(&rows),
        format => output::objects(format, rows.iter().map(Row::object)),
    })?;
    if file.path().is_none() {
        output::tell(format_args!("there is no configuration file"));
    }
    Ok(ExitCode::SUCCESS)
}

struct Row {
    key: &'static str,
    value: Option<String>,
    origin: Origin,
    /// The variable, or the file.
    place: Option<String>,
}

impl Row {
    fn of(setting: &Setting, file: &ConfigFile, origins: &Origins) -> Self {
        let (origin, value) = origins.get(setting);
        Self {
            key: setting.key,
            value: value.map(|value| setting.shown(value)),
            origin,
            place: match origin {
                Origin::Environment => Some(setting.variable.to_owned()),
                Origin::File => file.path().map(|path| path.display().to_string()),
                Origin::Default | Origin::Flag => None,
            },
        }
    }

    fn object(&self) -> String {
        let object = json!({
            "setting": self.key,
            "value": self.value,
            "origin": self.origin.to_string(),
            "place": self.place,
        });
        object.to_string()
    }
}

fn csv(rows: &[Row]) -> String {
    let mut text = String::from("setting,value,origin,place\n");
    for row in rows {
        let cells = [
            row.key.to_owned(),
            output::csv_cell(row.value.as_deref().unwrap_or_default()),
            row.origin.to_string(),
            output::csv_cell(row.place.as_deref().unwrap_or_default()),
        ];
        text.push_str(&(cells.join(",") + "\n"));
    }
    text
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new(Paint::fitting(), &["SETTING", "VALUE", "ORIGIN", "WHERE"]);
    for row in rows {
        table.row([
            Cell::Text(row.key.to_owned()),
            row.value.clone().map_or(Cell::Empty, Cell::Text),
            Cell::Text(row.origin.to_string()),
            row.place.clone().map_or(Cell::Empty, Cell::Text),
        ]);
    }
    table.into_lines()
}

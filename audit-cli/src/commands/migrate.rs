use std::process::ExitCode;

use audit_postgres::PostgresMaintainer;

use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::store::StoreAddress;

#[derive(clap::Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Print the statements and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(args: MigrateArgs) -> Result<ExitCode, Failure> {
    let address = args.store.address()?;
    let StoreAddress::Postgres { config, .. } = &address else {
        output::tell(format_args!(
            "{address} needs no migration: its schema is brought up to date when it is opened"
        ));
        return Ok(ExitCode::SUCCESS);
    };
    let failed = |error: audit_core::Error| {
        Failure::because(format!("{address} cannot be migrated"), &error)
            .advice("the user must own the tables, or have the right to make them")
    };
    let maintainer = PostgresMaintainer::connect(config).await.map_err(failed)?;
    let pending = maintainer.pending_migrations().await.map_err(failed)?;
    if pending.is_empty() {
        output::tell(format_args!("{address} is up to date"));
        return Ok(ExitCode::SUCCESS);
    }
    if args.dry_run {
        for migration in &pending {
            output::print(&format!("-- {}\n{}\n", migration.version, migration.sql))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    maintainer.migrate().await.map_err(failed)?;
    let left = maintainer.seed_rows_left().await.map_err(failed)?;
    output::tell(format_args!("{address}: {} migrations done", pending.len()));
    if left > 0 {
        let what = format!("{left} rows of the predecessor are still to be brought over");
        let advice = "run it again: it goes on where it stopped";
        return Err(Failure::new(what).advice(advice).exit(Exit::Incomplete));
    }
    Ok(ExitCode::SUCCESS)
}

//! `audit export`: events as a file, of any number.

mod plan;
mod progress;
mod target;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use audit_core::AuditReader;
use audit_export::{Compression, Export, ExportFormat, ExportRequest, verify};

use super::FilterArgs;
use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};
use crate::signals::Signals;
use crate::store::{self, unanswered};

use plan::Plan;
use progress::Meter;
pub(super) use target::open;
use target::{FileTarget, Target};

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// The file, or - for standard output; it has its name once it is whole, and is FILE.partial
    /// until then
    #[arg(long, value_name = "FILE", required_unless_present = "verify")]
    to: Option<PathBuf>,
    /// What a row is: an event as JSON, cells for a spreadsheet (which cannot be imported again), or
    /// an OCSF API Activity [default: jsonl]
    #[arg(long, value_name = "jsonl|csv|ocsf", value_parser = format)]
    format: Option<ExportFormat>,
    /// Compress it with Zstandard
    #[arg(long)]
    zstd: bool,
    /// Go on with an export that was interrupted; it is the same one, so it needs no FILTER
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Replace a file, or an interrupted export, that is there
    #[arg(long)]
    force: bool,
    /// Export nothing: read FILE, and see whether it is as its last line says
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "to", "filter", "since", "until", "format", "zstd", "resume", "force",
        ]
    )]
    verify: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  audit export --since 2026-03-01 --until 2026-03-31 --to march.jsonl.zst --zstd
  audit export 'outcome:denied' --format csv --to - | less
  audit export --verify march.jsonl.zst";

fn format(word: &str) -> Result<ExportFormat, audit_core::Error> {
    word.parse()
}

pub(crate) async fn run(args: ExportArgs) -> Result<ExitCode, Failure> {
    if let Some(file) = args.verify {
        return look_at(file).await;
    }
    let to = args.to.clone().unwrap_or_default();
    let mut signals = Signals::new()?;
    let is_stdout = to.as_os_str() == "-";
    let written = async {
        match is_stdout {
            true => to_stdout(args).await,
            false => to_file(args, FileTarget::new(&to)?).await,
        }
    };
    tokio::select! {
        done = written => done.map(|()| ExitCode::SUCCESS),
        () = signals.next() => {
            let failure = Failure::new("the export was interrupted").exit(Exit::Incomplete);
            if is_stdout {
                return Err(failure);
            }
            let file = FileTarget::new(&to)?;
            Err(match file.has_begun() {
                true => file.cut_short(failure),
                false => failure,
            })
        }
    }
}

async fn to_stdout(args: ExportArgs) -> Result<(), Failure> {
    if args.resume {
        return Err(Failure::new("standard output cannot be resumed")
            .advice("name a file: --to FILE")
            .exit(Exit::Usage));
    }
    let request = args.request()?;
    let reader = store::open_reader(&args.store.address()?).await?;
    write(begin(reader, request).await?, Target::Stdout).await
}

async fn to_file(args: ExportArgs, file: FileTarget) -> Result<(), Failure> {
    let (export, file) = match args.resume {
        true => resume(args, file).await?,
        false => {
            file.check_free(args.force)?;
            let (request, asked, force) = (args.request()?, args.filter.words(), args.force);
            let address = args.store.address()?;
            let reader = store::open_reader(&address).await?;
            let export = begin(reader, request.clone()).await?;
            let plan = Plan::new(&address, &asked, &request, export.through()).replacing(force);
            (export, file.begin(&plan, force)?)
        }
    };
    write(export, Target::File(file)).await
}

impl ExportArgs {
    fn request(&self) -> Result<ExportRequest, Failure> {
        let format = self.format.unwrap_or(ExportFormat::Jsonl);
        let request = ExportRequest::new(self.filter.read(None)?, format);
        Ok(request.compression(match self.zstd {
            true => Compression::Zstd,
            false => Compression::None,
        }))
    }
}

async fn begin(reader: Arc<dyn AuditReader>, request: ExportRequest) -> Result<Export, Failure> {
    let export = Export::begin(reader, request).await;
    export.map_err(|error| unanswered(&error))
}

/// Opens what is there, and goes on behind what of it is whole.
async fn resume(args: ExportArgs, file: FileTarget) -> Result<(Export, FileTarget), Failure> {
    let plan = file.plan()?;
    plan.check_form(args.format, args.zstd)?;
    let asked = args.filter.words();
    let address = args.store.address()?;
    plan.check(&address, &asked)?;
    let (file, kept) = file.go_on(&plan).await?;
    let reader = store::open_reader(&address).await?;
    let export = Export::resume(reader, plan.request()?, plan.through()?, kept);
    Ok((export.map_err(|error| unanswered(&error))?, file))
}

async fn write(mut export: Export, mut target: Target) -> Result<(), Failure> {
    let mut meter = Meter::new(&export.progress());
    loop {
        let chunk = export.next_chunk().await;
        let chunk = chunk.map_err(|error| target.cut_short(unanswered(&error)))?;
        let Some(chunk) = chunk else { break };
        target.write(&chunk)?;
        meter.show(&export.progress());
    }
    target.end()?;
    meter.end(&export.progress(), &export.totals());
    Ok(())
}

async fn look_at(path: PathBuf) -> Result<ExitCode, Failure> {
    let file = open(&path)?;
    let shown = path.display().to_string();
    let verified = tokio::task::spawn_blocking(move || verify(file)).await;
    let verified = verified
        .map_err(|error| Failure::because(format!("{shown} cannot be read"), &error))?
        .map_err(|error| {
            let exit = match error.is_unreadable() {
                true => Exit::Failed,
                false => Exit::Incomplete,
            };
            Failure::because(format!("{shown} is no whole export"), &error).exit(exit)
        })?;
    crate::output::print(&format!("{shown}: whole, {verified}\n"))?;
    Ok(ExitCode::SUCCESS)
}

//! `audit import`: events of an export into a store.

mod clean;
mod input;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use audit_core::AuditEvent;
use audit_core::payload::{PayloadLimits, PayloadPolicy};
use audit_core::sink::Receipt;
use audit_export::InvalidExport;

use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::policy;
use crate::store::{self, OpenStore};

use input::{Line, Lines, Part};

#[derive(clap::Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// An export as JSON lines, compressed or not; - for standard input
    file: PathBuf,
    /// The payload rules that hold beside the built-in ones, as TOML
    #[arg(
        long,
        value_name = "FILE",
        env = "AUDIT_POLICY",
        hide_env_values = true
    )]
    policy: Option<PathBuf>,
}

/// How many refused lines are told one by one.
const MOST_TOLD: usize = 20;

/// What became of the lines.
#[derive(Default)]
struct Counts {
    n_stored: u64,
    n_there_before: u64,
    n_redacted: u64,
    refused: usize,
}

pub(crate) async fn run(args: ImportArgs) -> Result<ExitCode, Failure> {
    // What was kept is not cut again.
    let policy = PayloadPolicy::builder().limits(PayloadLimits::MAX);
    let policy = policy::payload_policy(policy, args.policy.as_deref())?;
    let address = args.store.address()?;
    let mut lines = Lines::open(&args.file)?;
    let store = store::open(&address).await?;
    let mut counts = Counts::default();
    let ended = counts.store_all(&mut lines, &policy, &store).await;
    let closed = store.sink.close().await;
    output::tell(format_args!("{address}: {counts}"));
    let problem = ended?;
    closed.map_err(|error| Failure::because("the store was not closed in order", &error))?;
    if let Some(problem) = problem {
        return Err(counts.not_whole(&args.file, &problem));
    }
    if counts.refused > 0 {
        let what = format!(
            "{} lines were refused, and the others are stored",
            counts.refused
        );
        return Err(Failure::new(what).exit(Exit::Incomplete));
    }
    Ok(ExitCode::SUCCESS)
}

impl Counts {
    /// What is said of a file that is no whole export.
    fn not_whole(&self, file: &Path, problem: &InvalidExport) -> Failure {
        if self.n_stored + self.n_there_before == 0 {
            let what = format!("nothing of {} was imported", file.display());
            return Failure::because(what, problem);
        }
        let what = format!("{} was imported as far as it goes", file.display());
        let failure = Failure::because(what, problem).exit(Exit::Incomplete);
        match problem.is_cut() {
            true => failure.advice(
                "what `audit export` writes has a last line, by which it is known to be whole; what \
                 `audit events` prints has none, and then only its writer knows",
            ),
            false => failure,
        }
    }

    /// Stores line after line; says at the end why the file is no whole export, if it is none.
    async fn store_all(
        &mut self,
        lines: &mut Lines,
        policy: &PayloadPolicy,
        store: &OpenStore,
    ) -> Result<Option<InvalidExport>, Failure> {
        loop {
            match lines.next().await {
                Part::Lines(batch) => self.store(&batch, policy, store).await?,
                Part::End(problem) => return Ok(problem),
                Part::OneWay(format) => {
                    return Err(Failure::new(format!("{format} cannot be read back"))
                        .advice("export as JSON lines: --format jsonl")
                        .exit(Exit::Usage));
                }
            }
        }
    }

    /// Stores the events of a batch that can be read, as the policy lets them be.
    async fn store(
        &mut self,
        batch: &[Line],
        policy: &PayloadPolicy,
        store: &OpenStore,
    ) -> Result<(), Failure> {
        let mut numbers = Vec::new();
        let mut events = Vec::new();
        for line in batch {
            match read(line, policy) {
                Ok((event, is_redacted)) => {
                    self.n_redacted += u64::from(is_redacted);
                    numbers.push(line.number);
                    events.push(event);
                }
                Err(failure) => self.refuse(line.number, &failure.to_string()),
            }
        }
        let appended = store.sink.append(&events).await.map_err(|error| {
            Failure::because("the store did not take the events", &error)
                .advice("run it again: what is stored is stored once")
        })?;
        for (number, receipt) in numbers.into_iter().zip(appended.receipts()) {
            match receipt {
                Receipt::Stored => self.n_stored += 1,
                Receipt::AlreadyStored => self.n_there_before += 1,
                Receipt::Refused(refusal) => self.refuse(number, &refusal.to_string()),
                _ => self.refuse(number, "the store gave an answer that is not known here"),
            }
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, why: &str) {
        self.refused += 1;
        if self.refused <= MOST_TOLD {
            output::tell(format_args!("line {line}: {why}"));
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} events stored, {} there before, {} refused; {} redacted anew",
            self.n_stored, self.n_there_before, self.refused, self.n_redacted
        )
    }
}

/// The event of a line, and whether it is another one than the line says.
fn read(line: &Line, policy: &PayloadPolicy) -> Result<(AuditEvent, bool), Failure> {
    let text =
        std::str::from_utf8(&line.text).map_err(|error| Failure::because("not UTF-8", &error))?;
    let said = AuditEvent::from_json(text)
        .map_err(|error| Failure::because("not an event that can be kept", &error))?;
    let kept = clean::cleaned(&said, policy)
        .map_err(|error| Failure::because("not an event that can be kept", &error))?;
    let is_redacted = kept != said;
    Ok((kept, is_redacted))
}

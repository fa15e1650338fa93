use std::collections::BTreeSet;
use std::process::ExitCode;

use audit_core::AuditReader;
use audit_core::Glob;
use audit_core::event::{EventSummary, WriterId};
use audit_core::logger::LOSS_METHOD;
use audit_core::reader::{Condition, Filter, Page, PageRequest, TextField};

use super::now;
use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};
use crate::output::{self, Paint, visible};
use crate::store::{self, unanswered};

#[derive(clap::Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    store: StoreArgs,
}

/// How many of the latest events are looked at.
const LATEST: usize = 1_000;
/// How many writers are looked at for numbers that are missing.
const MAX_WRITERS: usize = 20;

/// What one look found.
enum Finding {
    Good(String),
    /// Somebody should look.
    Odd(String),
}

/// Exit code 0: nothing is wrong; 1: the store cannot be used; 5: it can, and something is odd.
pub(crate) async fn run(args: DoctorArgs) -> Result<ExitCode, Failure> {
    let address = args.store.address()?;
    let reader = store::open_reader(&address).await?;
    let latest = latest(&*reader, Filter::all()).await?;
    let mut findings = vec![Finding::Good(format!("{address} answers"))];
    findings.push(age(&latest));
    findings.extend(gaps(&*reader, &latest).await?);
    findings.push(losses(&*reader).await?);

    let paint = Paint::fitting();
    let mut is_odd = false;
    for finding in findings {
        output::print(&match finding {
            Finding::Good(text) => format!("{} {}\n", paint.good("ok  "), visible(&text)),
            Finding::Odd(text) => {
                is_odd = true;
                format!("{} {}\n", paint.bad("look"), visible(&text))
            }
        })?;
    }
    Ok(match is_odd {
        true => Exit::Incomplete.code(),
        false => ExitCode::SUCCESS,
    })
}

async fn latest(reader: &dyn AuditReader, filter: Filter) -> Result<Page<EventSummary>, Failure> {
    let request = PageRequest::new(filter).limit(LATEST);
    let request = request.map_err(|error| unanswered(&error))?;
    reader
        .page(&request)
        .await
        .map_err(|error| unanswered(&error))
}

fn age(latest: &Page<EventSummary>) -> Finding {
    let Some(newest) = latest.events.first() else {
        return Finding::Good("it holds no events yet".to_owned());
    };
    let now = now();
    if newest.ts > now {
        return Finding::Odd(format!(
            "the newest event began at {}, which is to come: a clock is wrong, here or where it was \
             written",
            newest.ts
        ));
    }
    Finding::Good(format!("the newest event began at {}", newest.ts))
}

/// Numbers that are missing of whoever wrote lately.
async fn gaps(
    reader: &dyn AuditReader,
    latest: &Page<EventSummary>,
) -> Result<Vec<Finding>, Failure> {
    let writers: BTreeSet<&WriterId> = latest.events.iter().map(|event| &event.writer).collect();
    let mut findings = Vec::new();
    for writer in writers.iter().take(MAX_WRITERS) {
        let gaps = reader
            .gaps(writer, LATEST)
            .await
            .map_err(|error| unanswered(&error))?;
        let n_missing: u64 = gaps.iter().map(audit_core::reader::SeqGap::n_missing).sum();
        if n_missing > 0 {
            let begin = gaps.first().map_or(0, |gap| gap.first.get());
            findings.push(Finding::Odd(format!(
                "{n_missing} numbers of the writer {} are missing, from {begin} on: events that were \
                 lost, or that retention removed, or that are still on their way",
                writer.as_str()
            )));
        }
    }
    if findings.is_empty() && !writers.is_empty() {
        let n = std::cmp::min(writers.len(), MAX_WRITERS);
        findings.push(Finding::Good(format!(
            "no number is missing of the {n} latest writers"
        )));
    }
    Ok(findings)
}

/// What loggers told about themselves.
async fn losses(reader: &dyn AuditReader) -> Result<Finding, Failure> {
    let told = Condition::Text(TextField::Method, Glob::exact(LOSS_METHOD));
    let losses = latest(reader, Filter::all().with(told)).await?;
    Ok(match losses.events.first() {
        None => Finding::Good("no loss was ever told".to_owned()),
        Some(last) => Finding::Odd(format!(
            "losses were told {} times, the last one at {}: audit show {}",
            losses.events.len(),
            last.ts,
            last.id
        )),
    })
}

//! `audit redact`: what would be kept of a payload, and why.

use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use audit_core::payload::{Payload, PayloadContext, PayloadPolicy, Redaction};
use serde_json::json;
use serde_json::value::RawValue;

use super::export::open;
use crate::failure::{Exit, Failure};
use crate::output::{self, Format, visible, visible_json};
use crate::policy;

#[derive(clap::Args)]
pub(crate) struct RedactArgs {
    /// The payload as JSON; - for standard input
    file: PathBuf,
    /// The payload rules that hold beside the built-in ones, as TOML
    #[arg(
        long,
        value_name = "FILE",
        env = "AUDIT_POLICY",
        hide_env_values = true
    )]
    policy: Option<PathBuf>,
    /// The tool of which it is, by which the policy may choose a level
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
    /// It is what a tool answers, and not what a caller sends
    #[arg(long)]
    response: bool,
    /// For people or as JSON [default: for people on a terminal]
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        env = "AUDIT_OUTPUT",
        hide_env_values = true
    )]
    output: Option<Format>,
}

pub(crate) fn run(args: &RedactArgs) -> Result<ExitCode, Failure> {
    let policy = policy::payload_policy(PayloadPolicy::builder(), args.policy.as_deref())?;
    let context = match args.response {
        true => PayloadContext::response(&policy),
        false => PayloadContext::request(&policy),
    };
    let (bytes, n_bytes) = read(&args.file, policy.limits().scan_bytes)?;
    let mut context = context.original_bytes(n_bytes);
    if let Some(tool) = &args.tool {
        context = context.tool(tool);
    }
    let (payload, redactions) = Payload::explain_json(&bytes, &context);
    output::print(&match Format::or_fitting(args.output) {
        Format::Table => in_words(&payload, &redactions)?,
        Format::Csv => {
            return Err(Failure::new("a payload is no table")
                .advice("take --output json or table")
                .exit(Exit::Usage));
        }
        Format::Json | Format::Jsonl => object(&payload, &redactions)? + "\n",
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What is looked at of a file, and how large it is: a proxy does not hold more either.
fn read(path: &Path, scan_bytes: usize) -> Result<(Vec<u8>, u64), Failure> {
    let failed =
        |error: io::Error| Failure::because(format!("{} cannot be read", path.display()), &error);
    let mut file = open(path)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(scan_bytes)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    (&mut file)
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let rest = io::copy(&mut file, &mut io::sink()).map_err(failed)?;
    let n_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok((bytes, n_bytes.saturating_add(rest)))
}

fn in_words(payload: &Payload, redactions: &[Redaction]) -> Result<String, Failure> {
    let mut text = visible(payload.json().unwrap_or("nothing is kept")).into_owned();
    text.push_str("\n\n");
    for redaction in redactions {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{:<24} {}", redaction.rule, visible(&redaction.place));
    }
    let report = serde_json::to_string_pretty(payload.report()).map_err(unprintable)?;
    text.push_str(&report);
    text.push('\n');
    Ok(text)
}

fn object(payload: &Payload, redactions: &[Redaction]) -> Result<String, Failure> {
    let kept = payload.json().map(serde_json::from_str::<&RawValue>);
    let redactions: Vec<_> = redactions
        .iter()
        .map(|it| json!({"rule": it.rule, "place": it.place}))
        .collect();
    let object = json!({
        "kept": kept.transpose().map_err(unprintable)?,
        "redactions": redactions,
        "report": payload.report(),
    });
    Ok(visible_json(&object.to_string()).into_owned())
}

fn unprintable(error: serde_json::Error) -> Failure {
    Failure::because("the payload cannot be printed", &error)
}

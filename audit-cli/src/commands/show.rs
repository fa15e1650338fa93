use std::fmt::Write as _;
use std::process::ExitCode;

use audit_core::AuditEvent;
use audit_core::event::{Check, EventId};
use audit_core::payload::{Coverage, Payload};

use super::events::{OutputArgs, Printer};
use crate::args::StoreArgs;
use crate::failure::{Exit, Failure};
use crate::output::{self, Paint, visible};
use crate::store::{self, unanswered};

mod context;

#[derive(clap::Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// The event's id, as `audit events` prints it
    id: uuid::Uuid,
    /// Also as many events before and behind it, of its session, or where it has none, by time
    #[arg(long, value_name = "N", default_value_t = 0)]
    context: usize,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn run(args: ShowArgs) -> Result<ExitCode, Failure> {
    let id = EventId::from_uuid(args.id).map_err(|error| {
        Failure::because(format!("{} is no id of an event", args.id), &error).exit(Exit::Usage)
    })?;
    let address = args.store.address()?;
    let reader = store::open_reader(&address).await?;
    let event = reader.get(id).await.map_err(|error| unanswered(&error))?;
    let event = event.ok_or_else(|| {
        Failure::new(format!("there is no event {id} in {address}")).exit(Exit::NotFound)
    })?;
    let (before, behind) = context::around(&*reader, &event, args.context).await?;
    let mut printer = Printer::new(args.output.format(), Vec::new());
    if printer.is_for_people() {
        let mut text = in_words(&event, Paint::fitting());
        if args.context > 0 {
            text.push('\n');
            text.push_str(&context::table(&before, &event, &behind));
        }
        output::print(&text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let events = [before, vec![event], behind].concat();
    let text = printer.events(&events)?;
    output::print(&(text + printer.end()))?;
    Ok(ExitCode::SUCCESS)
}

/// The event for people: what it is, who called, what was decided, what came of it, the payloads.
fn in_words(event: &AuditEvent, paint: Paint) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(out, "{} {value}", paint.dim(&format!("{name:<12}")));
        }
    };
    let text = |text: &str| visible(text).into_owned();
    line("id", Some(event.id.to_string()));
    line("began", Some(event.ts.to_string()));
    line("key", event.api_key_id.as_ref().map(|it| text(it.as_str())));
    line("role", Some(text(event.role.as_str())));
    line("method", Some(text(event.method.as_str())));
    line("tool", event.tool_name.as_ref().map(|it| text(it.as_str())));
    line("outcome", Some(paint.outcome(event.outcome)));
    line("status", Some(event.status_code.to_string()));
    line("took", Some(event.latency_ms.to_string()));
    line(
        "upstream",
        event.upstream.as_ref().map(|it| text(it.as_str())),
    );
    line(
        "",
        event
            .upstream_latency_ms
            .map(|it| format!("took {it} of that")),
    );
    for (name, check) in event.decision.checks() {
        line(&name.to_string(), Some(check_in_words(check)));
    }
    line(
        "session",
        event.session_id.as_ref().map(|it| text(it.as_str())),
    );
    line(
        "request id",
        event.request_id.as_ref().map(|it| text(it.as_str())),
    );
    line("trace", event.trace_id.map(|it| it.to_string()));
    line("span", event.span_id.map(|it| it.to_string()));
    let client = &event.client;
    let claims = [
        client.name.as_ref().map(|it| text(it.as_str())),
        client.version.as_ref().map(|it| text(it.as_str())),
    ];
    let claims: Vec<String> = claims.into_iter().flatten().collect();
    line(
        "client",
        (!claims.is_empty()).then(|| format!("{} (as it claims)", claims.join(" "))),
    );
    line(
        "address",
        client.address.as_ref().map(|it| text(it.as_str())),
    );
    line(
        "written by",
        Some(format!(
            "{}, number {}",
            text(event.writer.as_str()),
            event.seq.get()
        )),
    );
    payload(&mut out, paint, "request", event.request());
    payload(&mut out, paint, "response", event.response());
    out
}

fn check_in_words(check: &Check) -> String {
    let mut words = check.verdict.as_str().to_owned();
    if let Some(reason) = &check.reason {
        let _ = write!(words, ": {}", visible(reason.as_str()));
    }
    if let Some(rule) = &check.rule {
        let _ = write!(words, ", by the rule {}", visible(rule.as_str()));
    }
    if let (Some(limit), Some(remaining)) = (check.limit, check.remaining) {
        let _ = write!(words, ", {remaining} of {limit} left");
    }
    words
}

fn payload(out: &mut String, paint: Paint, name: &str, payload: Option<&Payload>) {
    let Some(payload) = payload else { return };
    let report = payload.report();
    let mut remarks = vec![format!("{} bytes came in", report.original_bytes)];
    if report.truncated {
        remarks.push("cut".to_owned());
    }
    if report.coverage == Coverage::Partial {
        remarks.push("not all of it was looked at".to_owned());
    }
    for (rule, n) in &report.redactions {
        remarks.push(format!("{n} × redacted by {rule}"));
    }
    let _ = writeln!(
        out,
        "\n{} {}",
        paint.bold(name),
        paint.dim(&remarks.join(", "))
    );
    let Some(json) = payload.json() else {
        let _ = writeln!(out, "  not kept");
        return;
    };
    // What was stored is JSON; should it be none, it is shown as it is.
    let pretty = serde_json::from_str::<serde_json::Value>(json)
        .and_then(|value| serde_json::to_string_pretty(&value));
    let pretty = pretty.as_deref().unwrap_or(json);
    for line in pretty.lines() {
        let _ = writeln!(out, "  {}", visible(line));
    }
}

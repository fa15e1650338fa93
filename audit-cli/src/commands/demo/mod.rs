//! `audit demo`: a small gateway, callers of every kind, and what is on record of them.

mod caller;
mod proof;
mod script;
mod serving;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use audit_core::event::AuditEvent;
use audit_core::reader::{Condition, Filter, PageRequest, TextField};
use audit_core::{AuditLogger, AuditReader, Glob};
use audit_example_gateway::demo::{self, Demo};
use audit_example_gateway::{MCP_PATH, serve};
use audit_sqlite::SqliteConfig;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::caller::Caller;
use self::script::{Asked, Step};
use crate::failure::{Exit, Failure};
use crate::output::{self, Paint, visible};
use crate::store::{self, OpenStore, StoreAddress, data_folder, make_private, unanswered};

#[derive(clap::Args)]
pub(crate) struct DemoArgs {
    /// Where events are kept [default: a SQLite file of its own in the user's data folder]
    #[arg(long, value_name = "STORE")]
    store: Option<StoreAddress>,
    /// Keep the gateway running afterwards, and serve the dashboard of its records
    #[arg(long)]
    serve: bool,
    /// Where the gateway listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the dashboard listens, on this machine
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:0",
        requires = "serve"
    )]
    dashboard: SocketAddr,
}

/// How long the end waits for records that are on their way.
const DRAIN: Duration = Duration::from_secs(10);

pub(crate) async fn run(args: DemoArgs) -> Result<ExitCode, Failure> {
    let address = match args.store {
        Some(address) => address,
        None => default_store()?,
    };
    let store = store::open(&address).await?;
    let seed = uuid::Uuid::new_v4();
    let demo = demo::prepare(seed.as_bytes())
        .await
        .map_err(|error| Failure::because("the demo's gateway cannot be made", &error))?;

    let gateway = Gateway::start(&demo, &store, args.listen).await?;
    say(&format!(
        "A gateway at {}, recording to {address}\n\n",
        gateway.url
    ))?;
    let steps = script::play(&demo, &Caller::new(&gateway.url)?).await?;
    let writer = gateway.logger.writer().clone();
    gateway.stop().await?;

    let records = records_of(&*store.reader, writer.as_str()).await?;
    let paint = Paint::fitting();
    let n_wrong = tell(&steps, &records, paint)?;
    let leaks = proof::search(&address, &records, &script::secrets(&demo, &steps))?;
    say(&leaks.in_words(paint))?;
    say(&next_steps(&address))?;
    if args.serve {
        serving::keep(&demo, &store, &address, (args.listen, args.dashboard)).await?;
    }
    store
        .sink
        .close()
        .await
        .map_err(|error| Failure::because("the store cannot be closed", &error))?;
    if n_wrong > 0 || !leaks.is_clean() {
        let what = format!("{n_wrong} calls are not on record as they should be");
        return Err(Failure::new(what).exit(Exit::Incomplete));
    }
    Ok(ExitCode::SUCCESS)
}

/// Not where the user's own records are.
fn default_store() -> Result<StoreAddress, Failure> {
    let folder = data_folder()?;
    make_private(&folder)?;
    Ok(StoreAddress::Sqlite(SqliteConfig::new(
        folder.join("demo.db"),
    )))
}

/// The example's gateway, and the logger that it records with.
struct Gateway {
    logger: AuditLogger,
    url: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Gateway {
    async fn start(demo: &Demo, store: &OpenStore, listen: SocketAddr) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::because(format!("{listen} cannot be listened at"), &error)
                .advice("choose another port: --listen 127.0.0.1:0 takes any")
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let logger = AuditLogger::builder(Arc::clone(&store.sink))
            .writer_name("audit-demo")
            .build()
            .map_err(|error| Failure::because("calls cannot be recorded", &error))?;
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move { drop(stopped.await) };
        let served = serve(demo.config.clone(), logger.clone(), listener, shutdown);
        Ok(Self {
            logger,
            url: format!("http://{address}{MCP_PATH}"),
            stop,
            served: tokio::spawn(served),
        })
    }

    /// Ends the gateway, then stores what is on its way.
    async fn stop(self) -> Result<(), Failure> {
        // It has ended by itself if nobody listens.
        let _ = self.stop.send(());
        let served = self.served.await;
        served
            .map_err(|error| Failure::because("the gateway broke off", &error))?
            .map_err(|error| Failure::because("the gateway failed", &error))?;
        let report = self.logger.shutdown(DRAIN).await;
        if report.is_complete() {
            return Ok(());
        }
        let what = format!("{} records were not stored", report.unstored.len());
        Err(Failure::new(what).exit(Exit::Incomplete))
    }
}

/// What this run left, in the order in which calls began.
async fn records_of(reader: &dyn AuditReader, writer: &str) -> Result<Vec<AuditEvent>, Failure> {
    let own = Condition::Text(TextField::Writer, Glob::exact(writer));
    let request = PageRequest::new(Filter::all().with(own))
        .order(audit_core::reader::Order::OldestFirst)
        .limit(PageRequest::MAX_LIMIT)
        .map_err(|error| unanswered(&error))?;
    let page = reader.page_with_payloads(&request).await;
    Ok(page.map_err(|error| unanswered(&error))?.events)
}

/// Each call beside its record; how many of them are not as they should be.
fn tell(steps: &[Step], records: &[AuditEvent], paint: Paint) -> Result<usize, Failure> {
    let mut n_wrong = records.len().abs_diff(steps.len());
    for (number, step) in (1..).zip(steps) {
        let own: Vec<&AuditEvent> = records
            .iter()
            .filter(|it| step.is_recorded_as(it))
            .collect();
        let (line, is_right) = match &own[..] {
            [record] => (in_one_line(record, paint), record.outcome == step.expected),
            [] => (paint.bad("nothing"), false),
            several => (paint.bad(&format!("{} records", several.len())), false),
        };
        n_wrong += usize::from(!is_right);
        let mark = match is_right {
            true => String::new(),
            false => paint.bad(&format!("   but it should be {}", step.expected)),
        };
        say(&format!(
            "{number:>2}  {}\n      saw       {}\n      recorded  {line}{mark}\n",
            paint.bold(&step.deed),
            visible(&step.seen)
        ))?;
        if let (Asked::WithSecrets(_), [record]) = (&step.asked, &own[..]) {
            let kept = record.request().and_then(|request| request.json());
            say(&format!(
                "      kept      {}\n",
                visible(kept.unwrap_or("nothing"))
            ))?;
        }
    }
    say(&format!(
        "\n{} calls, {} records, {n_wrong} that are not as they should be.\n",
        steps.len(),
        records.len()
    ))?;
    Ok(n_wrong)
}

fn in_one_line(record: &AuditEvent, paint: Paint) -> String {
    let mut parts = vec![paint.outcome(record.outcome)];
    let key = record
        .api_key_id
        .as_ref()
        .map(|key| visible(key.as_str()).into_owned());
    parts.push(key.unwrap_or_else(|| "nobody".to_owned()));
    let method = visible(record.method.as_str());
    parts.push(match &record.tool_name {
        Some(tool) => format!("{method} {}", visible(tool.as_str())),
        None => method.into_owned(),
    });
    parts.push(format!("status {}", record.status_code));
    parts.push(format!("{:.1} ms", record.latency_ms.as_millis()));
    for (name, check) in record.decision.checks() {
        if let Some(reason) = &check.reason {
            parts.push(format!("{name}: {}", visible(reason.as_str())));
        }
    }
    parts.push(paint.dim(&record.id.to_string()));
    parts.join(" · ")
}

fn next_steps(address: &StoreAddress) -> String {
    match address {
        StoreAddress::Memory => String::new(),
        _ => format!(
            "\nLook closer:\n  audit events --store {address}\n  audit stats --store {address}\n  \
             audit show ID --store {address}\n"
        ),
    }
}

fn say(text: &str) -> Result<(), Failure> {
    output::print(text)
}

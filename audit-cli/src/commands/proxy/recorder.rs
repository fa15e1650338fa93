use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use audit_core::logger::Overload;
use audit_core::payload::{PayloadLevel, PayloadPolicy};
use audit_core::{AuditLogger, AuditSink};

use super::OnStoreFailure;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::policy;
use crate::store::{self, StoreAddress, spool};

/// How calls are to be kept.
pub(crate) struct Options {
    pub(crate) address: StoreAddress,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) on_store_failure: OnStoreFailure,
    pub(crate) spool: Option<PathBuf>,
}

/// A logger with all that stands behind it, to be ended in order.
pub(crate) struct Recorder {
    logger: AuditLogger,
    sink: Arc<dyn AuditSink>,
}

/// Tools that answer with the environment of their server, which is full of secrets that no rule knows:
/// of their payloads the size alone is kept.
const ENVIRONMENT_TOOLS: [&str; 6] = [
    "env",
    "*-env",
    "*_env",
    "getenv",
    "printenv",
    "*nvironment*",
];

/// How long a call waits for room in the queue before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the end waits for what is queued.
const DRAIN: Duration = Duration::from_secs(1);

impl Recorder {
    /// Opens the store, with a spool before it where that is of use, and says on standard error what
    /// will happen if it fails.
    pub(crate) async fn open(options: &Options) -> Result<Self, Failure> {
        let policy = policy::audit_policy(options.policy.as_deref())?;
        // The file comes behind, so that it can say otherwise.
        let of_tools = ENVIRONMENT_TOOLS
            .iter()
            .fold(PayloadPolicy::builder(), |policy, tool| {
                policy.level(tool, PayloadLevel::Metadata)
            });
        let payload_policy = policy::payload_policy(of_tools, options.policy.as_deref())?;
        let store = store::open(&options.address).await?;
        let mut sink = store.sink;
        let is_remote = matches!(options.address, StoreAddress::Postgres { .. });
        let mut spool = None;
        if is_remote || policy.has_write_ahead() || options.spool.is_some() {
            let opened = spool::open(
                options.spool.as_deref(),
                &options.address,
                Arc::clone(&sink),
            )
            .await?;
            sink = Arc::new(opened.clone());
            spool = Some(opened);
        }
        let mut builder = AuditLogger::builder(Arc::clone(&sink))
            .writer_name("audit-proxy")
            .payload_policy(payload_policy)
            .policy(policy)
            .overload(match options.on_store_failure {
                OnStoreFailure::Pass => Overload::Shed,
                OnStoreFailure::Refuse => Overload::Wait(PATIENCE),
            });
        if let Some(spool) = spool {
            builder = builder.intents(spool);
        }
        let logger = builder
            .build()
            .map_err(|error| Failure::because("calls cannot be recorded", &error))?;
        say_what_happens(options, is_remote);
        Ok(Self { logger, sink })
    }

    pub(crate) fn logger(&self) -> &AuditLogger {
        &self.logger
    }

    /// Stores what is queued, and says what could not be.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        let report = self.logger.shutdown(DRAIN).await;
        let closed = self.sink.close().await;
        if !report.unstored.is_empty() || report.n_open_calls > 0 || report.n_untold_losses > 0 {
            let what = format!(
                "{} records were not stored, and {} calls had not ended",
                report.unstored.len(),
                report.n_open_calls
            );
            return Err(Failure::new(what)
                .advice("the store did not take them in time: audit doctor looks closer")
                .exit(Exit::Incomplete));
        }
        if let Err(error) = closed {
            // A spool that is closed while its store is away keeps what waits, on its disk.
            tracing::info!(%error, "the store was not reached at the end; what waits is kept");
        }
        Ok(())
    }
}

/// Who runs this should know before it happens.
fn say_what_happens(options: &Options, is_remote: bool) {
    let meanwhile = match is_remote {
        true => "records wait in the spool, and if that is full, ",
        false => "records wait in memory, and if the queue is full, ",
    };
    let then = match options.on_store_failure {
        OnStoreFailure::Pass => "calls go on without a record (fail open)",
        OnStoreFailure::Refuse => "calls are refused (fail closed)",
    };
    output::tell(format_args!(
        "audit: recording to {}; should it fail, {meanwhile}{then}",
        options.address
    ));
}

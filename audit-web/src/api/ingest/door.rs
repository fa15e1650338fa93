use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audit_core::payload::PayloadPolicy;
use audit_core::{AuditLogger, AuditSink, Error};

use crate::access::TokenName;

/// Where events of gateways come in.
///
/// What a gateway does not number itself is numbered by a logger of its token's name. So the writer of
/// an event says who handed it in, and nobody but the server writes under the server's own name.
#[derive(Debug)]
pub(crate) struct Door {
    sink: Arc<dyn AuditSink>,
    /// As many as tokens ever handed something in: names are not used again.
    loggers: Mutex<HashMap<TokenName, AuditLogger>>,
}

/// How long the end waits for what is on its way. Nobody was told that it is stored.
const DRAIN: Duration = Duration::from_secs(5);

impl Door {
    pub(crate) fn new(sink: Arc<dyn AuditSink>) -> Self {
        Self {
            sink,
            loggers: Mutex::default(),
        }
    }

    /// Where events go that are numbered.
    pub(super) fn sink(&self) -> &dyn AuditSink {
        &*self.sink
    }

    /// The logger that numbers what this token hands in.
    ///
    /// # Errors
    /// It cannot begin.
    pub(super) fn logger_of(
        &self,
        name: &TokenName,
        policy: &PayloadPolicy,
    ) -> Result<AuditLogger, Error> {
        let mut loggers = self.loggers();
        if let Some(logger) = loggers.get(name) {
            return Ok(logger.clone());
        }
        let logger = AuditLogger::builder(Arc::clone(&self.sink))
            .writer_name(name.as_str())
            .payload_policy(policy.clone())
            .sink_name("ingest")
            .build()?;
        loggers.insert(name.clone(), logger.clone());
        Ok(logger)
    }

    /// Ends the loggers.
    pub(crate) async fn close(&self) {
        let loggers: Vec<_> = self.loggers().drain().collect();
        for (name, logger) in loggers {
            let report = logger.shutdown(DRAIN).await;
            let n_unstored = report.unstored.len();
            if n_unstored > 0 {
                tracing::warn!(token = %name, n_unstored, "what a gateway handed in is not stored");
            }
        }
    }

    fn loggers(&self) -> MutexGuard<'_, HashMap<TokenName, AuditLogger>> {
        // Nothing panics between two changes that belong together.
        self.loggers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use audit_core::event::{EventDraft, Upstream};
use audit_core::logger::SharedCall;
use audit_core::{AuditLogger, Error};
use http::request::Parts;
use rmcp::ErrorData;
use rmcp::model::Extensions;
use rmcp::service::{RequestContext, ServiceRole};
use serde_json::value::RawValue;

use super::caller::Caller;
use super::guard::CallGuard;
use super::heading::Heading;
use super::kept;

type Identify = dyn Fn(Caller<'_>, EventDraft) -> EventDraft + Send + Sync;

/// What begins the records of a wrapper's calls.
#[derive(Clone)]
pub(super) struct Recorder {
    logger: AuditLogger,
    identify: Option<Arc<Identify>>,
    upstream: Option<Upstream>,
    is_fail_open: bool,
    n_unrecorded: Arc<AtomicU64>,
}

impl Recorder {
    pub(super) fn new(logger: AuditLogger) -> Self {
        Self {
            logger,
            identify: None,
            upstream: None,
            is_fail_open: false,
            n_unrecorded: Arc::default(),
        }
    }

    pub(super) fn identify(&mut self, identify: Arc<Identify>) {
        self.identify = Some(identify);
    }

    pub(super) fn upstream(&mut self, upstream: Upstream) {
        self.upstream = Some(upstream);
    }

    pub(super) fn fail_open(&mut self) {
        self.is_fail_open = true;
    }

    pub(super) fn n_unrecorded(&self) -> u64 {
        self.n_unrecorded.load(Ordering::Relaxed)
    }

    /// Takes the call of a request over or begins one, before its handler runs. `None`: it goes on
    /// unrecorded.
    pub(super) async fn begin<R: ServiceRole>(
        &self,
        method: &str,
        params: Option<&RawValue>,
        context: &RequestContext<R>,
    ) -> Result<Option<CallGuard>, ErrorData> {
        // The types of rmcp write arguments that are not there like this.
        let is_given = |params: &&str| !["null", "{}"].contains(params);
        let params = params.map(RawValue::get).filter(is_given);
        let heading = Heading::new(method, params, context);
        let tool = heading.tool.as_ref().map(|tool| tool.as_str());
        let describe = |draft| self.describe(draft, &heading, context);
        let (call, is_taken_over) = match begun_elsewhere(&context.extensions) {
            Some(call) => {
                call.update(|call| {
                    call.amend(describe);
                    if let Some(params) = params {
                        kept::request(call, params, &self.logger, tool);
                    }
                });
                (call, true)
            }
            None => {
                let mut draft = EventDraft::new(heading.method());
                if let Some(params) = params {
                    draft = kept::in_draft(draft, params, &self.logger, tool);
                }
                match self.logger.begin(describe(draft)).await {
                    Ok(call) => (SharedCall::new(call), false),
                    Err(error) => return self.not_begun(&error),
                }
            }
        };
        let token = context.ct.clone();
        let is_cancelled = move || token.is_cancelled();
        let logger = self.logger.clone();
        let guard = CallGuard::new(call, is_taken_over, &heading, logger, is_cancelled);
        Ok(Some(guard))
    }

    fn describe<R: ServiceRole>(
        &self,
        draft: EventDraft,
        heading: &Heading<'_>,
        context: &RequestContext<R>,
    ) -> EventDraft {
        let mut draft = heading.describe(draft);
        if let Some(upstream) = &self.upstream {
            draft = draft.upstream(upstream.clone());
        }
        match &self.identify {
            Some(identify) => identify(Caller::of(context), draft),
            None => draft,
        }
    }

    fn not_begun(&self, error: &Error) -> Result<Option<CallGuard>, ErrorData> {
        let n_unrecorded = self.n_unrecorded.fetch_add(1, Ordering::Relaxed) + 1;
        // A line for each call would be a flood in an outage.
        if n_unrecorded.is_power_of_two() {
            let goes_on = self.is_fail_open;
            tracing::error!(%error, n_unrecorded, goes_on, "the audit log does not take the record of a call");
        }
        if self.is_fail_open {
            self.logger.tell_unrecorded();
            return Ok(None);
        }
        Err(refusal(error))
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("logger", &self.logger)
            .field("upstream", &self.upstream)
            .field("is_fail_open", &self.is_fail_open)
            .finish_non_exhaustive()
    }
}

/// The call that another layer began and that nobody took over yet.
fn begun_elsewhere(extensions: &Extensions) -> Option<SharedCall> {
    let beside = extensions.get::<SharedCall>();
    let in_http = || extensions.get::<Parts>()?.extensions.get::<SharedCall>();
    let call = beside.or_else(in_http)?;
    call.claim().then(|| call.clone())
}

/// What the caller is told whose call cannot be recorded.
fn refusal(error: &Error) -> ErrorData {
    let text = format!(
        "the call was not made, because the audit log takes no records ({error}): try again \
         later, or ask the operator of this server to look at the audit store"
    );
    ErrorData::internal_error(text, None)
}

use audit_core::AuditLogger;
use audit_core::event::{Outcome, ToolName};
use audit_core::logger::{Acknowledgement, SharedCall};
use rmcp::ErrorData;
use serde_json::value::RawValue;
use tracing::Span;

use super::heading::Heading;
use super::{kept, span};
use crate::classify;

/// One request while its handler runs. Dropped without an answer, it says so.
pub(super) struct CallGuard {
    call: SharedCall,
    /// Whether the layer that began the call ends its record.
    is_taken_over: bool,
    logger: AuditLogger,
    method: Box<str>,
    tool: Option<ToolName>,
    /// Whether the caller took the call back.
    is_cancelled: Box<dyn Fn() -> bool + Send + Sync>,
    span: Span,
    has_ended: bool,
}

impl CallGuard {
    pub(super) fn new(
        call: SharedCall,
        is_taken_over: bool,
        heading: &Heading<'_>,
        logger: AuditLogger,
        is_cancelled: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            span: span::open(&call, heading),
            call,
            is_taken_over,
            logger,
            method: heading.method.into(),
            tool: heading.tool.clone(),
            is_cancelled: Box::new(is_cancelled),
            has_ended: false,
        }
    }

    /// The call, for the handler to amend.
    pub(super) fn call(&self) -> &SharedCall {
        &self.call
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// Puts the handler's answer on record; the answer is kept until the record is as durable as
    /// the logger's callers wait for.
    pub(super) async fn end(mut self, answer: Result<Option<Box<RawValue>>, &ErrorData>) {
        if let Some(recorded) = self.record(answer) {
            // The tool has run, and its caller must know what it did. The logger has counted the
            // failure and told of it.
            drop(recorded.await);
        }
    }

    fn record(
        &mut self,
        answer: Result<Option<Box<RawValue>>, &ErrorData>,
    ) -> Option<Acknowledgement> {
        let outcome = self.judge(match &answer {
            Ok(Some(result)) => classify::outcome_of_json(&self.method, result.get()),
            // What cannot be written cannot be answered either.
            Ok(None) => Outcome::InternalError,
            Err(error) => classify::outcome_of_error(error.code.0.into()),
        });
        self.call.update(|call| match &answer {
            Ok(Some(result)) => {
                let tool = self.tool.as_ref().map(|tool| tool.as_str());
                kept::response(call, result.get(), &self.logger, tool);
            }
            Ok(None) => {}
            Err(error) => call.response_value(error),
        });
        self.close(outcome, answer.err())
    }

    /// What the handler said stands, unless it says that all went well after the caller had left.
    fn judge(&self, answered: Outcome) -> Outcome {
        match self.call.said() {
            Some(said) if !said.is_ok() => said,
            _ if (self.is_cancelled)() => Outcome::Cancelled,
            Some(said) => said,
            None => answered,
        }
    }

    fn close(&mut self, outcome: Outcome, error: Option<&ErrorData>) -> Option<Acknowledgement> {
        self.has_ended = true;
        span::close(&self.span, outcome, error);
        if self.is_taken_over {
            self.call.say(outcome);
            return None;
        }
        self.call.finish_as(|_| outcome)
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let is_cancelled = (self.is_cancelled)() && !std::thread::panicking();
        let outcome = match self.call.said() {
            Some(said) if !said.is_ok() => said,
            _ if is_cancelled => Outcome::Cancelled,
            _ => Outcome::Aborted,
        };
        // Nobody can wait for the record.
        drop(self.close(outcome, None));
    }
}

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use audit_core::AuditLogger;
use audit_core::event::{EventDraft, Upstream};
use rmcp::model::ProtocolVersion;
use rmcp::service::{NotificationContext, RequestContext, Service, ServiceRole};
use rmcp::{ErrorData, ServerHandler};
use serde::Deserialize;
use serde_json::value::RawValue;
use tracing::Instrument as _;

use super::caller::Caller;
use super::handler::AuditedHandler;
use super::recorder::Recorder;
use super::wire::wire;

/// A service of rmcp, of either role, with each request on record.
///
/// # Contract
/// * A request is on record before its handler runs, with an outcome when it has: exactly once,
///   whatever its method. Notifications have no record.
/// * If the logger refuses a record, the handler does not run, and the caller gets the JSON-RPC
///   error −32603, which says so; with [`fail_open`](Self::fail_open) it runs unrecorded.
/// * Requests, notifications and answers pass unchanged.
/// * What rmcp refuses by itself never comes to a service: a message that cannot be read, or a ping
///   before the handshake. In front of streamable HTTP the HTTP layer records it.
///
/// # Examples
/// ```no_run
/// use audit_core::AuditLogger;
/// use audit_core::event::{ApiKeyId, InvalidField, Role};
/// use audit_mcp::Audited;
/// use rmcp::{ServerHandler, ServiceExt};
///
/// # async fn run(
/// #     server: impl ServerHandler,
/// #     logger: AuditLogger,
/// #     transport: tokio::io::DuplexStream,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let operator = ApiKeyId::new("local")?;
/// let audited = Audited::new(server, logger)
///     .identify(move |_caller, draft| draft.api_key_id(operator.clone()));
/// audited.serve(transport).await?.waiting().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Audited<S> {
    service: S,
    recorder: Recorder,
}

impl<S> Audited<S> {
    /// Puts the requests of `service` on record.
    pub fn new(service: S, logger: AuditLogger) -> Self {
        Self {
            service,
            recorder: Recorder::new(logger),
        }
    }

    /// Says who calls, and with which credential: `identify` is asked for each request, when
    /// all else that is known at its beginning is in the draft.
    #[must_use]
    pub fn identify(
        mut self,
        identify: impl Fn(Caller<'_>, EventDraft) -> EventDraft + Send + Sync + 'static,
    ) -> Self {
        self.recorder.identify(Arc::new(identify));
        self
    }

    /// Names the server that answers.
    #[must_use]
    pub fn upstream(mut self, upstream: Upstream) -> Self {
        self.recorder.upstream(upstream);
        self
    }

    /// Lets requests through that cannot be recorded; they are [counted](Self::n_unrecorded) all
    /// the same. If nothing is said, they are refused.
    #[must_use]
    pub fn fail_open(mut self) -> Self {
        self.recorder.fail_open();
        self
    }

    /// How many requests the logger refused to record, in this wrapper and its clones. An error is
    /// traced at the 1st, 2nd, 4th, 8th and so on.
    #[must_use]
    pub fn n_unrecorded(&self) -> u64 {
        self.recorder.n_unrecorded()
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &S {
        &self.service
    }

    /// The same as a `ServerHandler`, which is what rmcp's streamable HTTP asks for.
    ///
    /// It records what reaches a handler's methods. What rmcp answers before (a protocol revision
    /// that is not spoken, missing metadata) has the record of the HTTP layer alone.
    #[must_use]
    pub fn into_handler(self) -> AuditedHandler<S>
    where
        S: ServerHandler,
    {
        AuditedHandler::new(self.service, self.recorder)
    }
}

impl<R: ServiceRole, S: Service<R>> Service<R> for Audited<S> {
    async fn handle_request(
        &self,
        request: R::PeerReq,
        mut context: RequestContext<R>,
    ) -> Result<R::Resp, ErrorData> {
        let message = wire(&request);
        let message = message
            .as_deref()
            .map_or_else(Message::unknown, Message::read);
        let begun = self
            .recorder
            .begin(&message.method, message.params, &context)
            .await?;
        let Some(guard) = begun else {
            return self.service.handle_request(request, context).await;
        };
        context.extensions.insert(guard.call().clone());
        let answer = self
            .service
            .handle_request(request, context)
            .instrument(guard.span().clone())
            .await;
        guard.end(answer.as_ref().map(wire)).await;
        answer
    }

    async fn handle_notification(
        &self,
        notification: R::PeerNot,
        context: NotificationContext<R>,
    ) -> Result<(), ErrorData> {
        self.service
            .handle_notification(notification, context)
            .await
    }

    fn get_info(&self) -> R::Info {
        self.service.get_info()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.service.supported_protocol_versions()
    }
}

/// A request as it travels.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    fn read(wire: &'a RawValue) -> Self {
        serde_json::from_str(wire.get()).unwrap_or_else(|_| Self::unknown())
    }

    /// Every request of rmcp has a method; one that has none is recorded all the same.
    fn unknown() -> Self {
        Self {
            method: Cow::Borrowed("unknown"),
            params: None,
        }
    }
}

impl<S> fmt::Debug for Audited<S> {
    /// Whether a service can be shown is its own affair.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audited")
            .field("recorder", &self.recorder)
            .finish_non_exhaustive()
    }
}

use std::fmt;

use super::audit_event::{AuditEvent, Record};
use super::client::Client;
use super::decision::Decision;
use super::error::{FieldProblem, InvalidField};
use super::id::EventId;
use super::latency::Latency;
use super::metadata::EventMetadata;
use super::outcome::Outcome;
use super::sequence::Seq;
use super::status::StatusCode;
use super::text::{
    ApiKeyId, Method, RequestId, Role, Scrub, SessionId, ToolName, Upstream, WriterId,
};
use super::timestamp::Timestamp;
use super::trace::{SpanId, TraceContext, TraceId};
use crate::payload::{CallerCredential, Payload, PayloadContext, PayloadPolicy};

/// An event in the making: the builder of an [`AuditEvent`].
///
/// A logger adds the moment, the id and the number. Until somebody says what came of the call, its
/// outcome is [`Outcome::Aborted`].
///
/// # Examples
/// ```
/// use audit_core::event::{ApiKeyId, AuditEvent, Decision, Method, Outcome, ToolName};
///
/// let draft = AuditEvent::draft(Method::tools_call())
///     .tool_name(ToolName::new("search")?)
///     .api_key_id(ApiKeyId::new("k_7f3")?)
///     .decision(Decision::allowed())
///     .outcome(Outcome::Ok);
/// # let _ = draft;
/// # Ok::<(), audit_core::event::InvalidField>(())
/// ```
#[derive(Clone)]
#[must_use = "a draft is recorded by a logger"]
pub struct EventDraft {
    id: Option<EventId>,
    ts: Option<Timestamp>,
    api_key_id: Option<ApiKeyId>,
    role: Role,
    method: Method,
    tool_name: Option<ToolName>,
    status_code: Option<StatusCode>,
    latency: Option<Latency>,
    decision: Decision,
    outcome: Outcome,
    upstream: Option<Upstream>,
    upstream_latency: Option<Latency>,
    session_id: Option<SessionId>,
    request_id: Option<RequestId>,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    client: Client,
    request: Option<Payload>,
    response: Option<Payload>,
    credentials: Vec<CallerCredential>,
}

/// Defines setters that put a value where none has to be.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $field:ident;)+) => {
        $(
            $(#[$doc])*
            pub fn $name(mut self, $name: $type) -> Self {
                self.$field = Some($name);
                self
            }
        )+
    };
}

impl EventDraft {
    /// Begins an event of a method.
    pub fn new(method: Method) -> Self {
        Self {
            id: None,
            ts: None,
            api_key_id: None,
            role: Role::default(),
            method,
            tool_name: None,
            status_code: None,
            latency: None,
            decision: Decision::new(),
            outcome: Outcome::Aborted,
            upstream: None,
            upstream_latency: None,
            session_id: None,
            request_id: None,
            trace_id: None,
            span_id: None,
            client: Client::new(),
            request: None,
            response: None,
            credentials: Vec::new(),
        }
    }

    setters! {
        /// The id, where it was given from outside. It must be of the millisecond of `ts`.
        id: EventId = id;
        /// When the call began; the logger's clock, if nothing is said.
        ts: Timestamp = ts;
        /// Which key called.
        api_key_id: ApiKeyId = api_key_id;
        /// Which tool.
        tool_name: ToolName = tool_name;
        /// The status that the caller got; that of the outcome, if nothing is said.
        status_code: StatusCode = status_code;
        /// How long the call took; what a guard measured, if nothing is said.
        latency: Latency = latency;
        /// Which server answers.
        upstream: Upstream = upstream;
        /// How long that server took.
        upstream_latency: Latency = upstream_latency;
        /// The session of the call.
        session_id: SessionId = session_id;
        /// The JSON-RPC id, as text.
        request_id: RequestId = request_id;
        /// The trace that the call belongs to.
        trace_id: TraceId = trace_id;
        /// The span of the call.
        span_id: SpanId = span_id;
        /// What the caller sent.
        request: Payload = request;
        /// What the tool answered.
        response: Payload = response;
    }

    /// Under which role; `unknown`, if nothing is said.
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// Where the call stands in a trace.
    pub fn trace_context(self, context: TraceContext) -> Self {
        self.trace_id(context.trace_id).span_id(context.span_id)
    }

    /// The method, for a layer that knows it better than the one that began the call.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// What authentication, authorization and rate limit said.
    pub fn decision(mut self, decision: Decision) -> Self {
        self.decision = decision;
        self
    }

    /// Adds one check to what the others said.
    pub fn amend_decision(mut self, change: impl FnOnce(Decision) -> Decision) -> Self {
        self.decision = change(self.decision);
        self
    }

    /// What came of the call.
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// The program at the other end.
    pub fn client(mut self, client: Client) -> Self {
        self.client = client;
        self
    }

    /// Adds to what is known of the program at the other end.
    pub fn amend_client(mut self, change: impl FnOnce(Client) -> Client) -> Self {
        self.client = change(self.client);
        self
    }

    /// A credential that the caller presented. It is taken out of every text and payload of the
    /// event, whether they were there before or come later.
    pub fn credential(mut self, credential: CallerCredential) -> Self {
        self.credentials.push(credential);
        self
    }

    /// Makes the event: the credentials are scrubbed and the number is put in.
    ///
    /// Loggers call this; so do stores and tests that number events themselves.
    ///
    /// # Errors
    /// The draft has neither id nor moment, or an id of another millisecond than its moment.
    pub fn stamp(mut self, writer: WriterId, seq: Seq) -> Result<AuditEvent, InvalidField> {
        let missing = |field| InvalidField::new(field, FieldProblem::Empty);
        let id = self.id.ok_or_else(|| missing("id"))?;
        let ts = self.ts.ok_or_else(|| missing("ts"))?;
        check_same_moment(id, ts)?;
        self.scrub();
        Ok(AuditEvent::from_record(Record {
            metadata: EventMetadata {
                id,
                ts,
                api_key_id: self.api_key_id,
                role: self.role,
                method: self.method,
                tool_name: self.tool_name,
                status_code: self
                    .status_code
                    .unwrap_or_else(|| self.outcome.default_status()),
                latency_ms: self.latency.unwrap_or(Latency::ZERO),
                decision: self.decision,
                outcome: self.outcome,
                upstream: self.upstream,
                upstream_latency_ms: self.upstream_latency,
                session_id: self.session_id,
                request_id: self.request_id,
                trace_id: self.trace_id,
                span_id: self.span_id,
                client: self.client,
                writer,
                seq,
            },
            request: self.request,
            response: self.response,
        }))
    }

    /// Gives the draft its moment and its id, where they were not given from outside.
    pub(crate) fn fill_moment(
        &mut self,
        stamp: impl FnOnce(Option<Timestamp>) -> (Timestamp, EventId),
    ) -> Result<(Timestamp, EventId), InvalidField> {
        let (ts, id) = match (self.ts, self.id) {
            (Some(ts), Some(id)) => (ts, id),
            (None, Some(id)) => (id.timestamp(), id),
            (ts, None) => stamp(ts),
        };
        check_same_moment(id, ts)?;
        self.ts = Some(ts);
        self.id = Some(id);
        Ok((ts, id))
    }

    /// The latency that was measured, unless the draft has one.
    pub(crate) fn or_latency(mut self, measured: Latency) -> Self {
        self.latency = self.latency.or(Some(measured));
        self
    }

    /// Makes those payloads anew that are due, by this policy, the draft's tool and credentials.
    pub(crate) fn narrow_payloads(
        mut self,
        policy: &PayloadPolicy,
        is_due: impl Fn(&Payload) -> bool,
    ) -> Self {
        let sides = [
            (&mut self.request, PayloadContext::request(policy)),
            (&mut self.response, PayloadContext::response(policy)),
        ];
        for (payload, context) in sides {
            if let Some(payload) = payload.as_mut().filter(|payload| is_due(payload)) {
                let context = context.credentials(&self.credentials);
                let context = match &self.tool_name {
                    Some(tool) => context.tool(tool.as_str()),
                    None => context,
                };
                *payload = payload.narrow(&context);
            }
        }
        self
    }

    pub(crate) fn credentials(&self) -> &[CallerCredential] {
        &self.credentials
    }

    pub(crate) fn tool(&self) -> Option<&ToolName> {
        self.tool_name.as_ref()
    }

    pub(crate) fn has_request(&self) -> bool {
        self.request.is_some()
    }

    pub(crate) fn has_response(&self) -> bool {
        self.response.is_some()
    }

    pub(crate) fn of_method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn with_outcome(&self) -> Outcome {
        self.outcome
    }

    fn scrub(&mut self) {
        let credentials = &self.credentials;
        if credentials.is_empty() {
            return;
        }
        self.api_key_id.scrub(credentials);
        self.role.scrub(credentials);
        self.method.scrub(credentials);
        self.tool_name.scrub(credentials);
        self.decision.scrub(credentials);
        self.upstream.scrub(credentials);
        self.session_id.scrub(credentials);
        self.request_id.scrub(credentials);
        self.client.scrub(credentials);
        self.request.scrub(credentials);
        self.response.scrub(credentials);
    }
}

impl fmt::Debug for EventDraft {
    /// Shows neither payloads nor credentials, nor texts that are not scrubbed yet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventDraft")
            .field("id", &self.id)
            .field("ts", &self.ts)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

pub(super) fn check_same_moment(id: EventId, ts: Timestamp) -> Result<(), InvalidField> {
    if id.is_of(ts) {
        return Ok(());
    }
    Err(InvalidField::new(
        "id",
        FieldProblem::Malformed {
            expected: "an id of the millisecond of `ts`",
        },
    ))
}

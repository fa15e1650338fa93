use std::error::Error;

use audit_core::event::{
    ApiKeyId, AuditEvent, Check, Client, ClientAddress, ClientName, ClientVersion, Decision,
    EventDraft, EventId, InvalidField, Latency, Method, Reason, RequestId, Role, RuleName, Seq,
    SessionId, StatusCode, Timestamp, ToolName, Upstream, Verdict, WriterId,
};
use audit_core::payload::{CallerCredential, Payload, PayloadContext, PayloadPolicy};
use chrono::DateTime;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Answer;
use crate::access::TokenName;

/// An event that was handed in, redacted and bounded like every other one.
#[derive(Debug)]
pub(super) enum Incoming {
    /// Its gateway numbers its events itself.
    Numbered(AuditEvent),
    /// The server numbers it, under the name of the gateway's token.
    Unnumbered(EventId, Box<EventDraft>),
}

/// By whom, and by which rules, an event comes in.
#[derive(Debug)]
pub(super) struct Origin<'a> {
    pub(super) policy: &'a PayloadPolicy,
    pub(super) token: Option<CallerCredential>,
    pub(super) name: &'a TokenName,
    pub(super) now: Timestamp,
}

/// How far the clock of a gateway may be ahead, in microseconds. What lies further ahead would head
/// every list until then, and make a store keep room for it.
const MOST_AHEAD: i64 = 60 * 60 * 1_000_000;

/// Why an event is refused; it names fields and repeats no value.
type Refused = Box<dyn Error>;

/// Reads one event.
pub(super) fn read(json: &str, origin: &Origin<'_>) -> Result<Incoming, Answer> {
    // Of serde's own words only the place is kept: they can quote the value.
    let form: Form<'_> = serde_json::from_str(json).map_err(|error| {
        let column = error.column();
        let reason = format!("not the JSON form of an event, at column {column} of the event");
        Answer::refused(None, reason)
    })?;
    let id = form.id.parse::<EventId>();
    let id = id.map_err(|error| Answer::refused(None, error.to_string()))?;
    form.incoming(id, origin)
        .map_err(|error| Answer::refused(Some(id), error.to_string()))
}

/// The JSON form of an event as a gateway writes it: that of `AuditEvent`, where only the id, the
/// method and the outcome are needed. What was done to the payloads is found out anew.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<'a> {
    #[serde(default = "first_schema")]
    schema: u32,
    id: String,
    ts: Option<String>,
    api_key_id: Option<String>,
    role: Option<String>,
    method: String,
    tool_name: Option<String>,
    #[serde(borrow, default)]
    request_json: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response_json: Option<&'a RawValue>,
    status_code: Option<i64>,
    latency_ms: Option<f64>,
    decision: Option<DecisionForm>,
    outcome: String,
    upstream: Option<String>,
    upstream_latency_ms: Option<f64>,
    session_id: Option<String>,
    request_id: Option<String>,
    trace_id: Option<String>,
    span_id: Option<String>,
    #[serde(default)]
    client: ClientForm,
    writer: Option<String>,
    seq: Option<u64>,
    #[serde(rename = "payload_report", default)]
    _payload_report: serde::de::IgnoredAny,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientForm {
    name: Option<String>,
    version: Option<String>,
    address: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionForm {
    #[serde(default)]
    auth: CheckForm,
    #[serde(default)]
    authz: CheckForm,
    #[serde(default)]
    rate: CheckForm,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckForm {
    verdict: Option<String>,
    reason: Option<String>,
    rule: Option<String>,
    limit: Option<u32>,
    remaining: Option<u32>,
}

const fn first_schema() -> u32 {
    1
}

impl Form<'_> {
    fn incoming(self, id: EventId, origin: &Origin<'_>) -> Result<Incoming, Refused> {
        if self.schema != audit_core::event::SCHEMA_VERSION {
            let known = audit_core::event::SCHEMA_VERSION;
            return Err(format!("`schema` is not {known}, the one that this server knows").into());
        }
        if id.timestamp().as_micros() > origin.now.as_micros().saturating_add(MOST_AHEAD) {
            return Err("`id` is of a moment more than an hour ahead of the server's clock".into());
        }
        let number = self.number(origin.name)?;
        let draft = self.draft(id, origin)?;
        Ok(match number {
            Some((writer, seq)) => Incoming::Numbered(draft.stamp(writer, seq)?),
            None => Incoming::Unnumbered(id, Box::new(draft)),
        })
    }

    /// The gateway's own number, under a name that nobody else may use.
    fn number(&self, name: &TokenName) -> Result<Option<(WriterId, Seq)>, Refused> {
        let (Some(writer), Some(seq)) = (&self.writer, self.seq) else {
            return Ok(None);
        };
        let rest = writer.strip_prefix(name.as_str());
        let is_own = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if !is_own {
            let text = format!(
                "`writer` has to be {name} or begin with {name}/: a gateway numbers its events under \
                 the name of its token"
            );
            return Err(text.into());
        }
        Ok(Some((WriterId::new(writer)?, Seq::new(seq)?)))
    }

    fn draft(self, id: EventId, origin: &Origin<'_>) -> Result<EventDraft, Refused> {
        let ts = self.ts.as_deref().map(read_moment).transpose()?;
        let mut draft = EventDraft::new(Method::new(&self.method)?)
            .id(id)
            .ts(ts.unwrap_or_else(|| id.timestamp()))
            .outcome(self.outcome.parse()?)
            .client(self.client.read()?);
        draft = draft.given(
            text(self.api_key_id, ApiKeyId::new)?,
            EventDraft::api_key_id,
        );
        draft = draft.given(text(self.role, Role::new)?, EventDraft::role);
        draft = draft.given(
            text(self.tool_name.as_deref(), ToolName::new)?,
            EventDraft::tool_name,
        );
        draft = draft.given(
            self.status_code.map(StatusCode::new).transpose()?,
            EventDraft::status_code,
        );
        draft = draft.given(
            self.latency_ms.map(Latency::from_millis).transpose()?,
            EventDraft::latency,
        );
        draft = draft.given(
            self.decision.map(DecisionForm::read).transpose()?,
            EventDraft::decision,
        );
        draft = draft.given(text(self.upstream, Upstream::new)?, EventDraft::upstream);
        let latency = self.upstream_latency_ms.map(Latency::from_millis);
        draft = draft.given(latency.transpose()?, EventDraft::upstream_latency);
        draft = draft.given(
            text(self.session_id, SessionId::new)?,
            EventDraft::session_id,
        );
        draft = draft.given(
            text(self.request_id, RequestId::new)?,
            EventDraft::request_id,
        );
        draft = draft.given(
            self.trace_id.map(|it| it.parse()).transpose()?,
            EventDraft::trace_id,
        );
        draft = draft.given(
            self.span_id.map(|it| it.parse()).transpose()?,
            EventDraft::span_id,
        );
        let payload = |json: Option<&RawValue>, context: PayloadContext<'_>| {
            let context = match &self.tool_name {
                Some(tool) => context.tool(tool),
                None => context,
            };
            json.map(|json| {
                Payload::from_json(json.get(), &context.credentials(origin.token.as_slice()))
            })
        };
        draft = draft.given(
            payload(self.request_json, PayloadContext::request(origin.policy)),
            EventDraft::request,
        );
        draft = draft.given(
            payload(self.response_json, PayloadContext::response(origin.policy)),
            EventDraft::response,
        );
        draft = draft.given(origin.token.clone(), EventDraft::credential);
        Ok(draft)
    }
}

/// A builder that takes what was given.
trait Given: Sized {
    fn given<T>(self, value: Option<T>, put: fn(Self, T) -> Self) -> Self;
}

impl Given for EventDraft {
    fn given<T>(self, value: Option<T>, put: fn(Self, T) -> Self) -> Self {
        match value {
            Some(value) => put(self, value),
            None => self,
        }
    }
}

impl ClientForm {
    fn read(self) -> Result<Client, InvalidField> {
        let mut client = Client::new();
        if let Some(name) = text(self.name, ClientName::new)? {
            client = client.name(name);
        }
        if let Some(version) = text(self.version, ClientVersion::new)? {
            client = client.version(version);
        }
        if let Some(address) = text(self.address, ClientAddress::new)? {
            client = client.address(address);
        }
        Ok(client)
    }
}

impl DecisionForm {
    fn read(self) -> Result<Decision, InvalidField> {
        Ok(Decision::new()
            .auth(self.auth.read()?)
            .authz(self.authz.read()?)
            .rate(self.rate.read()?))
    }
}

impl CheckForm {
    fn read(self) -> Result<Check, InvalidField> {
        let mut check = Check::skipped();
        if let Some(verdict) = self.verdict {
            check.verdict = verdict.parse::<Verdict>()?;
        }
        check.reason = text(self.reason, Reason::new)?;
        check.rule = text(self.rule, RuleName::new)?;
        check.limit = self.limit;
        check.remaining = self.remaining;
        Ok(check)
    }
}

/// A text of the event, by the constructor that checks it.
fn text<S, T>(
    given: Option<S>,
    check: fn(S) -> Result<T, InvalidField>,
) -> Result<Option<T>, InvalidField> {
    given.map(check).transpose()
}

fn read_moment(text: &str) -> Result<Timestamp, Refused> {
    let moment = DateTime::parse_from_rfc3339(text)
        .map_err(|_| "`ts` is not a moment of RFC 3339, like 2026-03-01T12:00:00.000000Z")?;
    Ok(Timestamp::new(moment.to_utc())?)
}

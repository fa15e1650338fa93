//! Events as a busy gateway makes them, for the benches of the stores.

use std::time::Duration;

use audit_core::event::{
    ApiKeyId, AuditEvent, Check, Decision, EventId, InvalidField, Latency, Method, Outcome, Reason,
    RequestId, Role, Seq, SessionId, Timestamp, ToolName, WriterId,
};
use audit_core::payload::{Payload, PayloadContext, PayloadPolicy};

/// Makes events with 1 KB of payload: 500 keys, 40 tools, sessions of 50 calls, every tenth call
/// no success. The same numbers give the same events.
#[derive(Debug)]
pub struct Workload {
    keys: Vec<ApiKeyId>,
    tools: Vec<ToolName>,
    role: Role,
    request: Payload,
    response: Payload,
    writer: WriterId,
}

impl Workload {
    /// The workload of one writer.
    ///
    /// # Errors
    /// The name cannot be that of a writer.
    pub fn new(writer: &str) -> Result<Self, InvalidField> {
        let policy = PayloadPolicy::default();
        let request = r#"{"name":"search_issues","arguments":{"query":"is:open label:bug sort:updated","page":3,"per_page":50,"fields":["id","title","state","labels","assignee"]},"_meta":{"progressToken":17}}"#;
        let record = r#"{"id":48213,"title":"Crash when the list is empty","state":"open","labels":["bug","p2"],"assignee":null}"#;
        let response = format!(r#"{{"items":[{}],"total":7}}"#, [record; 7].join(","));
        Ok(Self {
            keys: (0..500)
                .map(|n| ApiKeyId::new(format!("k_{n:03}")))
                .collect::<Result<_, _>>()?,
            tools: (0..40)
                .map(|n| ToolName::new(format!("tool_{n:02}")))
                .collect::<Result<_, _>>()?,
            role: Role::new("operator")?,
            request: Payload::from_json(request, &PayloadContext::request(&policy)),
            response: Payload::from_json(response, &PayloadContext::response(&policy)),
            writer: WriterId::new(writer)?,
        })
    }

    /// The event of a number, of a call that began then. `salt` tells apart the ids of writers.
    ///
    /// # Errors
    /// Never: the fields keep their bounds.
    pub fn event(&self, number: u64, ts: Timestamp, salt: u64) -> Result<AuditEvent, InvalidField> {
        let random = mix(number ^ salt.rotate_left(32));
        let pick = |n: usize, bits: u64| usize::try_from(bits).unwrap_or(0) % n;
        let (decision, outcome) = match random % 100 {
            0..90 => (Decision::allowed(), Outcome::Ok),
            90..94 => (Decision::allowed(), Outcome::ToolError),
            94..97 => {
                let denied = Check::denied(Reason::new("the role lacks the scope")?);
                (
                    Decision::allowed().authz(denied).rate(Check::skipped()),
                    Outcome::Denied,
                )
            }
            97..99 => {
                let denied = Check::denied(Reason::new("bucket empty")?).quota(60, 0);
                (Decision::allowed().rate(denied), Outcome::RateLimited)
            }
            _ => (Decision::allowed(), Outcome::Timeout),
        };
        AuditEvent::draft(Method::tools_call())
            .id(EventId::new(ts, random))
            .ts(ts)
            .api_key_id(self.keys[pick(self.keys.len(), random >> 8)].clone())
            .role(self.role.clone())
            .tool_name(self.tools[pick(self.tools.len(), random >> 20)].clone())
            .session_id(SessionId::hashed((number / 50).to_le_bytes()))
            .request_id(RequestId::new(number.to_string())?)
            .latency(Latency::new(Duration::from_micros(
                800 + (random >> 32) % 60_000,
            )))
            .decision(decision)
            .outcome(outcome)
            .request(self.request.clone())
            .response(self.response.clone())
            .stamp(self.writer.clone(), Seq::new(number)?)
    }
}

/// Scatters the bits of a number (the finalizer of SplitMix64).
const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

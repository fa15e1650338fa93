use std::time::Duration;

use audit_core::event::{
    ApiKeyId, AuditEvent, Check, Decision, EventDraft, EventId, Latency, Method, Outcome, Reason,
    Role, Seq, SessionId, SpanId, Timestamp, ToolName, TraceId, Upstream, Verdict, WriterId,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::event::set;
use crate::fixture;

/// `n_events` events that have much in common, so that a question meets some and misses some: few
/// tools, keys and roles, a stretch of two hours, ids in no order.
pub fn clusters(n_events: usize) -> impl Strategy<Value = Vec<AuditEvent>> {
    vec(of_cluster(), n_events).prop_map(|makers| {
        let numbered = (1..).zip(makers);
        numbered.map(|(number, maker)| maker.make(number)).collect()
    })
}

/// What tells one event of a cluster from another.
#[derive(Clone, Debug)]
struct OfCluster {
    offset: i64,
    random: u64,
    names: (Option<&'static str>, Option<&'static str>, &'static str),
    outcome: Outcome,
    latency: Latency,
    upstream: Option<(&'static str, Latency)>,
    session: Option<&'static str>,
    writer: &'static str,
    verdict: Verdict,
    trace: Option<u64>,
}

fn of_cluster() -> impl Strategy<Value = OfCluster> {
    const TOOLS: &[&str] = &[
        "search",
        "Search",
        "delete_customer",
        "delete_*",
        "naïve \"tool\"",
    ];
    let names = (
        option::weighted(0.8, select(TOOLS)),
        option::weighted(0.7, select(&["k_7f3", "k_7f4", "k_%_"][..])),
        select(&["admin", "unknown", "Unknown"][..]),
    );
    let latency = (0..2_000_u64).prop_map(|millis| Latency::new(Duration::from_millis(millis)));
    let upstream = option::of((select(&["crm", "wiki"][..]), latency.clone()));
    let parts = (
        0..7_200_000_000_i64,
        any::<u64>(),
        names,
        select(Outcome::ALL),
        latency,
        upstream,
        option::of(select(&["s-1", "s-2"][..])),
        select(&["gateway-1", "gateway-2"][..]),
        select(Verdict::ALL),
        option::of(1..4_u64),
    );
    parts.prop_map(
        |(offset, random, names, outcome, latency, upstream, session, writer, verdict, trace)| {
            OfCluster {
                offset,
                random,
                names,
                outcome,
                latency,
                upstream,
                session,
                writer,
                verdict,
                trace,
            }
        },
    )
}

impl OfCluster {
    /// The event, as the `number`th of its cluster.
    fn make(self, number: u64) -> AuditEvent {
        let micros = fixture::moment(0).as_micros() + self.offset;
        let ts = Timestamp::from_micros(micros).expect("it lies in the range");
        let (tool, key, role) = self.names;
        let reason = Reason::new(format!("bucket {}", self.verdict)).expect("it is short");
        let mut check = Check::skipped().reason(reason);
        check.verdict = self.verdict;
        let draft = EventDraft::new(Method::tools_call())
            .ts(ts)
            .id(EventId::new(ts, self.random))
            .role(Role::new(role).expect("it is short"))
            .outcome(self.outcome)
            .latency(self.latency)
            .decision(Decision::allowed().rate(check));
        let tool = tool.map(|tool| ToolName::new(tool).expect("it is short"));
        let key = key.map(|key| ApiKeyId::new(key).expect("it is short"));
        let session = self
            .session
            .map(|it| SessionId::new(it).expect("it is short"));
        let (upstream, upstream_latency) = self.upstream.unzip();
        let upstream = upstream.map(|it| Upstream::new(it).expect("it is short"));
        let draft = set(draft, tool, EventDraft::tool_name);
        let draft = set(draft, key, EventDraft::api_key_id);
        let draft = set(draft, session, EventDraft::session_id);
        let draft = set(draft, upstream, EventDraft::upstream);
        let draft = set(draft, upstream_latency, EventDraft::upstream_latency);
        let draft = set(draft, self.trace.and_then(SpanId::new), EventDraft::span_id);
        let trace = self.trace.and_then(|trace| TraceId::new(trace.into()));
        let draft = set(draft, trace, EventDraft::trace_id);
        let writer = WriterId::new(self.writer).expect("it is short");
        let seq = Seq::new(number).expect("numbers begin with 1");
        draft.stamp(writer, seq).expect("the id is of the moment")
    }
}

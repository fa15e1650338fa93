//! What recording costs: `cargo xtask bench logger [--json]`.
//!
//! The rivals stand in the same run: what it costs to write the same event as JSON, and to hand
//! the same fields to tracing's JSON formatter and a non-blocking writer; for what is durable, an
//! INSERT for each event, the server's own COPY, and a write and flush of each batch.

#![allow(
    clippy::expect_used,
    reason = "a bench whose premise fails has no figures to show"
)]

mod durable;

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use audit_core::event::{
    ApiKeyId, AuditEvent, Decision, EventDraft, EventId, Method, Outcome, RequestId, Role, Seq,
    SessionId, Timestamp, ToolName, WriterId,
};
use audit_core::payload::{CallerCredential, Payload, PayloadContext, PayloadPolicy};
use audit_core::{AuditLogger, AuditSink};
use audit_memory::{MemoryConfig, MemoryStore, WhenFull};
use audit_tests::bench::{Bench, Options, Sample};
use audit_tests::ingest_table::IngestTable;
use tokio::runtime::Runtime;
use tracing_subscriber::layer::SubscriberExt as _;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let options = Options::from_args()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let parts = Parts::new()?;
    let event = parts.event()?;

    let (writer, _guard) = tracing_appender::non_blocking(std::io::sink());
    let tracing = tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().json().with_writer(writer));
    let tracing = tracing::Dispatch::new(tracing);

    let table = IngestTable::new(&runtime, options.scaled(40_000))?;
    let n = options.scaled(20_000);
    let mut bench = Bench::new()
        .case("build", || {
            Sample::time(n, || parts.event().expect("the parts are fine"))
        })
        .case_vs("finish", "tracing_json_nonblocking", || {
            finish(&runtime, &parts.draft, n)
        })
        .case("finish_with_credential", || {
            let credential = CallerCredential::new(format!("gw_{:032x}", 0x5eed_u128 << 77));
            finish(&runtime, &parts.draft.clone().credential(credential), n)
        })
        .case("serde_to_vec", || {
            Sample::time(n, || {
                serde_json::to_vec(black_box(&event)).expect("an event is JSON")
            })
        })
        .case("tracing_json_nonblocking", || {
            tracing::dispatcher::with_default(&tracing, || Sample::time(n, || trace(&event)))
        });
    for n_callers in [1, 64, 1_024] {
        let n_events = options.scaled(if n_callers == 1 { 20_000 } else { 200_000 });
        let (runtime, parts) = (&runtime, &parts);
        bench = bench.case(format!("memory_{n_callers}"), move || {
            log_events(runtime, parts, n_callers, n_events)
        });
    }
    durable::cases(bench, &runtime, &table, &parts.draft, options).run(options);
    Ok(())
}

/// What a gateway has in its hands when a call comes in: 1 KB of payload.
struct Parts {
    key: ApiKeyId,
    role: Role,
    method: Method,
    tool: ToolName,
    request: Vec<u8>,
    response: Vec<u8>,
    policy: PayloadPolicy,
    draft: EventDraft,
}

impl Parts {
    fn new() -> Result<Self> {
        let request = br#"{"name":"search_issues","arguments":{"query":"is:open label:bug sort:updated","page":3,"per_page":50,"fields":["id","title","state","labels","assignee"]},"_meta":{"progressToken":17}}"#;
        let record = r#"{"id":48213,"title":"Crash when the list is empty","state":"open","labels":["bug","p2"],"assignee":null}"#;
        let response = format!(r#"{{"items":[{}],"total":7}}"#, [record; 7].join(","));
        let policy = PayloadPolicy::default();
        let method = Method::tools_call();
        let mut parts = Self {
            key: ApiKeyId::new("k_7f3")?,
            role: Role::new("operator")?,
            tool: ToolName::new("search_issues")?,
            request: request.to_vec(),
            response: response.into_bytes(),
            draft: EventDraft::new(method.clone()),
            policy,
            method,
        };
        parts.draft = parts.draft()?;
        Ok(parts)
    }

    /// All of it anew, as for each call: texts checked, payloads redacted and bounded.
    fn draft(&self) -> Result<EventDraft> {
        Ok(EventDraft::new(self.method.clone())
            .api_key_id(self.key.clone())
            .role(self.role.clone())
            .tool_name(ToolName::new(self.tool.as_str())?)
            .session_id(SessionId::new("3f2a9c51d0e84b76")?)
            .request_id(RequestId::new("4711")?)
            .decision(Decision::allowed())
            .outcome(Outcome::Ok)
            .request(Payload::from_json(
                &self.request,
                &PayloadContext::request(&self.policy),
            ))
            .response(Payload::from_json(
                &self.response,
                &PayloadContext::response(&self.policy),
            )))
    }

    fn event(&self) -> Result<AuditEvent> {
        let ts = Timestamp::from_micros(1_700_000_000_000_000)?;
        let writer = WriterId::new("bench")?;
        Ok(self
            .draft()?
            .ts(ts)
            .id(EventId::new(ts, 1))
            .stamp(writer, Seq::FIRST)?)
    }
}

/// What `finish` costs its caller: the payloads are ready and the queue has room.
fn finish(runtime: &Runtime, draft: &EventDraft, n_events: usize) -> Sample {
    /// Open calls hold room: this many at a time fit into the queue.
    const OPEN: usize = 500;
    let _context = runtime.enter();
    let logger = logger(store());
    let mut took = Duration::ZERO;
    let n_rounds = n_events.div_ceil(OPEN);
    for _ in 0..n_rounds {
        let mut calls = Vec::with_capacity(OPEN);
        for _ in 0..OPEN {
            calls.push(
                runtime
                    .block_on(logger.begin(draft.clone()))
                    .expect("the queue has room"),
            );
        }
        let mut answers = Vec::with_capacity(OPEN);
        let begin = Instant::now();
        for call in calls {
            answers.push(call.finish(Outcome::Ok));
        }
        took += begin.elapsed();
        for answer in answers {
            runtime.block_on(answer).expect("the memory store takes it");
        }
    }
    Sample::new(n_rounds * OPEN, took)
}

/// `log_event` by callers who each wait for the store's Ok.
fn log_events(runtime: &Runtime, parts: &Parts, n_callers: usize, n_events: usize) -> Sample {
    runtime.block_on(async {
        let store = store();
        let logger = logger(store.clone());
        let n_each = n_events.div_ceil(n_callers);
        let begin = Instant::now();
        let callers: Vec<_> = (0..n_callers)
            .map(|_| {
                let (logger, draft) = (logger.clone(), parts.draft.clone());
                tokio::spawn(async move {
                    for _ in 0..n_each {
                        logger
                            .log_event(draft.clone())
                            .await
                            .expect("the memory store takes it");
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.expect("no caller panics");
        }
        let took = begin.elapsed();
        let report = logger.shutdown(Duration::from_secs(10)).await;
        let n_logged = n_callers * n_each;
        assert_eq!(
            report.n_stored,
            u64::try_from(n_logged).expect("it fits"),
            "nothing is lost in a bench either"
        );
        Sample::new(n_logged, took)
    })
}

fn store() -> MemoryStore {
    let bounds = MemoryConfig::new()
        .max_events(10_000)
        .when_full(WhenFull::ForgetOldest);
    MemoryStore::with_config(bounds)
}

fn logger(sink: impl AuditSink) -> AuditLogger {
    AuditLogger::builder(Arc::new(sink))
        .build()
        .expect("the bounds are fine")
}

fn trace(event: &AuditEvent) {
    tracing::info!(
        id = %event.id,
        api_key_id = event.api_key_id.as_ref().map(AsRef::as_ref),
        role = event.role.as_str(),
        method = event.method.as_str(),
        tool_name = event.tool_name.as_ref().map(AsRef::as_ref),
        request_json = text(event.request()),
        response_json = text(event.response()),
        status_code = event.status_code.as_u16(),
        latency_ms = event.latency_ms.as_millis(),
        decision = event.decision.authz.verdict.as_str(),
        outcome = event.outcome.as_str(),
        session_id = event.session_id.as_ref().map(AsRef::as_ref),
        request_id = event.request_id.as_ref().map(AsRef::as_ref),
        writer = event.writer.as_str(),
        seq = event.seq.get(),
    );
}

fn text(payload: Option<&Payload>) -> &str {
    payload.and_then(Payload::json).unwrap_or_default()
}

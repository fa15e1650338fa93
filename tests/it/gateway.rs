//! How a gateway tests its own record: with a mock where the sink has to behave badly, with the
//! memory store where it has to behave.

use std::sync::Arc;
use std::time::Duration;

use audit_core::event::{ApiKeyId, Check, Decision, EventDraft, Method, Outcome, Reason, ToolName};
use audit_core::reader::{AuditReader, Condition, Filter, PageRequest};
use audit_core::sink::{Appended, AuditSink, Durability, Health};
use audit_core::{AuditLogger, Error, ErrorKind};
use audit_memory::MemoryStore;
use audit_testkit::{ManualClock, MockAuditSink, SequentialIds};

/// The gateway under test: it lets only readers read, and answers only if that is on record.
struct Gateway {
    logger: AuditLogger,
}

impl Gateway {
    /// The one place where production hands over a database, and a test something else.
    fn new(sink: Arc<dyn AuditSink>, clock: ManualClock) -> Self {
        let logger = AuditLogger::builder(sink)
            .clock(clock)
            .ids(SequentialIds::new())
            .build();
        Self {
            logger: logger.expect("the configuration is sound"),
        }
    }

    async fn call(&self, key: &str, tool: &str) -> Result<&'static str, Error> {
        let draft = EventDraft::new(Method::tools_call())
            .api_key_id(ApiKeyId::new(key)?)
            .tool_name(ToolName::new(tool)?);
        let mut call = self.logger.begin(draft).await?;
        if tool != "read" {
            let refusal = Check::denied(Reason::new("only readers here")?);
            call.amend(|draft| draft.decision(Decision::new().authz(refusal)));
            call.finish(Outcome::Denied).await?;
            return Ok("403 no");
        }
        call.amend(|draft| draft.decision(Decision::allowed()));
        call.response_json(r#"{"content":"a page"}"#);
        call.finish(Outcome::Ok).await?;
        Ok("200 a page")
    }
}

/// What CI runs: the real logger, the real contract, no database.
#[tokio::test]
async fn every_call_is_on_record_with_its_outcome() {
    let store = MemoryStore::new();
    let clock = ManualClock::default();
    let gateway = Gateway::new(Arc::new(store.clone()), clock.clone());

    assert_eq!(
        gateway.call("k_reader", "read").await.unwrap(),
        "200 a page"
    );
    clock.advance(Duration::from_secs(60));
    assert_eq!(gateway.call("k_reader", "delete").await.unwrap(), "403 no");

    let [read, delete] = &store.recorded()[..] else {
        panic!("one event for each call: {store:?}");
    };
    assert_eq!(
        (read.outcome, read.status_code.as_u16()),
        (Outcome::Ok, 200)
    );
    assert_eq!(
        (delete.outcome, delete.status_code.as_u16()),
        (Outcome::Denied, 403)
    );
    assert_eq!(delete.ts.as_micros() - read.ts.as_micros(), 60_000_000);
    assert_eq!(
        read.response().unwrap().json(),
        Some(r#"{"content":"a page"}"#)
    );

    // The questions that an operator would ask of the database, asked of the same answers.
    let denied = Filter::all().with(Condition::Outcome(Outcome::Denied));
    let page = store.page(&PageRequest::new(denied)).await.unwrap();
    assert_eq!(page.events, [delete.summary()]);
}

/// What only a mock can show: the store is down, and the gateway must not answer as if the call
/// were on record.
#[tokio::test]
async fn no_answer_leaves_without_its_record() {
    let mut sink = MockAuditSink::new();
    sink.expect_durability().return_const(Durability::Committed);
    sink.expect_forwarding().return_const(None);
    sink.expect_health().returning(Health::ready);
    sink.expect_append()
        .withf(|events| events.len() == 1 && events[0].outcome == Outcome::Ok)
        .times(1)
        .returning(|_| Err(Error::new(ErrorKind::Full, "the disk is full")));
    sink.expect_flush().returning(|| Ok(()));
    sink.expect_close().returning(|| Ok(()));
    let gateway = Gateway::new(Arc::new(sink), ManualClock::default());

    let error = gateway.call("k_reader", "read").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
}

/// A mock also tells what the gateway says to its sink: one event a call, as it was decided.
#[tokio::test]
async fn a_refused_call_is_told_to_the_sink_as_denied() {
    let mut sink = MockAuditSink::new();
    sink.expect_durability().return_const(Durability::Committed);
    sink.expect_forwarding().return_const(None);
    sink.expect_append()
        .withf(|events| {
            let authz = events[0].decision.authz.reason.as_ref();
            events[0].outcome == Outcome::Denied && authz.unwrap().as_str() == "only readers here"
        })
        .times(1)
        .returning(|events| Ok(Appended::all_stored(events.len())));
    sink.expect_flush().returning(|| Ok(()));
    sink.expect_close().returning(|| Ok(()));
    let gateway = Gateway::new(Arc::new(sink), ManualClock::default());

    assert_eq!(gateway.call("k_reader", "delete").await.unwrap(), "403 no");
}

//! Which answer a caller gets, of a sink that answers twice.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use audit_core::event::{AuditEvent, Outcome};
use audit_core::logger::{Acknowledgement, AuditPolicy, PolicyRule, Recorded};
use audit_core::sink::{Appended, Durability, Forwarding, Health, LastAnswer, Receipt, Refusal};
use audit_core::{AuditLogger, AuditSink, Error, ErrorKind, Glob};
use audit_memory::MemoryStore;
use tokio::sync::oneshot;

use super::support::{draft, soon};

type Last = oneshot::Sender<Result<Vec<Receipt>, Error>>;

/// Keeps batches, and answers for the last store when it is told to.
#[derive(Debug, Default)]
struct Spooling {
    store: MemoryStore,
    open: Mutex<Vec<(usize, Last)>>,
}

impl Spooling {
    /// Answers for the batch that waits longest, one receipt for each event.
    fn answer(&self, receipt: &Receipt) {
        let (n_events, last) = self.open.lock().unwrap().remove(0);
        drop(last.send(Ok(vec![receipt.clone(); n_events])));
    }

    fn n_open(&self) -> usize {
        self.open.lock().unwrap().len()
    }
}

#[async_trait]
impl AuditSink for Spooling {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let appended = self.store.append(events).await?;
        let (sender, receiver) = oneshot::channel();
        self.open.lock().unwrap().push((events.len(), sender));
        Ok(appended.with_last_answer(LastAnswer::new(async move {
            let gone = |_| Err(Error::new(ErrorKind::Closed, "the spool is gone"));
            receiver.await.unwrap_or_else(gone)
        })))
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn health(&self) -> Health {
        Health::ready()
    }

    async fn close(&self) -> Result<(), Error> {
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Spooled
    }

    fn forwarding(&self) -> Option<Forwarding> {
        let n_events = u64::try_from(self.n_open()).unwrap();
        Some(Forwarding::to(Durability::Committed).waiting(n_events, 7 * n_events, None))
    }
}

async fn is_answered(answer: Pin<&mut Acknowledgement>) -> bool {
    tokio::time::timeout(Duration::from_millis(1), answer)
        .await
        .is_ok()
}

#[tokio::test(start_paused = true)]
async fn the_first_answer_does_not_wait_for_the_last_store() {
    let sink = Arc::new(Spooling::default());
    let logger = AuditLogger::builder(Arc::clone(&sink)).build().unwrap();
    let recorded = logger.log_event(draft("a").outcome(Outcome::Ok)).await;
    assert_eq!(recorded.unwrap(), Recorded::Spooled);
    let call = logger.begin(draft("b")).await.unwrap();
    let both = call.finish_in_two_steps(Outcome::Ok);
    assert_eq!(soon(both.kept).await.unwrap(), Recorded::Spooled);
    let mut last = pin!(both.last);
    assert!(!is_answered(last.as_mut()).await);
    sink.answer(&Receipt::Stored);
    assert!(
        !is_answered(last.as_mut()).await,
        "that was the other batch"
    );
    sink.answer(&Receipt::Stored);
    assert_eq!(soon(last).await.unwrap(), Recorded::Stored);
}

#[tokio::test(start_paused = true)]
async fn whoever_asked_for_the_last_store_hears_what_it_says() {
    let sink = Arc::new(Spooling::default());
    let logger = AuditLogger::builder(Arc::clone(&sink)).build().unwrap();
    let committed = logger.with_durability(Durability::Committed).unwrap();
    let refused = Receipt::Refused(Refusal::unstorable("no"));
    for receipt in [Receipt::Stored, Receipt::AlreadyStored, refused] {
        let mut logged = pin!(committed.log_event(draft("a").outcome(Outcome::Ok)));
        let waited = tokio::time::timeout(Duration::from_secs(9), logged.as_mut()).await;
        assert!(waited.is_err(), "the store has not said anything");
        sink.answer(&receipt);
        let answer = soon(logged).await;
        match receipt {
            Receipt::Stored => assert_eq!(answer.unwrap(), Recorded::Stored),
            Receipt::AlreadyStored => assert_eq!(answer.unwrap(), Recorded::AlreadyStored),
            _ => assert!(answer.unwrap_err().is_rejected()),
        }
    }
    let mut logged = pin!(committed.log_event(draft("a").outcome(Outcome::Ok)));
    let waited = tokio::time::timeout(Duration::from_secs(9), logged.as_mut()).await;
    assert!(waited.is_err(), "the store has not said anything");
    sink.open.lock().unwrap().clear();
    assert!(soon(logged).await.unwrap_err().is_closed());
    assert_eq!(
        logger.counters().stored,
        4,
        "the sink has them all the same"
    );
}

#[tokio::test]
async fn of_a_store_that_answers_once_both_steps_are_the_same() {
    let logger = AuditLogger::builder(MemoryStore::new()).build().unwrap();
    let call = logger.begin(draft("a")).await.unwrap();
    let both = call.finish_in_two_steps(Outcome::Ok);
    assert_eq!(soon(both.kept).await.unwrap(), Recorded::Stored);
    assert_eq!(soon(both.last).await.unwrap(), Recorded::Stored);
}

#[tokio::test(start_paused = true)]
async fn the_first_rule_that_matches_decides() {
    let sink = Arc::new(Spooling::default());
    let rule = PolicyRule::new;
    let policy = AuditPolicy::new()
        .durability(Durability::Queued)
        .rule(
            rule()
                .tool(Glob::new("delete_*"))
                .outcome(Outcome::Ok)
                .durability(Durability::Spooled),
        )
        .rule(rule().tool(Glob::new("delete_*")).tool(Glob::new("drop")))
        .rule(
            rule()
                .method(Glob::new("tools/*"))
                .outcome(Outcome::Denied)
                .outcome(Outcome::Timeout)
                .durability(Durability::Spooled),
        );
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .policy(policy)
        .build()
        .unwrap();
    for (tool, outcome, recorded) in [
        ("delete_a", Outcome::Ok, Recorded::Spooled),
        // The second rule matches, says nothing, and ends the search.
        ("delete_a", Outcome::Denied, Recorded::Queued),
        ("drop", Outcome::Timeout, Recorded::Queued),
        ("read", Outcome::Denied, Recorded::Spooled),
        ("read", Outcome::Timeout, Recorded::Spooled),
        ("read", Outcome::Ok, Recorded::Queued),
    ] {
        let logged = logger.log_event(draft(tool).outcome(outcome)).await;
        assert_eq!(logged.unwrap(), recorded, "{tool} {outcome}");
        let call = logger.begin(draft(tool)).await.unwrap();
        assert_eq!(
            call.finish(outcome).await.unwrap(),
            recorded,
            "{tool} {outcome}"
        );
    }
    // What a handle asks for comes before the policy.
    let spooled = logger.with_durability(Durability::Spooled).unwrap();
    let logged = spooled.log_event(draft("read").outcome(Outcome::Ok)).await;
    assert_eq!(logged.unwrap(), Recorded::Spooled);
}

#[tokio::test]
async fn what_no_part_can_keep_is_refused_when_the_logger_is_built() {
    let spooled = |policy: AuditPolicy| {
        AuditLogger::builder(MemoryStore::new())
            .policy(policy)
            .build()
    };
    let by_default = AuditPolicy::new().durability(Durability::Spooled);
    let by_rule = AuditPolicy::new()
        .rule(PolicyRule::new())
        .rule(PolicyRule::new().durability(Durability::Spooled));
    let error = spooled(by_default).unwrap_err();
    assert!(
        error.to_string().contains("put a spool before the store"),
        "{error}"
    );
    let error = spooled(by_rule).unwrap_err();
    assert!(
        error.to_string().contains("rule 2 of the policy"),
        "{error}"
    );
    let too_late = PolicyRule::new().write_ahead(true).outcome(Outcome::Ok);
    let error = spooled(AuditPolicy::new().rule(too_late)).unwrap_err();
    assert!(
        error.to_string().contains("before the tool has run"),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_shutdown_tells_what_the_last_store_does_not_have() {
    let sink = Arc::new(Spooling::default());
    let logger = AuditLogger::builder(Arc::clone(&sink)).build().unwrap();
    for _ in 0..3 {
        soon(logger.log_event(draft("a").outcome(Outcome::Ok)))
            .await
            .unwrap();
    }
    let report = soon(logger.shutdown(Duration::from_secs(9))).await;
    assert_eq!((report.n_stored, report.n_forwarding), (3, 3));
}

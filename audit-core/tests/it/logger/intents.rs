//! Attempts that are on record before their tools run.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use audit_core::event::{AuditEvent, EventId, Outcome};
use audit_core::logger::{AuditPolicy, IntentLog, Overload, PolicyRule};
use audit_core::{AuditLogger, AuditSink as _, Error, ErrorKind, Glob};
use audit_memory::MemoryStore;
use audit_testkit::Gate;

use super::support::{Act, ScriptedSink, draft, poll_once, soon, tools};

/// A log of intents in memory, with a gate before `open`.
#[derive(Clone, Debug, Default)]
struct Intents(Arc<State>);

#[derive(Debug, Default)]
struct State {
    open: Mutex<Vec<AuditEvent>>,
    orphans: Mutex<Vec<AuditEvent>>,
    gate: Option<Gate>,
    fails: Mutex<Option<ErrorKind>>,
}

impl Intents {
    fn of_the_dead(orphans: Vec<AuditEvent>) -> Self {
        Self(Arc::new(State {
            orphans: Mutex::new(orphans),
            ..State::default()
        }))
    }

    fn open(&self) -> Vec<EventId> {
        let open = self.0.open.lock().unwrap();
        open.iter().map(|intent| intent.id).collect()
    }

    fn check(&self) -> Result<(), Error> {
        match *self.0.fails.lock().unwrap() {
            Some(kind) => Err(Error::new(kind, "as the test says")),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl IntentLog for Intents {
    async fn open(&self, intents: &[AuditEvent]) -> Result<(), Error> {
        if let Some(gate) = &self.0.gate {
            gate.pass().await;
        }
        self.check()?;
        self.0.open.lock().unwrap().extend_from_slice(intents);
        Ok(())
    }

    async fn settle(&self, ids: &[EventId]) -> Result<(), Error> {
        self.check()?;
        self.0
            .open
            .lock()
            .unwrap()
            .retain(|intent| !ids.contains(&intent.id));
        Ok(())
    }

    async fn take_over(&self, limit: usize) -> Result<Vec<AuditEvent>, Error> {
        self.check()?;
        let mut orphans = self.0.orphans.lock().unwrap();
        let n_taken = std::cmp::min(limit, orphans.len());
        let taken: Vec<_> = orphans.drain(..n_taken).collect();
        self.0.open.lock().unwrap().extend_from_slice(&taken);
        Ok(taken)
    }
}

fn policy() -> AuditPolicy {
    AuditPolicy::new().rule(
        PolicyRule::new()
            .tool(Glob::new("delete_*"))
            .write_ahead(true),
    )
}

fn logger(store: &MemoryStore, intents: &Intents) -> AuditLogger {
    let builder = AuditLogger::builder(store.clone()).policy(policy());
    builder.intents(intents.clone()).build().unwrap()
}

#[tokio::test]
async fn an_attempt_is_on_record_before_the_tool_runs_and_until_its_outcome_is() {
    let (store, intents) = (MemoryStore::new(), Intents::default());
    let logger = logger(&store, &intents);
    let call = logger
        .begin(draft("delete_a").request(audit_testkit::fixture::payload("[1]")))
        .await
        .unwrap();
    let id = call.id();
    {
        let open = intents.0.open.lock().unwrap();
        let intent = &open[0];
        assert_eq!((intent.id, intent.outcome), (id, Outcome::Interrupted));
        assert_eq!(intent.request().unwrap().json(), Some("[1]"));
    }
    let harmless = logger.begin(draft("read")).await.unwrap();
    assert_eq!(intents.open(), [id], "no rule is for it");
    soon(harmless.finish(Outcome::Ok)).await.unwrap();
    assert_eq!(intents.open(), [id]);
    soon(call.finish(Outcome::ToolError)).await.unwrap();
    assert!(
        soon(logger.shutdown(Duration::from_secs(9)))
            .await
            .is_complete()
    );
    assert!(intents.open().is_empty());
    assert_eq!(tools(&store.recorded()), ["read", "delete_a"]);
    assert_eq!(logger.counters().announced, 1);
}

#[tokio::test]
async fn a_call_that_is_dropped_settles_its_attempt_too() {
    let (store, intents) = (MemoryStore::new(), Intents::default());
    let logger = logger(&store, &intents);
    drop(logger.begin(draft("delete_a")).await.unwrap());
    assert!(
        soon(logger.shutdown(Duration::from_secs(9)))
            .await
            .is_complete()
    );
    assert!(intents.open().is_empty());
    assert_eq!(store.recorded()[0].outcome, Outcome::Aborted);
}

#[tokio::test]
async fn a_caller_that_leaves_while_the_attempt_is_kept_leaves_a_record() {
    let store = MemoryStore::new();
    let gate = Gate::new();
    let intents = Intents(Arc::new(State {
        gate: Some(gate.clone()),
        ..State::default()
    }));
    let logger = logger(&store, &intents);
    {
        let mut begin = std::pin::pin!(logger.begin(draft("delete_a")));
        assert!(poll_once(begin.as_mut()).await.is_pending());
    }
    assert!(
        soon(logger.shutdown(Duration::from_secs(9)))
            .await
            .is_complete()
    );
    assert_eq!(store.recorded()[0].outcome, Outcome::Aborted);
    assert_eq!(logger.counters().open_calls, 0);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_not_kept_is_no_call() {
    let (store, intents) = (MemoryStore::new(), Intents::default());
    let logger = logger(&store, &intents);
    *intents.0.fails.lock().unwrap() = Some(ErrorKind::Unavailable);
    let error = logger.begin(draft("delete_a")).await.unwrap_err();
    assert!(error.is_retryable());
    *intents.0.fails.lock().unwrap() = None;
    // A log that hangs is given up on.
    let hanging = Intents(Arc::new(State {
        gate: Some(Gate::new()),
        ..State::default()
    }));
    let other = self::logger(&store, &hanging);
    let error = other.begin(draft("delete_a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    for logger in [logger, other] {
        assert_eq!(logger.counters().open_calls, 0);
        assert!(logger.shutdown(Duration::from_secs(9)).await.is_complete());
    }
    assert!(store.recorded().is_empty());
}

#[tokio::test]
async fn what_is_to_be_announced_is_refused_where_others_are_shed() {
    let (store, intents) = (MemoryStore::new(), Intents::default());
    let logger = AuditLogger::builder(store)
        .policy(policy())
        .intents(intents.clone())
        .overload(Overload::Shed)
        .queue_events(1)
        .build()
        .unwrap();
    let _held = logger.begin(draft("read")).await.unwrap();
    let error = logger.begin(draft("delete_a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert!(intents.open().is_empty());
    drop(logger.begin(draft("read")).await.unwrap());
    assert_eq!(logger.counters().shed, 1);
}

/// Intents as a logger that died would have left them.
async fn left_open(names: &[&str]) -> Vec<AuditEvent> {
    let intents = Intents::default();
    let logger = logger(&MemoryStore::new(), &intents);
    for name in names {
        let call = logger.begin(draft(name)).await.unwrap();
        std::mem::forget(call);
    }
    let left = intents.0.open.lock().unwrap().clone();
    left
}

#[tokio::test]
async fn what_a_crash_left_open_is_recorded_before_anything_else_and_once() {
    let left = left_open(&["delete_a", "delete_b", "delete_c"]).await;
    let (store, intents) = (MemoryStore::new(), Intents::of_the_dead(left.clone()));
    let logger = AuditLogger::builder(store.clone())
        .policy(policy())
        .intents(intents.clone())
        .batch_events(2)
        .build()
        .unwrap();
    soon(logger.log_event(draft("read").outcome(Outcome::Ok)))
        .await
        .unwrap();
    assert!(
        soon(logger.shutdown(Duration::from_secs(9)))
            .await
            .is_complete()
    );
    let recorded = store.recorded();
    let interrupted: Vec<_> = recorded
        .iter()
        .filter(|it| it.outcome == Outcome::Interrupted)
        .collect();
    let ids: Vec<_> = interrupted.iter().map(|event| event.id).collect();
    assert_eq!(ids, left.iter().map(|intent| intent.id).collect::<Vec<_>>());
    assert!(
        interrupted
            .iter()
            .all(|event| event.writer == *logger.writer())
    );
    assert!(recorded.is_sorted_by_key(|event| event.seq));
    assert!(intents.open().is_empty());
    assert_eq!((recorded.len(), logger.counters().interrupted), (4, 3));
}

#[tokio::test]
async fn what_the_store_knows_better_is_no_loss() {
    let left = left_open(&["delete_a"]).await;
    let store = MemoryStore::new();
    let known = draft("delete_a")
        .ts(left[0].ts)
        .id(left[0].id)
        .outcome(Outcome::Ok);
    let first = AuditLogger::builder(store.clone()).build().unwrap();
    soon(first.log_event(known)).await.unwrap();
    let intents = Intents::of_the_dead(left);
    let second = logger(&store, &intents);
    let report = soon(second.shutdown(Duration::from_secs(9))).await;
    assert_eq!(report.n_refused, 0, "{report:?}");
    assert!(intents.open().is_empty());
    let recorded = store.recorded();
    assert!(
        !recorded
            .iter()
            .any(|event| event.outcome == Outcome::Interrupted)
    );
    // Its number is in no store, and that is told.
    assert_eq!(recorded.len(), 2);
    assert!(
        recorded[1]
            .request()
            .unwrap()
            .json()
            .unwrap()
            .contains("duplicate")
    );
}

#[tokio::test]
async fn an_attempt_of_a_record_that_could_not_be_stored_stays() {
    let intents = Intents::default();
    let sink =
        ScriptedSink::new(
            |_, events| match events.iter().any(|event| event.tool_name.is_some()) {
                true => Act::Fail(ErrorKind::Full),
                false => Act::Store,
            },
        );
    let builder = AuditLogger::builder(Arc::clone(&sink)).policy(policy());
    let logger = builder.intents(intents.clone()).build().unwrap();
    let call = logger.begin(draft("delete_a")).await.unwrap();
    let id = call.id();
    assert_eq!(
        soon(call.finish(Outcome::Ok)).await.unwrap_err().kind(),
        ErrorKind::Full
    );
    soon(logger.shutdown(Duration::from_secs(9))).await;
    assert_eq!(intents.open(), [id], "it is all that is left of the call");
}

#[tokio::test]
async fn a_log_that_cannot_be_looked_through_stops_nothing() {
    let (store, intents) = (MemoryStore::new(), Intents::default());
    *intents.0.fails.lock().unwrap() = Some(ErrorKind::Corrupt);
    let logger = logger(&store, &intents);
    soon(logger.log_event(draft("read").outcome(Outcome::Ok)))
        .await
        .unwrap();
    assert!(
        soon(logger.shutdown(Duration::from_secs(9)))
            .await
            .is_complete()
    );
    assert!(store.health().await.is_ready());
}

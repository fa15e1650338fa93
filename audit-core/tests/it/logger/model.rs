//! Any interleaving of what callers and a sink can do, against what must be true at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use audit_core::event::{EventId, Outcome};
use audit_core::logger::{LOSS_METHOD, OpenCall, Overload, Recorded};
use audit_core::{AuditEvent, AuditLogger, Error, ErrorKind};
use proptest::prelude::*;
use tokio::task::JoinHandle;

use super::support::{Act, ScriptedSink, draft, is_of_tool, poll_once};

/// One step of the callers.
#[derive(Clone, Debug)]
enum Step {
    Begin {
        is_poison: bool,
    },
    /// Begins `log_event`, polls it so often, and drops it.
    CancelLogEvent {
        n_polls: usize,
    },
    Drop(usize),
    Finish(usize),
    LetTheBatcherWork,
    LogEvent {
        is_poison: bool,
    },
}

/// What the sink does with an append.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Fail,
    Hang,
    None,
    Panic,
    StoreThenFail,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let is_poison = || prop::bool::weighted(0.1);
    let step = prop_oneof![
        4 => is_poison().prop_map(|is_poison| Step::Begin { is_poison }),
        1 => (0..4_usize).prop_map(|n_polls| Step::CancelLogEvent { n_polls }),
        1 => any::<usize>().prop_map(Step::Drop),
        3 => any::<usize>().prop_map(Step::Finish),
        2 => Just(Step::LetTheBatcherWork),
        3 => is_poison().prop_map(|is_poison| Step::LogEvent { is_poison }),
    ];
    prop::collection::vec(step, 0..60)
}

/// Lost answers or panics, not both: a panic behind a lost answer leaves open whether the batch is
/// stored, and the logger then tells a loss that may be none.
fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let faults = |worst| {
        let fault = prop_oneof![
            8 => Just(Fault::None),
            4 => Just(Fault::Fail),
            1 => Just(Fault::Hang),
            4 => Just(worst),
        ];
        prop::collection::vec(fault, 0..20)
    };
    prop_oneof![faults(Fault::Panic), faults(Fault::StoreThenFail)]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_each_record_is_stored_once_or_its_loss_is_told(
        steps in steps(),
        faults in faults(),
        batch_events in 1..5_usize,
        queue_events in 1..8_usize,
        in_flight in 1..4_usize,
        gives_up in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(run(steps, faults, (batch_events, in_flight), queue_events, gives_up))?;
    }
}

async fn run(
    steps: Vec<Step>,
    faults: Vec<Fault>,
    (batch_events, in_flight): (usize, usize),
    queue_events: usize,
    gives_up: bool,
) -> Result<(), TestCaseError> {
    let sink = ScriptedSink::new(move |attempt, events| match faults.get(attempt) {
        Some(Fault::Fail) => Act::Fail(ErrorKind::Unavailable),
        Some(Fault::Hang) => Act::Hang,
        Some(Fault::Panic) => Act::Panic,
        Some(Fault::StoreThenFail) if !events.iter().any(|event| is_of_tool(event, "poison")) => {
            Act::StoreAndFail(ErrorKind::Timeout)
        }
        _ => Act::Refuse("poison"),
    });
    let logger = AuditLogger::builder(Arc::clone(&sink))
        .batch_events(batch_events)
        .batches_in_flight(in_flight)
        .queue_events(queue_events)
        .overload(Overload::Reject)
        .build()
        .unwrap();
    let mut callers = Callers::new(logger.clone());
    for step in steps {
        callers.take(step).await;
    }
    let n_open = callers.open.len();
    callers.open.clear();
    // A deadline of no time at all gives up on whatever is not stored yet.
    let deadline = if gives_up {
        Duration::ZERO
    } else {
        Duration::from_secs(3_600)
    };
    let report = logger.shutdown(deadline).await;
    let answers = callers.answers().await;

    let stored = sink.store.recorded();
    let ids: BTreeSet<EventId> = stored.iter().map(|event| event.id).collect();
    prop_assert_eq!(ids.len(), stored.len(), "no record is stored twice");
    for (id, answer) in &answers {
        if *answer {
            prop_assert!(ids.contains(id), "Ok means stored: {}", id);
        }
    }
    prop_assert!(
        in_flight > 1 || stored.is_sorted_by(|a, b| a.seq < b.seq),
        "in the order of their numbers"
    );
    prop_assert!(!stored.iter().any(|event| is_of_tool(event, "poison")));

    let counters = logger.counters();
    let n_unstored = u64::try_from(report.unstored.len()).unwrap();
    prop_assert_eq!(
        counters.accepted,
        counters.stored + counters.duplicates + counters.refused + counters.failed + n_unstored,
        "every record that was accepted is somewhere"
    );
    prop_assert_eq!(
        (
            counters.queued_events,
            counters.queued_bytes,
            counters.open_calls
        ),
        (0, 0, 0)
    );
    // What was given back may have been stored by an append that did not answer.
    let given_back = report
        .unstored
        .iter()
        .filter(|event| !ids.contains(&event.id));
    let n_told: u64 = stored.iter().chain(given_back).map(n_lost_by).sum();
    // A loss event that failed was itself counted as failed, beside what it tells.
    let n_lost = counters.refused + counters.failed;
    prop_assert!(n_told + report.n_untold_losses <= n_lost);
    if counters.failed == 0 {
        prop_assert_eq!(
            n_told + report.n_untold_losses,
            n_lost,
            "each loss is told once"
        );
    }
    if !gives_up {
        prop_assert_eq!(n_unstored, 0);
        let n_aborted = stored
            .iter()
            .filter(|event| event.outcome == Outcome::Aborted)
            .count();
        let n_lost = usize::try_from(counters.failed).unwrap() + callers.n_open_poison;
        prop_assert!(
            n_aborted + n_lost >= n_open,
            "whoever was dropped is recorded as aborted"
        );
    }
    Ok(())
}

/// How many records the event tells the loss of.
fn n_lost_by(event: &AuditEvent) -> u64 {
    if event.method.as_str() != LOSS_METHOD {
        return 0;
    }
    let form: serde_json::Value =
        serde_json::from_str(event.request().unwrap().json().unwrap()).unwrap();
    form["count"].as_u64().unwrap()
}

struct Callers {
    logger: AuditLogger,
    open: Vec<OpenCall>,
    waiting: Vec<(EventId, JoinHandle<Result<Recorded, Error>>)>,
    poison: BTreeMap<EventId, bool>,
    n_open_poison: usize,
}

impl Callers {
    fn new(logger: AuditLogger) -> Self {
        Self {
            logger,
            open: Vec::new(),
            waiting: Vec::new(),
            poison: BTreeMap::new(),
            n_open_poison: 0,
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Begin { is_poison } => {
                if let Ok(call) = self.logger.begin(draft(tool(is_poison))).await {
                    self.poison.insert(call.id(), is_poison);
                    self.n_open_poison += usize::from(is_poison);
                    self.open.push(call);
                }
            }
            Step::CancelLogEvent { n_polls } => {
                let mut work = std::pin::pin!(
                    self.logger
                        .log_event(draft("cancelled").outcome(Outcome::Ok))
                );
                for _ in 0..n_polls {
                    if poll_once(work.as_mut()).await.is_ready() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
            Step::Drop(which) => drop(self.pick(which)),
            Step::Finish(which) => {
                if let Some(call) = self.pick(which) {
                    let id = call.id();
                    self.waiting
                        .push((id, tokio::spawn(call.finish(Outcome::Ok))));
                }
            }
            Step::LetTheBatcherWork => tokio::time::sleep(Duration::from_millis(20)).await,
            Step::LogEvent { is_poison } => {
                if let Ok(call) = self.logger.begin(draft(tool(is_poison))).await {
                    self.waiting
                        .push((call.id(), tokio::spawn(call.finish(Outcome::Ok))));
                }
            }
        }
    }

    fn pick(&mut self, which: usize) -> Option<OpenCall> {
        if self.open.is_empty() {
            return None;
        }
        let call = self.open.swap_remove(which % self.open.len());
        if self.poison[&call.id()] {
            self.n_open_poison -= 1;
        }
        Some(call)
    }

    /// Which records were answered with Ok.
    async fn answers(&mut self) -> Vec<(EventId, bool)> {
        let mut answers = Vec::new();
        for (id, waiting) in self.waiting.drain(..) {
            answers.push((id, waiting.await.unwrap().is_ok_and(Recorded::is_stored)));
        }
        answers
    }
}

fn tool(is_poison: bool) -> &'static str {
    if is_poison { "poison" } else { "fine" }
}

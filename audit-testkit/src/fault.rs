//! A sink that fails on a written plan.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use audit_core::event::AuditEvent;
use audit_core::sink::{Appended, AuditSink, Durability, Forwarding, Health, Receipt, Refusal};
use audit_core::{Error, ErrorKind};

use crate::gate::Gate;

/// What a [`FaultySink`] does with its calls, one step a call; behind the last step every call
/// goes through.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use audit_testkit::{FaultPlan, Gate};
///
/// let gate = Gate::new();
/// let plan = FaultPlan::new()
///     .fail(2) // the store is down for two calls
///     .delay(Duration::from_secs(3)) // then slow for one, by tokio's clock
///     .hang(&gate) // then it hangs until the test opens the gate
///     .pass(10)
///     .store_then_fail(1); // an answer is lost
/// # let _ = plan;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a plan is handed to `FaultySink::new`"]
pub struct FaultPlan {
    steps: VecDeque<Step>,
    last: Option<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Delay(Duration),
    Fail(ErrorKind),
    Hang(Gate),
    Panic,
    Pass,
    Refuse(usize),
    StoreThenFail,
    Tear(usize),
}

impl FaultPlan {
    /// Nothing goes wrong.
    pub fn new() -> Self {
        Self::default()
    }

    /// So many calls go through.
    pub fn pass(self, n_calls: usize) -> Self {
        self.with(n_calls, &Step::Pass)
    }

    /// So many calls fail as if the store were down; nothing is stored.
    pub fn fail(self, n_calls: usize) -> Self {
        self.fail_with(n_calls, ErrorKind::Unavailable)
    }

    /// So many calls fail with an error of this kind; nothing is stored.
    pub fn fail_with(self, n_calls: usize, kind: ErrorKind) -> Self {
        self.with(n_calls, &Step::Fail(kind))
    }

    /// A call goes through after this time by tokio's clock, which a test can pause.
    pub fn delay(self, by: Duration) -> Self {
        self.with(1, &Step::Delay(by))
    }

    /// A call goes through when the gate is open.
    pub fn hang(self, gate: &Gate) -> Self {
        self.with(1, &Step::Hang(gate.clone()))
    }

    /// So many calls store their events, and answer that the store is down: a lost answer.
    pub fn store_then_fail(self, n_calls: usize) -> Self {
        self.with(n_calls, &Step::StoreThenFail)
    }

    /// A call stores the first so many events of its batch and then fails. No sink may do that;
    /// what stands around a sink may meet it all the same.
    pub fn tear(self, n_stored: usize) -> Self {
        self.with(1, &Step::Tear(n_stored))
    }

    /// A call refuses the event at this place of its batch, and stores the others.
    pub fn refuse(self, index: usize) -> Self {
        self.with(1, &Step::Refuse(index))
    }

    /// A call panics. No sink may do that; what stands around a sink may meet it all the same.
    pub fn panic(self) -> Self {
        self.with(1, &Step::Panic)
    }

    /// Whatever comes behind the last step does as that step says, for ever.
    pub fn for_ever(mut self) -> Self {
        self.last = self.steps.back().cloned();
        self
    }

    fn with(mut self, n_calls: usize, step: &Step) -> Self {
        self.steps.extend(vec![step.clone(); n_calls]);
        self
    }

    fn next(&mut self) -> Step {
        let step = self.steps.pop_front().or_else(|| self.last.clone());
        step.unwrap_or(Step::Pass)
    }
}

/// A sink around a sink, that goes wrong as its plan says.
///
/// With an empty plan it is the sink within. The steps are taken in the order in which calls
/// begin.
pub struct FaultySink<S> {
    inner: S,
    append: Plan,
    flush: Plan,
    close: Plan,
}

/// A plan, and how far it was carried out.
#[derive(Default)]
struct Plan(Mutex<(FaultPlan, usize)>);

impl<S: AuditSink> FaultySink<S> {
    /// A sink whose appends go wrong as the plan says.
    pub fn new(inner: S, plan: FaultPlan) -> Self {
        Self {
            inner,
            append: Plan::new(plan),
            flush: Plan::default(),
            close: Plan::default(),
        }
    }

    /// The same, with a plan for its flushes. Steps about a batch let a flush through.
    #[must_use]
    pub fn on_flush(mut self, plan: FaultPlan) -> Self {
        self.flush = Plan::new(plan);
        self
    }

    /// The same, with a plan for its closing. Steps about a batch let it through.
    #[must_use]
    pub fn on_close(mut self, plan: FaultPlan) -> Self {
        self.close = Plan::new(plan);
        self
    }

    /// The sink within.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// How many appends began.
    pub fn n_appends(&self) -> usize {
        self.append.n_calls()
    }

    async fn append_refusing(
        &self,
        events: &[AuditEvent],
        index: usize,
    ) -> Result<Appended, Error> {
        let refusal = Receipt::Refused(Refusal::unstorable("refused by the plan of faults"));
        let mut rest = events.to_vec();
        if index < events.len() {
            rest.remove(index);
        }
        let mut receipts = self.inner.append(&rest).await?.into_receipts();
        if index < events.len() {
            receipts.insert(index, refusal);
        }
        Ok(Appended::new(receipts))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: AuditSink> AuditSink for FaultySink<S> {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let step = self.append.next();
        step.before().await?;
        match step {
            Step::Refuse(index) => self.append_refusing(events, index).await,
            Step::StoreThenFail => {
                let stored = self.inner.append(events).await;
                stored.and_then(|_| Err(fault(ErrorKind::Unavailable)))
            }
            Step::Tear(n_stored) => {
                let torn = &events[..std::cmp::min(n_stored, events.len())];
                let stored = self.inner.append(torn).await;
                stored.and_then(|_| Err(fault(ErrorKind::Unavailable)))
            }
            Step::Delay(_) | Step::Fail(_) | Step::Hang(_) | Step::Panic | Step::Pass => {
                self.inner.append(events).await
            }
        }
    }

    async fn flush(&self) -> Result<(), Error> {
        self.flush.next().before().await?;
        self.inner.flush().await
    }

    async fn health(&self) -> Health {
        self.inner.health().await
    }

    async fn close(&self) -> Result<(), Error> {
        self.close.next().before().await?;
        self.inner.close().await
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }

    fn forwarding(&self) -> Option<Forwarding> {
        self.inner.forwarding()
    }
}

impl<S: fmt::Debug> fmt::Debug for FaultySink<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultySink")
            .field("inner", &self.inner)
            .field("n_appends", &self.append.n_calls())
            .finish_non_exhaustive()
    }
}

impl Step {
    /// What goes wrong before anything is done.
    async fn before(&self) -> Result<(), Error> {
        match self {
            Self::Delay(by) => tokio::time::sleep(*by).await,
            Self::Fail(kind) => return Err(fault(*kind)),
            Self::Hang(gate) => gate.pass().await,
            Self::Panic => panic!("the plan of faults says so"),
            Self::Pass | Self::Refuse(_) | Self::StoreThenFail | Self::Tear(_) => {}
        }
        Ok(())
    }
}

impl Plan {
    fn new(plan: FaultPlan) -> Self {
        Self(Mutex::new((plan, 0)))
    }

    fn next(&self) -> Step {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plan.1 += 1;
        plan.0.next()
    }

    fn n_calls(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

fn fault(kind: ErrorKind) -> Error {
    Error::new(kind, "failed by the plan of faults")
}

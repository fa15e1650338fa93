//! The second answers of sinks that forward, by the rule.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use audit_core::event::AuditEvent;
use audit_core::sink::{
    Appended, AuditSink, Durability, FanOutRule, Forwarding, Health, LastAnswer, Receipt, Refusal,
    Retry, TeeLog,
};
use audit_core::{Error, ErrorKind};
use audit_testkit::{FaultPlan, fixture};
use tokio::sync::oneshot;

use super::super::logger::support::soon;
use super::support::{fan_out, faulty, let_run};

type Last = Result<Vec<Receipt>, Error>;

/// Keeps everything at once, and answers a second time when the test says so.
#[derive(Debug)]
struct Forwards {
    last: Mutex<Option<oneshot::Receiver<Last>>>,
    n_waiting: u64,
}

fn forwards(n_waiting: u64) -> (Arc<Forwards>, oneshot::Sender<Last>) {
    let (sender, receiver) = oneshot::channel();
    let last = Mutex::new(Some(receiver));
    (Arc::new(Forwards { last, n_waiting }), sender)
}

#[async_trait]
impl AuditSink for Forwards {
    async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error> {
        let last = self.last.lock().unwrap().take().expect("one append");
        let last = LastAnswer::new(async { last.await.expect("the test answers") });
        Ok(Appended::all_stored(events.len()).with_last_answer(last))
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
        Some(Forwarding::to(Durability::Committed).waiting(self.n_waiting, 10, None))
    }
}

fn stored() -> Last {
    Ok(vec![Receipt::Stored])
}

fn refused() -> Last {
    Ok(vec![Receipt::Refused(Refusal::conflict())])
}

fn gone() -> Last {
    Err(Error::new(ErrorKind::Closed, "as the test says"))
}

/// What the second answer is when these are those of two sinks, in this order; `None` if it does
/// not come.
async fn last_of(rule: FanOutRule, answers: [Option<Last>; 2]) -> Option<Result<bool, ErrorKind>> {
    let ((one, first), (two, second)) = (forwards(1), forwards(2));
    let fan_out = fan_out(rule, vec![one, two]);
    let appended = fan_out.append(&fixture::events(1..=1)).await.unwrap();
    let last = tokio::spawn(appended.last());
    let_run().await;
    let mut kept_open = Vec::new();
    for (sender, answer) in [first, second].into_iter().zip(answers) {
        match answer {
            Some(answer) => drop(sender.send(answer)),
            None => kept_open.push(sender),
        }
        let_run().await;
    }
    if !last.is_finished() {
        last.abort();
        return None;
    }
    let last = last.await.unwrap();
    Some(last.map(|it| it[0].is_kept()).map_err(|error| error.kind()))
}

#[tokio::test]
async fn second_answers_are_combined_by_the_rule() {
    let (all, any, primary) = (FanOutRule::All, FanOutRule::Any, FanOutRule::Primary);
    let (yes, no, lost) = (
        Some(Ok(true)),
        Some(Ok(false)),
        Some(Err(ErrorKind::Closed)),
    );
    let table = [
        ([Some(stored()), Some(stored())], yes, yes, yes),
        ([Some(stored()), None], None, yes, yes),
        ([None, Some(stored())], None, yes, None),
        ([Some(refused()), Some(stored())], no, yes, no),
        ([Some(refused()), None], None, None, no),
        ([Some(gone()), Some(stored())], lost, yes, lost),
        ([Some(stored()), Some(gone())], lost, yes, yes),
        ([Some(gone()), Some(gone())], lost, lost, lost),
    ];
    for (answers, of_all, of_any, of_primary) in table {
        for (rule, expected) in [(all, of_all), (any, of_any), (primary, of_primary)] {
            let got = soon(last_of(rule, answers.clone())).await;
            assert_eq!(got, expected, "{rule} of {answers:?}");
        }
    }
}

#[tokio::test]
async fn what_a_fan_out_forwards_is_said_by_the_rule() {
    let sinks = || {
        vec![
            forwards(1).0 as _,
            faulty(FaultPlan::new()).0 as _,
            forwards(4).0 as _,
        ]
    };
    let counted = |rule| {
        let fan_out = fan_out(rule, sinks());
        let forwarding = fan_out.forwarding().unwrap();
        (
            fan_out.durability(),
            forwarding.durability,
            forwarding.n_events,
            forwarding.bytes,
        )
    };
    let (spooled, committed) = (Durability::Spooled, Durability::Committed);
    assert_eq!(counted(FanOutRule::All), (spooled, committed, 5, 20));
    assert_eq!(counted(FanOutRule::Any), (spooled, committed, 5, 20));
    assert_eq!(counted(FanOutRule::Primary), (spooled, committed, 1, 10));
    let plain_first = vec![faulty(FaultPlan::new()).0 as _, forwards(4).0 as _];
    let plain_first = fan_out(FanOutRule::Primary, plain_first);
    assert_eq!(plain_first.forwarding(), None);
    assert_eq!(plain_first.durability(), committed);
}

#[tokio::test]
async fn a_sink_that_answers_once_has_no_other_answer_than_its_first() {
    let (spool, last) = forwards(0);
    let fan_out = fan_out(FanOutRule::All, vec![spool, faulty(FaultPlan::new()).0]);
    let appended = fan_out.append(&fixture::events(1..=1)).await.unwrap();
    last.send(stored()).unwrap();
    assert_eq!(soon(appended.last()).await.unwrap(), [Receipt::Stored]);
}

#[tokio::test]
async fn retry_and_tee_hand_the_second_answer_on() {
    let (spool, last) = forwards(3);
    let sink = Retry::new(TeeLog::new(spool));
    assert_eq!(sink.forwarding().unwrap().n_events, 3);
    assert_eq!(sink.durability(), Durability::Spooled);
    let appended = sink.append(&fixture::events(1..=1)).await.unwrap();
    last.send(refused()).unwrap();
    let last = soon(appended.last()).await.unwrap();
    assert!(!last[0].is_kept());
}

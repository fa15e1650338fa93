//! A plan of faults is carried out as it is written.

use std::time::Duration;

use audit_core::ErrorKind;
use audit_core::event::AuditEvent;
use audit_core::sink::{AuditSink, Receipt};
use audit_memory::MemoryStore;
use audit_testkit::{FaultPlan, FaultySink, Gate, fixture};

fn faulty(plan: FaultPlan) -> (FaultySink<MemoryStore>, Vec<AuditEvent>) {
    let sink = FaultySink::new(MemoryStore::new(), plan);
    (sink, fixture::events(1..=3))
}

async fn kinds(
    sink: &impl AuditSink,
    batch: &[AuditEvent],
    n_calls: usize,
) -> Vec<Option<ErrorKind>> {
    let mut kinds = Vec::new();
    for _ in 0..n_calls {
        kinds.push(sink.append(batch).await.err().map(|error| error.kind()));
    }
    kinds
}

#[tokio::test]
async fn calls_fail_as_often_as_the_plan_says() {
    let plan = FaultPlan::new()
        .pass(1)
        .fail(2)
        .fail_with(1, ErrorKind::Timeout);
    let (sink, batch) = faulty(plan);
    let down = Some(ErrorKind::Unavailable);
    let expected = [None, down, down, Some(ErrorKind::Timeout), None, None];
    assert_eq!(kinds(&sink, &batch, 6).await, expected);
    assert_eq!(sink.n_appends(), 6);
    assert_eq!(sink.inner().recorded(), batch);
}

#[tokio::test]
async fn the_last_step_can_go_on_for_ever() {
    let (sink, batch) = faulty(FaultPlan::new().pass(1).fail(1).for_ever());
    let down = Some(ErrorKind::Unavailable);
    assert_eq!(
        kinds(&sink, &batch, 5).await,
        [None, down, down, down, down]
    );
}

#[tokio::test]
async fn a_lost_answer_stores_and_fails() {
    let (sink, batch) = faulty(FaultPlan::new().store_then_fail(1));
    let error = sink.append(&batch).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!(sink.inner().recorded(), batch);
    let again = sink.append(&batch).await.unwrap();
    assert_eq!(again.receipts(), vec![Receipt::AlreadyStored; 3]);
}

#[tokio::test]
async fn a_torn_batch_stores_its_beginning() {
    let (sink, batch) = faulty(FaultPlan::new().tear(2).tear(9));
    sink.append(&batch).await.unwrap_err();
    assert_eq!(sink.inner().recorded(), batch[..2]);
    sink.append(&batch).await.unwrap_err();
    assert_eq!(sink.inner().recorded(), batch);
}

#[tokio::test]
async fn one_event_is_refused_and_its_neighbors_are_stored() {
    let (sink, batch) = faulty(FaultPlan::new().refuse(1).refuse(7));
    let appended = sink.append(&batch).await.unwrap();
    let is_kept: Vec<bool> = appended.receipts().iter().map(Receipt::is_kept).collect();
    assert_eq!(is_kept, [true, false, true]);
    assert_eq!(
        sink.inner().recorded(),
        [batch[0].clone(), batch[2].clone()]
    );
    assert!(sink.append(&batch).await.unwrap().is_all_kept());
}

#[tokio::test(start_paused = true)]
async fn a_delay_goes_by_the_clock_of_tokio() {
    let (sink, batch) = faulty(FaultPlan::new().delay(Duration::from_secs(90)));
    let begin = tokio::time::Instant::now();
    drop(sink.append(&batch).await.unwrap());
    assert_eq!(begin.elapsed(), Duration::from_secs(90));
}

#[tokio::test]
async fn a_call_hangs_until_the_gate_is_open() {
    let gate = Gate::new();
    let (sink, batch) = faulty(FaultPlan::new().hang(&gate));
    let store = sink.inner().clone();
    let hanging = tokio::spawn(async move { sink.append(&batch).await });
    gate.arrived(1).await;
    assert_eq!(store.n_events(), 0);
    gate.open();
    assert!(hanging.await.unwrap().unwrap().is_all_kept());
    assert_eq!(store.n_events(), 3);
}

#[tokio::test]
async fn a_cancelled_hang_leaves_the_sink_usable() {
    let gate = Gate::new();
    let (sink, batch) = faulty(FaultPlan::new().hang(&gate));
    tokio::select! {
        answer = sink.append(&batch) => panic!("the gate is shut: {answer:?}"),
        () = gate.arrived(1) => {}
    }
    assert!(sink.append(&batch).await.unwrap().is_all_kept());
}

#[tokio::test]
async fn a_panic_stays_within_its_task() {
    let (sink, batch) = faulty(FaultPlan::new().panic());
    let sink = std::sync::Arc::new(sink);
    let same = std::sync::Arc::clone(&sink);
    let panicked = tokio::spawn(async move { same.append(&batch).await });
    assert!(panicked.await.unwrap_err().is_panic());
    drop(sink.append(&fixture::events(1..=1)).await.unwrap());
}

#[tokio::test]
async fn flush_and_close_have_plans_of_their_own() {
    let sink = FaultySink::new(MemoryStore::new(), FaultPlan::new())
        .on_flush(FaultPlan::new().fail(1))
        .on_close(FaultPlan::new().fail_with(1, ErrorKind::Timeout));
    assert_eq!(
        sink.flush().await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    assert_eq!(sink.close().await.unwrap_err().kind(), ErrorKind::Timeout);
    sink.flush().await.unwrap();
    assert!(sink.health().await.is_ready());
    sink.close().await.unwrap();
    assert!(!sink.health().await.is_ready());
}

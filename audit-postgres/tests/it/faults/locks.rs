//! A table that somebody else holds.

use std::sync::Arc;
use std::time::Duration;

use audit_core::{AuditSink, ErrorKind};
use audit_postgres::PostgresSink;
use audit_testkit::fixture;

use super::config;
use super::ledger::{Ledger, Load};
use crate::database::Database;

#[tokio::test]
async fn a_locked_table_is_given_up_in_time_and_written_later() {
    let database = Database::new().await;
    let config = config(&database.writer_url()).statement_timeout(Duration::from_millis(200));
    let sink = PostgresSink::connect(&config).await.unwrap();
    let mut locker = database.pool().begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE audit_events")
        .execute(&mut *locker)
        .await
        .unwrap();
    let batch = fixture::events(1..=10);
    let ledger = Ledger::default();
    let error = sink.append(&batch).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    ledger.fail(&error);
    locker.rollback().await.unwrap();
    ledger.append(&sink, &batch).await;
    ledger.settle("a locked table", database.pool()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locks_that_come_and_go_lose_and_double_nothing() {
    let database = Database::new().await;
    let config = config(&database.writer_url()).statement_timeout(Duration::from_millis(300));
    let sink: Arc<dyn AuditSink> = Arc::new(PostgresSink::connect(&config).await.unwrap());
    let load = Load::start(&sink, 3);
    for _ in 0..6 {
        load.acknowledge_more(60).await;
        let mut locker = database.pool().begin().await.unwrap();
        sqlx::raw_sql("LOCK TABLE audit_events")
            .execute(&mut *locker)
            .await
            .unwrap();
        load.fail_once_more().await;
        locker.rollback().await.unwrap();
    }
    load.acknowledge_more(60).await;
    load.settle("locked 6 times", database.pool()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sinks_that_deadlock_over_the_same_events_store_each_once() {
    let database = Database::new().await;
    let patience = format!(
        "ALTER DATABASE {} SET deadlock_timeout = '5ms'",
        database.name
    );
    database.run(&patience).await;
    let config = config(&database.writer_url());
    let sink = Arc::new(PostgresSink::connect(&config).await.unwrap());
    let ledger = Arc::new(Ledger::default());
    for round in 0..30 {
        let batch = fixture::events(round * 400 + 1..=round * 400 + 400);
        let backward: Vec<_> = batch.iter().rev().cloned().collect();
        let appends = [batch, backward].map(|batch| {
            let (sink, ledger) = (Arc::clone(&sink), Arc::clone(&ledger));
            tokio::spawn(async move { ledger.append(&*sink, &batch).await })
        });
        for append in appends {
            append.await.unwrap();
        }
    }
    let stored = ledger.settle("deadlocks", database.pool()).await;
    assert_eq!(stored.len(), 12_000);
    assert!(
        ledger.has_failed_with("SQLSTATE 40P01"),
        "the batches never met"
    );
}

//! A table that somebody else holds.

use std::sync::Arc;
use std::time::Duration;

use audit_core::{AuditSink, ErrorKind};
use audit_postgres::PostgresSink;
use audit_testkit::fixture;

use super::config;
use super::ledger::Load;
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
    let error = sink.append(&batch).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    locker.rollback().await.unwrap();
    assert!(sink.append(&batch).await.unwrap().is_all_kept());
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
    let url = format!("{}?options[deadlock_timeout]=5ms", database.url.as_str());
    let sink = Arc::new(PostgresSink::connect(&config(&url)).await.unwrap());
    let mut n_deadlocks = 0;
    for round in 0..30 {
        let batch = fixture::events(round * 400 + 1..=round * 400 + 400);
        let backward: Vec<_> = batch.iter().rev().cloned().collect();
        let appends = [batch, backward].map(|batch| {
            let sink = Arc::clone(&sink);
            tokio::spawn(async move {
                let mut n_failed = 0;
                loop {
                    match sink.append(&batch).await {
                        Ok(appended) => {
                            assert!(appended.is_all_kept());
                            return n_failed;
                        }
                        Err(error) => {
                            assert!(error.is_retryable(), "{error:?}");
                            n_failed += 1;
                        }
                    }
                }
            })
        });
        for append in appends {
            n_deadlocks += append.await.unwrap();
        }
    }
    let n_stored: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_events")
        .fetch_one(database.pool())
        .await
        .unwrap();
    eprintln!(
        "{n_deadlocks} deadlocks: 24000 acknowledged of 12000 events, {n_stored} stored, 0 lost, 0 doubled"
    );
    assert_eq!(n_stored, 12_000);
    assert!(n_deadlocks > 0, "the batches never met");
}

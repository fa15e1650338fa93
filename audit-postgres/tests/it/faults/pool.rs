//! No connection to be had.

use std::sync::Arc;
use std::time::Duration;

use audit_core::{AuditSink, ErrorKind};
use audit_postgres::PostgresSink;
use audit_testkit::fixture;
use audit_testkit::postgres::LocalCluster;
use sqlx::{Connection as _, PgConnection};

use super::config;
use super::ledger::{Ledger, Load};
use crate::database::Database;

#[tokio::test]
async fn an_exhausted_pool_answers_in_time_and_works_again() {
    let database = Database::new().await;
    let config = config(&database.writer_url())
        .sink_connections(1)
        .acquire_timeout(Duration::from_millis(200));
    let sink = Arc::new(PostgresSink::connect(&config).await.unwrap());
    let mut locker = database.pool().begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE audit_events IN EXCLUSIVE MODE")
        .execute(&mut *locker)
        .await
        .unwrap();

    // One append holds the only connection, until the lock is gone.
    let batches = [fixture::events(1..=5), fixture::events(6..=10)];
    let ledger = Arc::new(Ledger::default());
    let held = tokio::spawn({
        let (sink, ledger, batch) = (Arc::clone(&sink), Arc::clone(&ledger), batches[0].clone());
        async move { ledger.append(&*sink, &batch).await }
    });
    let waits =
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'audit_events'::regclass";
    while sqlx::query_scalar::<_, i64>(waits)
        .fetch_one(database.pool())
        .await
        .unwrap()
        == 0
    {}
    let error = sink.append(&batches[1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("no connection of the pool"), "{why}");

    ledger.fail(&error);
    locker.rollback().await.unwrap();
    held.await.unwrap();
    ledger.append(&*sink, &batches[1]).await;
    ledger.settle("pool exhausted", database.pool()).await;
}

#[tokio::test]
async fn a_server_without_a_connection_left_is_waited_for() {
    let cluster = LocalCluster::builder()
        .config("max_connections = 12")
        .config("superuser_reserved_connections = 0")
        .start()
        .await
        .unwrap();
    let database = Database::migrated_on(&cluster).await;
    let mut others = Vec::new();
    while let Ok(connection) = PgConnection::connect(database.url.as_str()).await {
        others.push(connection);
    }
    let config = config(&database.writer_url()).acquire_timeout(Duration::from_millis(300));
    let sink: Arc<dyn AuditSink> = Arc::new(PostgresSink::connect_lazily(&config));
    let load = Load::start(&sink, 2);
    load.fail_once_more().await;
    for connection in others {
        connection.close().await.unwrap();
    }
    load.acknowledge_more(100).await;
    load.settle("max_connections reached", database.pool())
        .await;
}

//! A server that comes back read-only.

use std::sync::Arc;

use audit_core::AuditSink;
use audit_core::sink::Readiness;
use audit_postgres::PostgresSink;
use audit_testkit::fixture;
use audit_testkit::postgres::LocalCluster;

use super::config;
use super::ledger::Load;
use crate::database::Database;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_restarted_read_only_is_waited_for() {
    let cluster = LocalCluster::builder().start().await.unwrap();
    let database = Database::migrated_on(&cluster).await;
    let sink: Arc<dyn AuditSink> = Arc::new(
        PostgresSink::connect(&config(&database.writer_url()))
            .await
            .unwrap(),
    );
    let load = Load::start(&sink, 2);
    load.acknowledge_more(100).await;

    database
        .run("ALTER SYSTEM SET default_transaction_read_only = on")
        .await;
    cluster.stop().await.unwrap();
    cluster.start().await.unwrap();
    load.fail_once_more().await;
    let error = loop {
        // The first tries meet the connections of before.
        let error = sink
            .append(&fixture::events([5_000_000]))
            .await
            .unwrap_err();
        let why = std::error::Error::source(&error).unwrap().to_string();
        if why.contains("25006") {
            break why;
        }
    };
    assert!(error.contains("read-only"), "{error}");
    let health = sink.health().await;
    assert_eq!(health.readiness, Readiness::Unavailable, "{health:?}");

    database
        .run("ALTER SYSTEM RESET default_transaction_read_only")
        .await;
    cluster.reload().unwrap();
    load.acknowledge_more(100).await;
    load.settle("restarted read-only", database.pool()).await;
}

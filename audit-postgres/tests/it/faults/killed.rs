//! A server that is killed in the middle of its work.

use std::sync::Arc;

use audit_core::AuditSink;
use audit_postgres::PostgresSink;
use audit_testkit::postgres::LocalCluster;

use super::config;
use super::follower::Follower;
use super::ledger::Load;
use crate::database::Database;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_20_times_under_load_loses_and_doubles_nothing() {
    let cluster = LocalCluster::builder()
        .config("fsync = on")
        .start()
        .await
        .unwrap();
    let database = Database::migrated_on(&cluster).await;
    let sink: Arc<dyn AuditSink> = Arc::new(
        PostgresSink::connect(&config(&database.writer_url()))
            .await
            .unwrap(),
    );
    let load = Load::start(&sink, 3);
    let follower = Follower::start(database.reader().await);
    for _ in 0..20 {
        load.acknowledge_more(100).await;
        cluster.kill().await.unwrap();
        cluster.start().await.unwrap();
    }
    load.acknowledge_more(200).await;
    assert!(load.n_failed() >= 20, "the kills came in mid-batch");
    let stored = load.settle("killed 20 times", database.pool()).await;
    follower.settle(&stored).await;
}

#[tokio::test]
async fn a_server_that_restarts_in_good_order_is_found_again() {
    let cluster = LocalCluster::builder().start().await.unwrap();
    let database = Database::migrated_on(&cluster).await;
    let sink: Arc<dyn AuditSink> = Arc::new(
        PostgresSink::connect(&config(&database.writer_url()))
            .await
            .unwrap(),
    );
    let load = Load::start(&sink, 2);
    for _ in 0..3 {
        load.acknowledge_more(100).await;
        cluster.stop().await.unwrap();
        load.fail_once_more().await;
        cluster.start().await.unwrap();
    }
    load.acknowledge_more(100).await;
    load.settle("restarted 3 times", database.pool()).await;
}

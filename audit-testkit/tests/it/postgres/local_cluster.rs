//! A server that is killed, restarted and promoted.

use audit_testkit::postgres::LocalCluster;
use sqlx::Connection;
use sqlx::postgres::{PgConnection, PgPool};

async fn count(url: &str) -> i64 {
    let pool = PgPool::connect(url).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM kept")
        .fetch_one(&pool)
        .await
        .unwrap()
}

async fn with_three_rows(cluster: &LocalCluster) -> PgPool {
    let pool = PgPool::connect(&cluster.url()).await.unwrap();
    sqlx::query("CREATE TABLE kept AS SELECT generate_series(1, 3) AS id")
        .execute(&pool)
        .await
        .unwrap();
    pool
}

#[tokio::test]
async fn a_killed_server_has_kept_what_was_committed_and_nothing_else() {
    let cluster = LocalCluster::builder().start().await.unwrap();
    let pool = with_three_rows(&cluster).await;
    let mut open = pool.begin().await.unwrap();
    sqlx::query("INSERT INTO kept VALUES (4)")
        .execute(&mut *open)
        .await
        .unwrap();
    let (port, pid) = (cluster.port(), cluster.pid());

    cluster.kill().await.unwrap();
    assert_eq!(cluster.pid(), None);
    PgConnection::connect(&cluster.url())
        .await
        .expect_err("a killed server takes no connections");
    cluster.start().await.unwrap();

    assert_eq!(count(&cluster.url()).await, 3);
    assert_eq!(cluster.port(), port);
    assert_ne!(cluster.pid(), pid);
    assert!(
        cluster.log().contains("was not properly shut down"),
        "it was no crash:\n{}",
        cluster.log()
    );
}

#[tokio::test]
async fn a_stopped_server_was_shut_down_properly() {
    let cluster = LocalCluster::builder().start().await.unwrap();
    let _pool = with_three_rows(&cluster).await;

    cluster.stop().await.unwrap();
    cluster.start().await.unwrap();

    assert_eq!(count(&cluster.url()).await, 3);
    assert!(!cluster.log().contains("was not properly shut down"));
}

//! A standby that follows, and takes over.

use audit_testkit::postgres::LocalCluster;

use super::support::{connect, number, run, soon};

async fn replicated(standby: &LocalCluster) {
    let mut connection = connect(&standby.url()).await;
    let there = "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'";
    let arrived = async { while number(&mut connection, there).await == 0 {} };
    soon("the table on the standby", arrived).await;
}

#[tokio::test]
async fn a_promoted_standby_has_what_it_was_sent_and_takes_writes() {
    let primary = LocalCluster::builder().start().await.unwrap();
    let standby = LocalCluster::builder()
        .standby_of(&primary)
        .start()
        .await
        .unwrap();
    let mut to_primary = connect(&primary.url()).await;
    run(&mut to_primary, "CREATE TABLE kept AS SELECT 1 AS id").await;
    replicated(&standby).await;
    let mut to_standby = connect(&standby.url()).await;
    let read_only = sqlx::query("INSERT INTO kept VALUES (2)")
        .execute(&mut to_standby)
        .await
        .unwrap_err();
    let code = read_only.as_database_error().and_then(|it| it.code());
    assert_eq!(code.as_deref(), Some("25006"), "{read_only}");

    primary.kill().await.unwrap();
    standby.promote().await.unwrap();

    run(&mut to_standby, "INSERT INTO kept VALUES (2)").await;
    assert_eq!(
        number(&mut to_standby, "SELECT count(*) FROM kept").await,
        2
    );
}

#[tokio::test]
async fn a_primary_is_not_promoted() {
    let primary = LocalCluster::builder().start().await.unwrap();

    let error = primary.promote().await.unwrap_err();

    assert!(
        format!("{error:?}").contains("recovery is not in progress"),
        "{error:?}"
    );
}

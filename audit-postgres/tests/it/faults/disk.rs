//! A server whose disk is full.

use std::fs;
use std::sync::Arc;

use audit_core::AuditSink;
use audit_postgres::PostgresSink;
use audit_testkit::postgres::LocalCluster;
use audit_testkit::{SmallDisk, fixture};
use sqlx::{Connection as _, PgConnection};

use super::config;
use super::ledger::Load;
use crate::database::Database;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_root_a_full_disk_loses_and_doubles_nothing() {
    let disk = SmallDisk::mount(48 << 20).unwrap();
    let space = disk.folder("space").unwrap();
    let cluster = LocalCluster::builder().start().await.unwrap();
    let database = Database::create_on(&cluster).await;
    let mut server = PgConnection::connect(&cluster.url()).await.unwrap();
    for statement in [
        format!("CREATE TABLESPACE small LOCATION '{}'", space.display()),
        format!("ALTER DATABASE {} SET TABLESPACE small", database.name),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut server)
            .await
            .unwrap();
    }
    let maintainer = database.migrate().await;
    database.give_roles(&maintainer).await;
    // What an operator can take away later.
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![0; 8 << 20]).unwrap();

    let sink: Arc<dyn AuditSink> = Arc::new(
        PostgresSink::connect(&config(&database.writer_url()))
            .await
            .unwrap(),
    );
    let load = Load::start(&sink, 2);
    load.fail_once_more().await;
    let error = sink.append(&fixture::events(1_000_000..1_000_400)).await;
    if let Err(error) = error {
        let why = std::error::Error::source(&error).unwrap().to_string();
        assert!(
            why.contains("disk is full") && why.contains("53100"),
            "{why}"
        );
    }
    fs::remove_file(&ballast).unwrap();
    load.acknowledge_more(100).await;
    database
        .run("DELETE FROM audit_events WHERE seq >= 1000000")
        .await;
    load.settle("disk full", database.pool()).await;
}

//! A server whose disk is full.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use audit_core::AuditSink;
use audit_postgres::PostgresSink;
use audit_testkit::SmallDisk;
use audit_testkit::postgres::LocalCluster;
use sqlx::{Connection as _, PgConnection};

use super::ledger::Load;
use super::{config, soon};
use crate::database::{Database, execute};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_root_a_full_disk_loses_and_doubles_nothing() {
    let disk = SmallDisk::mount(48 << 20).unwrap();
    let space = disk.folder("space").unwrap();
    let cluster = LocalCluster::builder().start().await.unwrap();
    let database = in_tablespace(&cluster, &space).await;
    // What an operator can take away later.
    let ballast = disk.path().join("ballast");
    fs::write(&ballast, vec![0; 8 << 20]).unwrap();

    let sink: Arc<dyn AuditSink> = Arc::new(
        PostgresSink::connect(&config(&database.writer_url()))
            .await
            .unwrap(),
    );
    let load = Load::start(&sink, 2);
    load.fail_with("SQLSTATE 53100").await;
    fs::remove_file(&ballast).unwrap();
    load.acknowledge_more(100).await;
    load.settle("disk full", database.pool()).await;
}

/// The server has no room for its log of changes: it panics, and an operator starts it again once
/// there is room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_root_a_full_wal_loses_and_doubles_nothing() {
    let disk = SmallDisk::mount(128 << 20).unwrap();
    let cluster = LocalCluster::builder()
        .data_directory(disk.folder("data").unwrap())
        .config("fsync = on")
        .config("max_wal_size = 32MB")
        .config("min_wal_size = 32MB")
        .config("restart_after_crash = off")
        .start()
        .await
        .unwrap();
    // The events lie elsewhere, so that only the log can be what has no room.
    let elsewhere = SmallDisk::mount(512 << 20).unwrap();
    let space = elsewhere.folder("space").unwrap();
    let database = in_tablespace(&cluster, &space).await;
    let sink: Arc<dyn AuditSink> = Arc::new(
        PostgresSink::connect(&config(&database.writer_url()))
            .await
            .unwrap(),
    );
    let load = Load::start(&sink, 2);
    load.acknowledge_more(100).await;
    let ballast = disk.path().join("ballast");
    fill(&ballast);
    soon("the panic of the server", async {
        while cluster.pid().is_some() {
            // Uses up what room the log has. The server may end over it.
            if let Ok(mut server) = PgConnection::connect(&cluster.url()).await {
                drop(
                    sqlx::raw_sql("SELECT pg_switch_wal()")
                        .execute(&mut server)
                        .await,
                );
            }
        }
    })
    .await;
    let log = cluster.log();
    assert!(log.contains("PANIC"), "{log}");
    load.fail_once_more().await;
    fs::remove_file(&ballast).unwrap();
    cluster.start().await.unwrap();
    load.acknowledge_more(100).await;
    load.settle("log of changes full", database.pool()).await;
}

/// Writes until there is no room.
fn fill(file: &Path) {
    let mut file = fs::File::create(file).unwrap();
    let chunk = vec![0; 64 << 10];
    while file.write_all(&chunk).is_ok() {}
}

/// A database with the schema and its roles, whose files lie in this folder.
async fn in_tablespace(cluster: &LocalCluster, space: &Path) -> Database {
    let database = Database::create_on(cluster).await;
    let mut server = PgConnection::connect(&cluster.url()).await.unwrap();
    for statement in [
        format!("CREATE TABLESPACE small LOCATION '{}'", space.display()),
        format!("ALTER DATABASE {} SET TABLESPACE small", database.name),
    ] {
        execute(&mut server, &statement).await;
    }
    let maintainer = database.migrate().await;
    database.give_roles(&maintainer).await;
    database
}

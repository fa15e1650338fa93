//! A disk that is full. `cargo xtask test` leaves these out, and says so, without root's rights.

use audit_testkit::SmallDisk;
use audit_testkit::postgres::LocalCluster;
use sqlx::{AssertSqlSafe, Executor};

use super::support::{connect, number, run};

#[tokio::test]
async fn needs_root_a_full_tablespace_refuses_rows_and_the_server_lives() {
    let disk = SmallDisk::mount(4 << 20).unwrap();
    let space = disk.folder("space").unwrap();
    let cluster = LocalCluster::builder().start().await.unwrap();
    let mut connection = connect(&cluster.url()).await;
    let statement = format!("CREATE TABLESPACE small LOCATION '{}'", space.display());
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
    run(
        &mut connection,
        "CREATE TABLE big (text text) TABLESPACE small",
    )
    .await;

    let error =
        sqlx::query("INSERT INTO big SELECT repeat('x', 1000) FROM generate_series(1, 10000)")
            .execute(&mut connection)
            .await
            .unwrap_err();

    let code = error.as_database_error().and_then(|it| it.code());
    assert_eq!(code.as_deref(), Some("53100"), "{error}");
    assert_eq!(number(&mut connection, "SELECT count(*) FROM big").await, 0);
}

#[test]
fn needs_root_a_disk_is_gone_when_it_is_dropped() {
    let disk = SmallDisk::mount(1 << 20).unwrap();
    let path = disk.path().to_owned();
    let is_mounted = || {
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        mounts.contains(path.to_str().unwrap())
    };
    assert!(is_mounted());

    drop(disk);

    assert!(!is_mounted());
    assert!(!path.exists());
}

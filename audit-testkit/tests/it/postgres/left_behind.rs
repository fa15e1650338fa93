//! Nothing is left behind, however a process ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use audit_testkit::postgres::LocalCluster;
use sqlx::Connection;
use sqlx::postgres::PgConnection;

use super::support::{connect, number, soon, until};

const HELPER: &str = env!("CARGO_BIN_EXE_audit-test-postgres");

/// The helper, and the address of the server that it keeps.
fn helper(via: &str) -> (Child, String) {
    let mut helper = Command::new(HELPER)
        .env("AUDIT_TEST_POSTGRES", via)
        .env_remove("AUDIT_TEST_DATABASE_URL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let url = url_in(helper.stdout.take().unwrap());
    (helper, url)
}

fn url_in(output: ChildStdout) -> String {
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).unwrap();
    let answer: serde_json::Value = serde_json::from_str(&line).unwrap();
    answer["url"].as_str().unwrap().to_owned()
}

/// Of a server on this machine: the number of its first process, and its folder.
async fn trace(url: &str) -> (i64, PathBuf) {
    let mut connection = connect(url).await;
    let pid = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::bigint";
    let pid = number(&mut connection, pid).await;
    let folder: String = sqlx::query_scalar("SHOW data_directory")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    (pid, folder.into())
}

async fn assert_all_gone((pid, folder): (i64, PathBuf)) {
    until("the end of the server", || {
        !fs::exists(format!("/proc/{pid}")).unwrap()
    })
    .await;
    let parent = folder.parent().unwrap();
    until("the end of its folder", || !parent.exists()).await;
}

#[tokio::test]
async fn a_local_server_goes_when_its_keeper_is_told_to_end() {
    let (mut helper, url) = helper("local");
    let trace = trace(&url).await;

    drop(helper.stdin.take());

    assert!(helper.wait().unwrap().success());
    assert_all_gone(trace).await;
}

#[tokio::test]
async fn a_local_server_goes_when_its_keeper_is_killed() {
    let (mut helper, url) = helper("local");
    let trace = trace(&url).await;

    helper.kill().unwrap();
    helper.wait().unwrap();

    assert_all_gone(trace).await;
}

#[tokio::test]
async fn a_local_server_goes_when_the_parent_of_its_keeper_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    // The shell is the parent, and alone holds the other end of the keeper's stdin.
    let mut parent = Command::new("/bin/sh")
        .args([
            "-c",
            "mkfifo \"$1\"; \"$0\" <\"$1\" & exec 3>\"$1\"; wait",
            HELPER,
        ])
        .arg(folder.path().join("stdin"))
        .env("AUDIT_TEST_POSTGRES", "local")
        .env_remove("AUDIT_TEST_DATABASE_URL")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let url = url_in(parent.stdout.take().unwrap());
    let trace = trace(&url).await;

    parent.kill().unwrap();
    parent.wait().unwrap();

    assert_all_gone(trace).await;
}

#[tokio::test]
async fn needs_docker_a_container_goes_when_its_keeper_is_killed() {
    let (mut helper, url) = helper("docker");
    connect(&url).await.close().await.unwrap();

    helper.kill().unwrap();
    helper.wait().unwrap();

    until_unreachable(&url).await;
}

#[tokio::test]
async fn needs_docker_a_container_goes_when_it_is_stopped() {
    let (mut helper, url) = helper("docker");

    drop(helper.stdin.take());

    assert!(helper.wait().unwrap().success());
    until_unreachable(&url).await;
}

#[tokio::test]
async fn a_cluster_goes_when_it_is_dropped() {
    let cluster = LocalCluster::builder().start().await.unwrap();
    let trace = trace(&cluster.url()).await;

    drop(cluster);

    assert_all_gone(trace).await;
}

async fn until_unreachable(url: &str) {
    let gone = async { while PgConnection::connect(url).await.is_ok() {} };
    soon("the end of the container", gone).await;
}

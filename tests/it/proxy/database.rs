//! With PostgreSQL as the store, through an outage.

use audit_core::event::AuditEvent;
use audit_testkit::postgres::TestDatabase;
use serde_json::json;
use tokio::process::Command;

use super::stand::{PROXY, Records, SERVER, Session, in_words, soon};

/// Runs `audit` to its end; what it printed.
async fn audit(records: &Records, arguments: &[&str]) -> String {
    let mut command = Command::new(PROXY);
    command.args(arguments);
    records.surround(&mut command);
    let ran = soon(command.output()).await.unwrap();
    assert!(ran.status.success(), "{arguments:?}: {ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

/// One session of one call, recorded to this store.
async fn session(records: &Records, store: &str, tool: &str) {
    let spool = records.path().with_file_name("spool");
    let mut command = Command::new(PROXY);
    command
        .args(["proxy", "--store", store, "--spool"])
        .arg(&spool);
    records.surround(&mut command);
    command.args(["--", SERVER]);
    let mut session = Session::start(command);
    session.shake_hands().await;
    session.call(1, tool, json!({})).await;
    assert_eq!(session.next().await["id"], 1);
    session.close();
    let (status, said) = session.ended().await;
    assert!(status.success(), "{said}");
}

#[tokio::test]
async fn an_outage_of_the_database_costs_no_record() {
    let database = TestDatabase::create().await.unwrap();
    let records = Records::new();
    let url = database.url();
    let sql = audit(&records, &["migrate", "--store", url, "--dry-run"]).await;
    assert!(sql.contains("CREATE TABLE audit_events"), "{sql}");
    audit(&records, &["migrate", "--store", url]).await;

    // Nobody listens there.
    let nowhere = "postgres://audit@127.0.0.1:1/audit?acquire_timeout=200ms";
    session(&records, nowhere, "fail").await;
    session(&records, url, "echo").await;

    let events: Vec<AuditEvent> = audit(&records, &["events", "--store", url])
        .await
        .lines()
        .map(|line| AuditEvent::from_json(line).unwrap())
        .collect();
    let mut words: Vec<String> = events.iter().map(in_words).collect();
    words.reverse();
    assert_eq!(
        words,
        [
            "initialize ok",
            "tools/call fail tool_error",
            "initialize ok",
            "tools/call echo ok",
        ]
    );
    audit(&records, &["doctor", "--store", url]).await;
    database.close().await.unwrap();
}

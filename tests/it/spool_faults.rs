//! A spool on a disk whose flushes fail, before a Postgres that dies, and how much memory an outage
//! takes.

use std::process::{Command, Output};
use std::time::Duration;

use audit_core::event::{EventDraft, Method, Outcome};
use audit_core::logger::{AuditPolicy, PolicyRule, Recorded};
use audit_core::reader::{AuditReader, Filter};
use audit_core::sink::{AuditSink, Durability};
use audit_core::{AuditLogger, Glob};
use audit_postgres::{PostgresConfig, PostgresMaintainer, PostgresReader, PostgresSink};
use audit_sqlite::{Spool, SpoolConfig};
use audit_testkit::postgres::{LocalCluster, TestDatabase};

const PROGRAM: &str = env!("CARGO_BIN_EXE_audit-crash");

async fn soon<T>(work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(Duration::from_secs(60), work).await;
    done.expect("it should not take this long")
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn nobody_is_told_ok_for_what_was_not_flushed() {
    let folder = tempfile::tempdir().unwrap();
    let layer = folder.path().join("unflushed.so");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&layer)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/it/unflushed.c"))
        .arg("-ldl")
        .output()
        .expect("a C compiler is needed to make a disk fail: install `cc`, of gcc or clang");
    assert!(compiled.status.success(), "{}", said(&compiled));
    let trigger = folder.path().join("trigger");
    let output = Command::new(PROGRAM)
        .arg("unflushed")
        .arg(folder.path())
        .arg(&trigger)
        .env("LD_PRELOAD", &layer)
        .env("AUDIT_TEST_FLUSH_FAULT", &trigger)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn an_outage_takes_no_more_memory_than_was_budgeted() {
    let output = Command::new(PROGRAM)
        .args(["--memory", "--events", "50000"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

fn draft(tool: &str) -> EventDraft {
    let tool = audit_core::event::ToolName::new(tool).unwrap();
    EventDraft::new(Method::tools_call())
        .tool_name(tool)
        .outcome(Outcome::Ok)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_is_killed_and_comes_back_has_each_event_once() {
    let cluster = LocalCluster::builder().start().await.unwrap();
    let database = TestDatabase::create_on(&cluster.url()).await.unwrap();
    let config = PostgresConfig::from_url(database.url()).unwrap();
    let maintainer = PostgresMaintainer::connect(&config).await.unwrap();
    maintainer.migrate().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = PostgresSink::connect(&config).await.unwrap();
    let spool = Spool::open(SpoolConfig::new(folder.path()), store).await;
    let spool = spool.unwrap();
    let committed = PolicyRule::new()
        .tool(Glob::new("delete"))
        .durability(Durability::Committed);
    let logger = AuditLogger::builder(spool.clone())
        .policy(AuditPolicy::new().rule(committed))
        .build()
        .unwrap();
    let log = async |n_events| {
        for _ in 0..n_events {
            let recorded = soon(logger.log_event(draft("read"))).await.unwrap();
            assert_eq!(recorded, Recorded::Spooled);
        }
    };
    log(100).await;
    let stored = soon(logger.log_event(draft("delete"))).await.unwrap();
    assert_eq!(stored, Recorded::Stored);
    log(50).await;
    cluster.kill().await.unwrap();
    log(100).await;
    let waiting = {
        let logger = logger.clone();
        tokio::spawn(async move { logger.log_event(draft("delete")).await })
    };
    log(50).await;
    assert!(spool.forwarding().unwrap().n_events > 100);
    assert!(!waiting.is_finished(), "the store is away");
    cluster.start().await.unwrap();
    let recorded = soon(waiting).await.unwrap().unwrap();
    assert_eq!(recorded, Recorded::Stored);
    soon(spool.flush()).await.unwrap();
    let reader = PostgresReader::connect(&config).await.unwrap();
    let count = reader.count(&Filter::all(), 1_000).await.unwrap();
    assert_eq!(count.n_events, 302);
    let gaps = reader.gaps(logger.writer(), 9).await.unwrap();
    assert_eq!(gaps, []);
    assert!(spool.dead_letters(9).await.unwrap().is_empty());
    spool.close().await.unwrap();
}

//! A connection that ends at the worst moment.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audit_core::sink::Receipt;
use audit_core::{AuditSink, ErrorKind};
use audit_postgres::{Pooler, PostgresConfig, PostgresSink};
use audit_testkit::fixture;
use audit_testkit::postgres::{Fault, Message, Moment, TcpProxy};
use url::Url;

use super::ledger::{Ledger, Load};
use super::{config, soon};
use crate::database::{Database, keep};

/// The statement of an append, and the tag with which it ends: it is a query around an insert.
const STATEMENT: &str = "WITH batch";
const TAG: &str = "SELECT";

async fn proxied() -> (Database, TcpProxy, PostgresConfig) {
    let database = Database::new().await;
    let url: Url = database.url.as_str().parse().unwrap();
    let target = (url.host_str().unwrap().to_owned(), url.port().unwrap());
    let proxy = TcpProxy::postgres(target).await.unwrap();
    let config = config(&proxy.url(&database.writer_url()).unwrap());
    (database, proxy, config)
}

/// Appends a batch into the fault, then again; says what the first time failed of, and what the
/// second time found.
async fn append_into(
    what: &str,
    moment: Moment,
    fault: Fault,
    pooler: Pooler,
) -> (ErrorKind, Vec<Receipt>) {
    let (database, proxy, config) = proxied().await;
    // Statements that are not waited for longer than a stall is worth.
    let config = config
        .pooler(pooler)
        .statement_timeout(Duration::from_millis(200));
    let sink = PostgresSink::connect(&config).await.unwrap();
    let ledger = Ledger::default();
    ledger.append(&sink, &fixture::events([1])).await;
    let batch = fixture::events(2..12);
    let trip = proxy.arm(moment, fault);
    let error = soon("the end of the append", sink.append(&batch))
        .await
        .unwrap_err();
    assert!(trip.has_fired());
    ledger.fail(&error);
    proxy.resume();
    // The server may still be at what it was sent before the line was dead.
    let receipts = ledger.append(&sink, &batch).await;
    let name = format!("{fault:?} {what}");
    ledger.settle(&name, database.pool()).await;
    (error.kind(), receipts)
}

#[tokio::test]
async fn cut_before_the_commit_nothing_is_stored_and_the_repeat_stores_it() {
    for fault in [Fault::Cut, Fault::Reset] {
        let moment = Moment::sent(STATEMENT);
        let (kind, receipts) = append_into("before the commit", moment, fault, Pooler::None).await;
        assert_eq!(kind, ErrorKind::Unavailable, "{fault:?}");
        assert_eq!(receipts, vec![Receipt::Stored; 10], "{fault:?}");
    }
}

#[tokio::test]
async fn cut_behind_the_commit_the_repeat_finds_it_stored() {
    for fault in [Fault::Cut, Fault::Reset] {
        let moment = Moment::answered(TAG);
        let (kind, receipts) = append_into("behind the commit", moment, fault, Pooler::None).await;
        assert_eq!(kind, ErrorKind::Unavailable, "{fault:?}");
        assert_eq!(receipts, vec![Receipt::AlreadyStored; 10], "{fault:?}");
    }
}

#[tokio::test]
async fn a_commit_of_its_own_that_is_not_answered_is_repaired_by_the_repeat() {
    for fault in [Fault::Cut, Fault::Reset] {
        let pooler = Pooler::Transaction;
        let behind = Moment::answered("COMMIT");
        let behind = append_into("behind a COMMIT of its own", behind, fault, pooler).await;
        assert_eq!(behind.1, vec![Receipt::AlreadyStored; 10], "{fault:?}");
        let before = Moment::sent("COMMIT");
        let before = append_into("before a COMMIT of its own", before, fault, pooler).await;
        assert_eq!(before.1, vec![Receipt::Stored; 10], "{fault:?}");
    }
}

#[tokio::test]
async fn a_silent_network_is_given_up_in_time() {
    let moment = Moment::answered(TAG);
    let (kind, receipts) =
        append_into("behind the commit", moment, Fault::Stall, Pooler::None).await;
    assert_eq!(kind, ErrorKind::Timeout);
    assert_eq!(receipts, vec![Receipt::AlreadyStored; 10]);
}

/// How often a client waits for an answer while it appends a hundred events.
async fn n_round_trips(pooler: Pooler) -> usize {
    let (_database, proxy, config) = proxied().await;
    let sink = PostgresSink::connect(&config.pooler(pooler)).await.unwrap();
    for first in [1, 101] {
        keep(&sink, &fixture::events(first..first + 100)).await;
    }
    let n_asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&n_asked);
    // Queries, syncs and flushes are what a server answers to. It is never the moment.
    let count = move |message: &Message| {
        if matches!(message.kind(), b'Q' | b'S' | b'H') {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        false
    };
    let trip = proxy.arm(Moment::from_client(count), Fault::Cut);
    keep(&sink, &fixture::events(201..301)).await;
    assert!(!trip.has_fired());
    n_asked.load(Ordering::Relaxed)
}

#[tokio::test]
async fn an_append_is_one_round_trip() {
    assert_eq!(n_round_trips(Pooler::None).await, 1);
    // BEGIN with its settings, the statement's text, its values, COMMIT.
    assert_eq!(n_round_trips(Pooler::Transaction).await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_faults_under_load_lose_and_double_nothing() {
    let (database, proxy, config) = proxied().await;
    let sink: Arc<dyn AuditSink> = Arc::new(PostgresSink::connect(&config).await.unwrap());
    let load = Load::start(&sink, 3);
    load.acknowledge_more(100).await;
    for round in 0..100_usize {
        let moment = if round % 2 == 0 {
            Moment::sent(STATEMENT)
        } else {
            Moment::answered(TAG)
        };
        let fault = if round % 4 < 2 {
            Fault::Cut
        } else {
            Fault::Reset
        };
        let nth = NonZeroUsize::new(1 + round % 3).unwrap();
        let trip = proxy.arm(moment.nth(nth), fault);
        soon("the fault", trip.fired()).await;
    }
    load.acknowledge_more(100).await;
    // Some meet the question that a new connection asks first, and no append.
    assert!(load.n_failed() >= 50, "{}", load.n_failed());
    load.settle("100 cuts and resets", database.pool()).await;
}

#[tokio::test]
async fn a_sink_that_begins_before_its_server_waits_for_it() {
    let (database, proxy, config) = proxied().await;
    proxy.refuse().await;
    let sink: Arc<dyn AuditSink> = Arc::new(PostgresSink::connect_lazily(&config));
    assert!(!sink.health().await.is_ready());
    let load = Load::start(&sink, 2);
    load.fail_once_more().await;
    proxy.admit().await.unwrap();
    load.acknowledge_more(100).await;
    assert!(sink.health().await.is_ready());
    load.settle("a server that comes later", database.pool())
        .await;
}

//! A connection that ends at the worst moment.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use audit_core::sink::Receipt;
use audit_core::{AuditSink, ErrorKind};
use audit_postgres::{Pooler, PostgresConfig, PostgresSink};
use audit_testkit::fixture;
use audit_testkit::postgres::{Fault, Moment, TcpProxy};
use url::Url;

use super::ledger::Load;
use super::{config, soon};
use crate::database::Database;

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

/// Appends a batch into the fault, then again, and says what the second time found.
async fn append_into(
    moment: Moment,
    fault: Fault,
    pooler: Pooler,
) -> (ErrorKind, Vec<Receipt>, i64) {
    let (database, proxy, config) = proxied().await;
    // Statements that are not waited for longer than a stall is worth.
    let config = config
        .pooler(pooler)
        .statement_timeout(Duration::from_millis(200));
    let sink = PostgresSink::connect(&config).await.unwrap();
    let partitions = sink.append(&fixture::events([1])).await.unwrap();
    assert!(partitions.is_all_kept());
    let batch = fixture::events(2..12);
    let trip = proxy.arm(moment, fault);
    let error = soon("the end of the append", sink.append(&batch))
        .await
        .unwrap_err();
    assert!(trip.has_fired());
    assert!(error.is_retryable(), "{error:?}");
    proxy.resume();
    // The server may still be at what it was sent before the line was dead.
    let receipts = sink.append(&batch).await.unwrap().into_receipts();
    let n_stored: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_events")
        .fetch_one(database.pool())
        .await
        .unwrap();
    (error.kind(), receipts, n_stored)
}

#[tokio::test]
async fn cut_before_the_commit_nothing_is_stored_and_the_repeat_stores_it() {
    for fault in [Fault::Cut, Fault::Reset] {
        let (kind, receipts, n_stored) =
            append_into(Moment::sent(STATEMENT), fault, Pooler::None).await;
        assert_eq!((kind, n_stored), (ErrorKind::Unavailable, 11), "{fault:?}");
        assert_eq!(receipts, vec![Receipt::Stored; 10], "{fault:?}");
        eprintln!("{fault:?} before the commit: 11 acknowledged, 11 stored, 0 lost, 0 doubled");
    }
}

#[tokio::test]
async fn cut_behind_the_commit_the_repeat_finds_it_stored() {
    for fault in [Fault::Cut, Fault::Reset] {
        let (kind, receipts, n_stored) =
            append_into(Moment::answered(TAG), fault, Pooler::None).await;
        assert_eq!((kind, n_stored), (ErrorKind::Unavailable, 11), "{fault:?}");
        assert_eq!(receipts, vec![Receipt::AlreadyStored; 10], "{fault:?}");
        eprintln!("{fault:?} behind the commit: 11 acknowledged, 11 stored, 0 lost, 0 doubled");
    }
}

#[tokio::test]
async fn a_commit_of_its_own_that_is_not_answered_is_repaired_by_the_repeat() {
    for fault in [Fault::Cut, Fault::Reset] {
        let behind = append_into(Moment::answered("COMMIT"), fault, Pooler::Transaction).await;
        assert_eq!(behind.1, vec![Receipt::AlreadyStored; 10], "{fault:?}");
        let before = append_into(Moment::sent("COMMIT"), fault, Pooler::Transaction).await;
        assert_eq!(before.1, vec![Receipt::Stored; 10], "{fault:?}");
        assert_eq!((behind.2, before.2), (11, 11), "{fault:?}");
    }
}

#[tokio::test]
async fn a_silent_network_is_given_up_in_time() {
    let (kind, receipts, n_stored) =
        append_into(Moment::answered(TAG), Fault::Stall, Pooler::None).await;
    assert_eq!((kind, n_stored), (ErrorKind::Timeout, 11));
    assert_eq!(receipts, vec![Receipt::AlreadyStored; 10]);
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

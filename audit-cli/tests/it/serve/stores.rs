//! `audit serve` on each store that other processes write to.

use audit_core::AuditSink as _;
use audit_postgres::{PostgresConfig, PostgresSink};
use audit_sqlite::{SqliteConfig, SqliteStore};
use audit_testkit::fixture;

use super::server::Serve;
use crate::postgres;

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_stores_in_sqlite_is_live() {
    let mut serve = Serve::stopped();
    let token = serve.create("ops", "viewer");
    serve.start(&[]);
    let mut live = serve.listen(&token);
    live.wait_for("event: caught-up");
    let path = serve.folder().join("audit.db");
    let sink = SqliteStore::open(&SqliteConfig::new(path)).await.unwrap();
    let stored = sink.append(&fixture::events([1])).await.unwrap();
    assert!(stored.is_all_kept());
    live.wait_for(&fixture::event_id(1).to_string());
    sink.close().await.unwrap();
    assert_eq!(serve.end().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_stores_in_postgres_is_live() {
    let database = postgres::with(&[]).await;
    let mut serve = Serve::on(database.url());
    let token = serve.create("ops", "viewer");
    serve.start(&[]);
    let mut live = serve.listen(&token);
    live.wait_for("event: caught-up");
    let config = PostgresConfig::from_url(database.url()).unwrap();
    let sink = PostgresSink::connect(&config).await.unwrap();
    let stored = sink.append(&fixture::events([1])).await.unwrap();
    assert!(stored.is_all_kept());
    live.wait_for(&fixture::event_id(1).to_string());
    sink.close().await.unwrap();
    assert_eq!(serve.end().0, Some(0));
    database.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_system_page_tells_what_postgres_holds_and_refused() {
    let database = postgres::with(&fixture::events([1])).await;
    let config = PostgresConfig::from_url(database.url()).unwrap();
    let sink = PostgresSink::connect(&config).await.unwrap();
    let (_, other) = fixture::conflicts(1).swap_remove(0);
    let refused = sink.append(std::slice::from_ref(&other)).await.unwrap();
    assert!(!refused.is_all_kept());
    sink.close().await.unwrap();
    let mut serve = Serve::on(database.url());
    let token = serve.create("ops", "admin");
    serve.start(&[]);
    let page = serve.ask("/system", &token);
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(!page.contains("class=\"problem\""), "{page}");
    assert!(page.contains("audit_events_"), "{page}");
    assert!(page.contains("1 event was"), "{page}");
    assert!(page.contains("same id"), "{page}");
    assert_eq!(serve.end().0, Some(0));
    database.close().await.unwrap();
}

//! TLS to the server, its certificate checked.

use audit_core::{AuditSink, ErrorKind};
use audit_postgres::PostgresSink;
use audit_testkit::fixture;
use audit_testkit::postgres::LocalCluster;

use super::faults::config;
use crate::database::Database;

#[tokio::test]
async fn a_sink_appends_over_tls_and_insists_on_the_right_certificate() {
    let cluster = LocalCluster::builder().tls().start().await.unwrap();
    let database = Database::migrated_on(&cluster).await;
    let (_, parameters) = cluster
        .tls_url()
        .unwrap()
        .split_once('?')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let url = format!("{}&{parameters}", database.writer_url());
    let sink = PostgresSink::connect(&config(&url)).await.unwrap();
    assert!(
        sink.append(&fixture::events(1..=3))
            .await
            .unwrap()
            .is_all_kept()
    );
    let is_encrypted: bool = sqlx::query_scalar(
        "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
         WHERE application_name = 'audit' AND datname = current_database()",
    )
    .fetch_one(database.pool())
    .await
    .unwrap();
    assert!(is_encrypted);

    // Without the root that signed it, the server is anybody.
    let stranger = format!("{}?sslmode=verify-full", database.url.as_str());
    let error = PostgresSink::connect(&config(&stranger)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("certificate"), "{why}");
}

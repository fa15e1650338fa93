//! PgBouncer between a client and the server.

use audit_testkit::postgres::{PgBouncer, TestDatabase};
use sqlx::Connection;
use sqlx::postgres::PgConnection;

use super::support::connect;

/// One transaction, which alone has a server connection for itself; the statement has no name, by
/// which another client could find it.
async fn number(connection: &mut PgConnection, statement: &'static str) -> i64 {
    let mut transaction = connection.begin().await.unwrap();
    let number = sqlx::query_scalar(statement)
        .persistent(false)
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    number
}

#[tokio::test]
async fn clients_share_one_connection_transaction_by_transaction() {
    let database = TestDatabase::create().await.unwrap();
    let bouncer = PgBouncer::start_with(database.url(), &["default_pool_size = 1"])
        .await
        .unwrap();
    let url = bouncer.url(database.url()).unwrap();
    let mut one = connect(&url).await;
    let mut other = connect(&url).await;

    let backend = "SELECT pg_backend_pid()::bigint";
    let first = number(&mut one, backend).await;
    assert_eq!(number(&mut other, backend).await, first);

    let in_bouncers_database = "SELECT count(*) FROM pg_database \
                                WHERE datname = current_database() AND datname LIKE 'audit_test_%'";
    assert_eq!(number(&mut one, in_bouncers_database).await, 1);
}

#[tokio::test]
async fn a_bouncer_that_does_not_start_shows_its_log() {
    let database = TestDatabase::create().await.unwrap();

    let error = PgBouncer::start_with(database.url(), &["pool_mode = nonsense"])
        .await
        .unwrap_err();

    assert!(error.to_string().contains("nonsense"), "{error}");
}

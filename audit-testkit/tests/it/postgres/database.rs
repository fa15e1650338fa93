//! Each test has a database of its own, on a server that was come by as it was asked for.

use std::env;

use audit_testkit::postgres::{TestDatabase, TestPostgres, Via};
use sqlx::postgres::PgPool;

async fn n_tables(database: &TestDatabase) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'")
        .fetch_one(database.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_table_of_one_database_is_not_in_another() {
    let one = TestDatabase::create().await.unwrap();
    let other = TestDatabase::create().await.unwrap();
    sqlx::query("CREATE TABLE only_here (id int)")
        .execute(one.pool())
        .await
        .unwrap();

    assert_eq!(n_tables(&one).await, 1);
    assert_eq!(n_tables(&other).await, 0);
    one.close().await.unwrap();
    other.close().await.unwrap();
}

#[tokio::test]
async fn a_closed_database_is_gone_though_somebody_is_connected() {
    let database = TestDatabase::create().await.unwrap();
    let name = database.name().to_owned();
    let watcher = TestDatabase::create().await.unwrap();
    let strangers = PgPool::connect(database.url()).await.unwrap();
    let held = strangers.acquire().await.unwrap();

    database.close().await.unwrap();

    let n_found: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_database WHERE datname = $1")
        .bind(&name)
        .fetch_one(watcher.pool())
        .await
        .unwrap();
    assert_eq!(n_found, 0, "{name} is still there");
    drop(held);
    watcher.close().await.unwrap();
}

#[tokio::test]
async fn a_database_is_reached_by_its_own_address_and_made_by_the_administrators() {
    let database = TestDatabase::create().await.unwrap();
    let mut names = Vec::new();
    for url in [database.url(), database.admin_url()] {
        let pool = PgPool::connect(url).await.unwrap();
        let name: String = sqlx::query_scalar("SELECT current_database()::text")
            .fetch_one(&pool)
            .await
            .unwrap();
        names.push(name);
    }

    assert_eq!(names[0], database.name());
    assert_ne!(names[1], database.name());
    database.close().await.unwrap();
}

/// CI forces the way through Docker, and this holds that the tests really went it.
#[tokio::test]
async fn the_server_was_come_by_as_the_environment_demands() {
    let server = TestPostgres::shared().await.unwrap();

    if let Ok(forced) = env::var("AUDIT_TEST_POSTGRES") {
        assert_eq!(server.via().as_str(), forced);
    }
    // Docker leaves a mark in the containers' file systems.
    let mark = "SELECT (pg_stat_file('/.dockerenv', missing_ok => true)).size IS NOT NULL";
    let pool = PgPool::connect(server.url()).await.unwrap();
    let is_in_a_container: bool = sqlx::query_scalar(mark).fetch_one(&pool).await.unwrap();
    match server.via() {
        Via::Docker => assert!(is_in_a_container),
        Via::Local => assert!(!is_in_a_container),
        // Where that one is, nobody has told us.
        via => assert_eq!(via, Via::Url),
    }
}

#[tokio::test]
async fn all_tests_of_a_process_share_one_server() {
    let one = TestPostgres::shared().await.unwrap();
    let same = TestPostgres::shared().await.unwrap();

    assert!(std::ptr::eq(one, same));
    assert!(!one.version().is_empty());
}

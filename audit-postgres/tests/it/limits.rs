//! What a reader may take of the server, and of the sink beside it.

use std::time::Duration;

use audit_core::ErrorKind;
use audit_core::reader::{AuditReader, Filter, FollowRequest, PageRequest};
use audit_postgres::{Pooler, PostgresReader};
use audit_testkit::fixture;

use crate::database::{Database, READER, keep};

/// Holds what readers ask for until it ends; the sink does not ask for it.
async fn block_followers(database: &Database) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut transaction = database.pool().begin().await.unwrap();
    let lock = "LOCK TABLE audit_store IN ACCESS EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *transaction).await.unwrap();
    transaction
}

#[tokio::test]
async fn a_question_ends_with_its_time() {
    let database = Database::new().await;
    for pooler in [Pooler::None, Pooler::Transaction] {
        let config = database.config_in_role(READER).pooler(pooler);
        let config = config.query_timeout(Duration::from_millis(300));
        let reader = PostgresReader::connect(&config).await.unwrap();
        let lock = block_followers(&database).await;
        let request = FollowRequest::new(Filter::all());
        let error = reader.follow(&request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        assert!(error.to_string().contains("query_timeout"), "{error}");
        lock.rollback().await.unwrap();
        reader.follow(&request).await.unwrap();
    }
}

#[tokio::test]
async fn questions_keep_no_event_waiting() {
    let database = Database::new().await;
    let sink = database.sink().await;
    // With this, the partition is there.
    keep(&sink, &[fixture::event(1)]).await;
    let config = database.config_in_role(READER).reader_connections(2);
    let reader = PostgresReader::connect(&config).await.unwrap();
    let lock = block_followers(&database).await;
    let questions: Vec<_> = (0..6)
        .map(|_| {
            let reader = reader.clone();
            tokio::spawn(async move { reader.follow(&FollowRequest::new(Filter::all())).await })
        })
        .collect();
    database.wait_for("wait_event_type = 'Lock'", 2).await;
    keep(&sink, &fixture::events(2..=10)).await;
    lock.rollback().await.unwrap();
    for question in questions {
        question.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_question_that_is_dropped_leaves_the_next_one_its_own_answer() {
    let database = Database::new().await;
    let sink = database.sink().await;
    keep(&sink, &fixture::events(1..=50)).await;
    let config = database.config_in_role(READER).reader_connections(1);
    let reader = PostgresReader::connect(&config).await.unwrap();
    let request = PageRequest::new(Filter::all());
    for steps in 0..40 {
        let mut question = Box::pin(reader.page(&request));
        for _ in 0..steps {
            tokio::select! {
                biased;
                _ = &mut question => break,
                () = tokio::task::yield_now() => {}
            }
        }
        drop(question);
        let found = reader.get(fixture::event_id(7)).await.unwrap();
        assert_eq!(found, Some(fixture::event(7)));
    }
}

#[tokio::test]
async fn a_reader_outlives_its_connections() {
    let database = Database::new().await;
    let reader = database.reader().await;
    let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..3 {
        database.run(end).await;
        let found = reader.get(fixture::event_id(1)).await.unwrap();
        assert_eq!(found, None);
    }
}

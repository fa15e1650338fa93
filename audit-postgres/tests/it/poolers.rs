//! A pooler in transaction mode between the sink and the server.

use std::sync::Arc;
use std::time::Duration;

use audit_core::reader::{
    Condition, Filter, FollowFrom, FollowRequest, PageRequest, StatisticsRequest, TextField,
};
use audit_core::sink::Receipt;
use audit_core::{AuditReader, AuditSink, Glob};
use audit_postgres::{Pooler, PostgresConfig, PostgresReader, PostgresSink};
use audit_testkit::fixture;
use audit_testkit::postgres::PgBouncer;

use super::faults::config;
use crate::database::{Database, READER, WRITER};

async fn pooled() -> (Database, PgBouncer, PostgresConfig) {
    let database = Database::new().await;
    // Fewer connections than the sink has: what belongs together must not be torn apart.
    let login = database.login(&format!("{WRITER}, {READER}")).await;
    let bouncer = PgBouncer::start_with(login.as_str(), &["default_pool_size = 2"])
        .await
        .unwrap();
    let url = bouncer.url(login.as_str()).unwrap();
    let config = config(&url).pooler(Pooler::Transaction).sink_connections(6);
    (database, bouncer, config)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_connections_over_two_store_each_event_once() {
    let (database, _bouncer, config) = pooled().await;
    let sink = Arc::new(PostgresSink::connect(&config).await.unwrap());
    let tasks: Vec<_> = (0..6_u64)
        .map(|writer| {
            let sink = Arc::clone(&sink);
            tokio::spawn(async move {
                for round in 0..20 {
                    let first = writer * 1_000 + round * 10 + 1;
                    // Each batch overlaps with the one before.
                    let batch =
                        fixture::events(first.saturating_sub(5).clamp(1, first)..first + 10);
                    assert!(sink.append(&batch).await.unwrap().is_all_kept());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let [n_stored, n_distinct]: [i64; 2] =
        sqlx::query_as::<_, (i64, i64)>("SELECT count(*), count(DISTINCT id) FROM audit_events")
            .fetch_one(database.pool())
            .await
            .unwrap()
            .into();
    assert_eq!(n_stored, n_distinct);
    // 200 each; the batches of all but the first writer begin 5 earlier.
    assert_eq!(n_stored, 6 * 200 + 5 * 5);
}

#[tokio::test]
async fn a_refused_event_and_a_new_partition_take_more_statements_of_one_transaction() {
    let (database, _bouncer, config) = pooled().await;
    let sink = PostgresSink::connect(&config).await.unwrap();
    database
        .run("ALTER TABLE audit_events ADD CONSTRAINT no_seventh CHECK (seq <> 7)")
        .await;
    let receipts = sink
        .append(&fixture::events(5..=9))
        .await
        .unwrap()
        .into_receipts();
    assert!(matches!(receipts[2], Receipt::Refused(_)), "{receipts:?}");
    assert_eq!(
        receipts.iter().filter(|receipt| receipt.is_kept()).count(),
        4
    );
}

#[tokio::test]
async fn the_timeout_of_a_statement_is_that_of_its_transaction() {
    let (database, _bouncer, config) = pooled().await;
    let sink = PostgresSink::connect(&config.statement_timeout(Duration::from_millis(200)))
        .await
        .unwrap();
    let mut locker = database.pool().begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE audit_events")
        .execute(&mut *locker)
        .await
        .unwrap();
    let error = sink.append(&fixture::events([1])).await.unwrap_err();
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("57014"), "the server ended it: {why}");
    locker.rollback().await.unwrap();
    let of_session: String = sqlx::query_scalar("SELECT current_setting('statement_timeout')")
        .fetch_one(database.pool())
        .await
        .unwrap();
    assert_eq!(
        of_session, "0",
        "nothing stays behind in the pooler's sessions"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_answer_through_a_pooler_while_others_write() {
    let (database, _bouncer, config) = pooled().await;
    let config = config.reader_connections(6);
    let sink = Arc::new(PostgresSink::connect(&config).await.unwrap());
    let reader = Arc::new(PostgresReader::connect(&config).await.unwrap());
    let writer = tokio::spawn({
        let sink = Arc::clone(&sink);
        async move {
            for first in (1..2_000).step_by(20) {
                let appended = sink.append(&fixture::events(first..first + 20)).await;
                assert!(appended.unwrap().is_all_kept());
            }
        }
    });
    let follower = tokio::spawn({
        let reader = Arc::clone(&reader);
        async move {
            let mut followed = Vec::new();
            let mut request = FollowRequest::new(Filter::all()).wait(Duration::from_secs(1));
            while followed.len() < 2_000 {
                let next = reader.follow(&request).await.unwrap();
                followed.extend(next.events.iter().map(|it| it.event.seq.get()));
                request = request.from(FollowFrom::After(next.position));
            }
            followed
        }
    });
    for _ in 0..30 {
        let by_key = Condition::Text(TextField::Key, Glob::exact("k_fixture"));
        let request = PageRequest::new(Filter::all().with(by_key));
        let of_all = StatisticsRequest::new(Filter::all());
        let (page, statistics) = tokio::join!(reader.page(&request), reader.statistics(&of_all));
        page.unwrap();
        statistics.unwrap();
    }
    writer.await.unwrap();
    assert_eq!(follower.await.unwrap(), (1..=2_000).collect::<Vec<_>>());
    database.drop().await;
}

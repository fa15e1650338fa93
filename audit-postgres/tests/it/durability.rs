//! `Ok` means durable, whatever the server's default is.

use audit_core::AuditSink;
use audit_core::event::AuditEvent;
use audit_postgres::{Pooler, PostgresConfig, PostgresSink};
use audit_testkit::fixture;
use audit_testkit::postgres::{LocalCluster, PgBouncer};

use crate::database::{Database, WRITER, keep};

/// Writes down how the transaction of each insert is going to commit.
const WITNESS: &str = "
CREATE TABLE seen (synchronous_commit text NOT NULL);
CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO seen SELECT current_setting('synchronous_commit');
    RETURN NULL;
END $$;
CREATE TRIGGER witness AFTER INSERT ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION witness();
ALTER TABLE audit_events ADD CHECK (seq <> 7)";

async fn witnessed() -> Database {
    let database = Database::new().await;
    database.run(WITNESS).await;
    database
}

async fn set_for_database(database: &Database, setting: &str) {
    let name = &database.name;
    let set = format!("ALTER DATABASE {name} SET synchronous_commit = {setting}");
    database.run(&set).await;
}

/// How the commits so far were made, each way once; forgets them.
async fn seen(database: &Database) -> Vec<String> {
    let seen = "WITH forgotten AS (DELETE FROM seen RETURNING synchronous_commit)
                SELECT DISTINCT synchronous_commit FROM forgotten ORDER BY 1";
    database.values(seen).await
}

/// Appends the usual way, and a batch that has to be taken apart.
async fn append_both_ways(config: &PostgresConfig, first: u64) {
    let sink = PostgresSink::connect(config).await.expect("it connects");
    keep(&sink, &fixture::events(first + 10..first + 20)).await;
    let refused: Vec<AuditEvent> = [6, 7, 8]
        .map(|seq| fixture::stamp(fixture::draft(first + seq), seq))
        .into();
    let receipts = sink.append(&refused).await.unwrap().into_receipts();
    assert!(!receipts[1].is_kept(), "{receipts:?}");
    sink.close().await.unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_wait_is_made_to() {
    let database = witnessed().await;
    for (first, (setting, expected)) in (1..).step_by(100).zip([
        ("off", "on"),
        // Stricter or as strict, and the operator's choice.
        ("local", "local"),
        ("remote_write", "remote_write"),
        ("on", "on"),
    ]) {
        set_for_database(&database, setting).await;
        for (n, pooler) in (0..).zip([Pooler::None, Pooler::Transaction]) {
            let config = database.config_in_role(WRITER).pooler(pooler);
            append_both_ways(&config, first + n * 50).await;
            assert_eq!(seen(&database).await, [expected], "{setting}, {pooler:?}");
        }
    }
}

#[tokio::test]
async fn behind_a_pooler_each_transaction_waits_and_the_session_stays_as_it_was() {
    let database = witnessed().await;
    let login = database.login(WRITER).await;
    set_for_database(&database, "off").await;
    let bouncer = PgBouncer::start_with(login.as_str(), &["default_pool_size = 1"])
        .await
        .unwrap();
    let url = bouncer.url(login.as_str()).unwrap();
    let config = PostgresConfig::from_url(&url).unwrap();
    append_both_ways(&config.pooler(Pooler::Transaction), 1).await;
    assert_eq!(seen(&database).await, ["on"]);
    // The only session of the pooler, given to somebody else.
    let other = sqlx::PgPool::connect(&url).await.unwrap();
    let sql = sqlx::raw_sql("SELECT current_setting('synchronous_commit')");
    let row = sql.fetch_one(&other).await.unwrap();
    assert_eq!(sqlx::Row::get::<String, _>(&row, 0), "off");
}

#[tokio::test]
async fn a_change_of_the_configuration_takes_nothing_from_a_session_that_lives() {
    let cluster = LocalCluster::builder().start().await.unwrap();
    let database = Database::migrated_on(&cluster).await;
    database.run(WITNESS).await;
    let config = database.config_in_role(WRITER).sink_connections(1);
    let sink = PostgresSink::connect(&config).await.unwrap();
    keep(&sink, &[fixture::event(1)]).await;
    database
        .run("ALTER SYSTEM SET synchronous_commit = off")
        .await;
    cluster.reload().unwrap();
    // A session that says nothing itself has heard of it.
    let heard = async {
        while database
            .value::<String>("SELECT current_setting('synchronous_commit')")
            .await
            != "off"
        {}
    };
    super::faults::soon("the reload", heard).await;
    keep(&sink, &fixture::events(100..200)).await;
    keep(&sink, &fixture::events(200..300)).await;
    assert_eq!(seen(&database).await, ["on"]);
}

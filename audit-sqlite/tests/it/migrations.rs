use audit_core::ErrorKind;
use audit_sqlite::{SqliteReader, SqliteStore};
use audit_testkit::fixture;

use crate::database::{Database, keep, list};

const TABLES: &str = "SELECT group_concat(name, ' ') FROM (
    SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name)";

#[tokio::test]
async fn from_nothing_and_again() {
    let database = Database::new();
    for round in 1..=3 {
        let store = database.open().await;
        let tables: String = database.value(TABLES).await;
        assert_eq!(
            tables,
            "audit_dead_letters audit_events audit_holds audit_migrations audit_retention \
             audit_store sqlite_sequence"
        );
        keep(&store, &fixture::events(round..=round)).await;
        assert_eq!(list(&store).await, fixture::events(1..=round));
    }
}

#[tokio::test]
async fn an_older_version_becomes_the_newest() {
    let database = Database::new();
    let store = database.open().await;
    keep(&store, &fixture::events(1..=3)).await;
    drop(store);
    database
        .run(
            "DROP TABLE audit_holds;
             DROP TABLE audit_retention;
             DELETE FROM audit_migrations WHERE version = 2",
        )
        .await;
    let error = SqliteReader::open(&database.config()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("open it for writing"), "{error}");
    // Nothing is told of it by a store that is not new.
    let aside = database.folder().join("audit.db.damaged-20260101T000000Z");
    std::fs::write(aside, "no database").unwrap();
    let store = database.open().await;
    assert_eq!(store.holds().list().await.unwrap(), []);
    assert_eq!(list(&store).await, fixture::events(1..=3));
}

#[tokio::test]
async fn a_migration_that_ran_with_another_text_is_refused() {
    let database = Database::new();
    drop(database.open().await);
    database
        .run("UPDATE audit_migrations SET checksum = x'00' WHERE version = 2")
        .await;
    let error = SqliteStore::open(&database.config()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("another text"), "{error}");
}

#[tokio::test]
async fn every_column_has_a_comment() {
    let database = Database::new();
    drop(database.open().await);
    let tables: String = database
        .value("SELECT group_concat(sql, char(10)) FROM sqlite_schema WHERE type = 'table' AND name LIKE 'audit%'")
        .await;
    let lines: Vec<&str> = tables.lines().map(str::trim).collect();
    let is_column = |line: &str| {
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default();
        let kind = words.next().unwrap_or_default().trim_end_matches(',');
        name.chars()
            .all(|char| char.is_ascii_lowercase() || char == '_')
            && ["INTEGER", "TEXT", "BLOB", "REAL"].contains(&kind)
    };
    let mut n_columns = 0;
    for pair in lines.windows(2) {
        if is_column(pair[1]) {
            n_columns += 1;
            // What a migration is called and when it ran needs none.
            let is_told = pair[0].starts_with("--")
                || ["version", "name TEXT NOT NULL,"]
                    .iter()
                    .any(|it| pair[1].starts_with(it));
            assert!(is_told, "{}", pair[1]);
        }
    }
    assert!(n_columns > 40, "{n_columns}");
}

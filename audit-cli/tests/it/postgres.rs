//! What differs on PostgreSQL.

use std::process::Command;

use audit_core::{AuditEvent, AuditSink as _};
use audit_postgres::{PostgresConfig, PostgresMaintainer, PostgresSink, Roles};
use audit_testkit::fixture;
use audit_testkit::postgres::TestDatabase;

use crate::store::{Ran, Store, audit, ran};

fn on(database: &str, arguments: &[&str]) -> Ran {
    let mut command: Command = audit(arguments);
    command.env("AUDIT_STORE", database);
    ran(command)
}

pub(crate) async fn with(events: &[AuditEvent]) -> TestDatabase {
    let database = TestDatabase::create().await.unwrap();
    let config = PostgresConfig::from_url(database.url()).unwrap();
    let maintainer = PostgresMaintainer::connect(&config).await.unwrap();
    maintainer.migrate().await.unwrap();
    let sink = PostgresSink::connect(&config).await.unwrap();
    drop(sink.append(events).await.unwrap());
    sink.close().await.unwrap();
    database
}

#[tokio::test]
async fn an_export_of_one_store_is_the_import_of_another() {
    let events = fixture::events(1..=1_500);
    let database = with(&events).await;
    let store = Store::none();
    let file = store.beside("x.zst");
    let path = file.to_str().unwrap();
    let exported = on(database.url(), &["export", "--zstd", "--to", path]);
    assert_eq!(exported.code, 0, "{exported:?}");
    assert_eq!(store.audit(&["import", path]).code, 0);
    assert_eq!(store.events(), events);
    let again = on(database.url(), &["import", path]);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(
        again
            .err
            .contains("0 events stored, 1500 there before, 0 refused"),
        "{again:?}"
    );
    database.close().await.unwrap();
}

#[tokio::test]
async fn a_follower_goes_on_where_it_stopped() {
    let events = fixture::events(1..=6);
    let database = with(&events).await;
    let store = Store::none();
    let cursor = store.beside("cursor");
    let cursor = cursor.to_str().unwrap();
    let mut seen = Vec::new();
    for n in ["2", "4"] {
        let followed = on(
            database.url(),
            &[
                "events",
                "--follow",
                "--cursor-file",
                cursor,
                "-n",
                n,
                "-o",
                "jsonl",
            ],
        );
        assert_eq!(followed.code, 0, "{followed:?}");
        let lines = followed.out.lines();
        seen.extend(lines.map(|line| AuditEvent::from_json(line).unwrap()));
    }
    assert_eq!(seen, events);
    database.close().await.unwrap();
}

#[tokio::test]
async fn partitions_are_held_and_removed() {
    let database = with(&fixture::events(1..=9)).await;
    let url = database.url();
    let plan = on(url, &["retention", "plan", "--keep-days", "30"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    assert!(plan.out.contains("drop  audit_events"), "{plan:?}");
    let placed = on(
        url,
        &["retention", "hold", "place", "case", "--reason", "a letter"],
    );
    assert_eq!(placed.code, 0, "{placed:?}");
    let held = on(url, &["retention", "apply", "--keep-days", "30", "--yes"]);
    assert_eq!(held.out, "0 events removed\n", "{held:?}");
    assert!(
        on(url, &["retention", "hold", "ls"])
            .out
            .contains("\"case\"")
    );
    assert_eq!(on(url, &["retention", "hold", "release", "case"]).code, 0);
    let gone = on(url, &["retention", "apply", "--keep-days", "30", "--yes"]);
    assert!(gone.out.ends_with("9 events removed\n"), "{gone:?}");
    database.close().await.unwrap();
}

#[tokio::test]
async fn dead_letters_are_listed_and_stay_as_long_as_they_are_refused() {
    let (_, other) = fixture::conflicts(1).swap_remove(0);
    let database = with(&[fixture::event(1), other.clone()]).await;
    let url = database.url();
    let listed = on(url, &["dead-letters", "ls"]);
    let letter: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(letter["event_id"], other.id.to_string(), "{letter}");
    let retried = on(url, &["dead-letters", "retry", "--all"]);
    assert_eq!(retried.code, 5, "{retried:?}");
    assert_eq!(on(url, &["dead-letters", "retry", "99"]).code, 3);
    database.close().await.unwrap();
}

#[tokio::test]
async fn what_the_role_may_not_do_has_an_exit_code_of_its_own() {
    let database = with(&fixture::events(1..=3)).await;
    let config = PostgresConfig::from_url(database.url()).unwrap();
    let maintainer = PostgresMaintainer::connect(&config).await.unwrap();
    let name = database.name();
    let roles = Roles::default()
        .writer(&format!("{name}_writer"))
        .unwrap()
        .reader(&format!("{name}_reader"))
        .unwrap()
        .maintainer(&format!("{name}_keeper"))
        .unwrap();
    maintainer.apply_roles(&roles).await.unwrap();
    let user = format!("{name}_nobody");
    for statement in [
        format!("CREATE ROLE {user} LOGIN PASSWORD 'nobody'"),
        format!("GRANT {name}_reader TO {user}"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(database.pool())
            .await
            .unwrap();
    }
    let mut url = url::Url::parse(database.url()).unwrap();
    url.set_username(&user).unwrap();
    url.set_password(Some("nobody")).unwrap();
    let url = url.as_str();
    assert_eq!(on(url, &["events"]).code, 0);
    let refused = on(url, &["retention", "hold", "place", "x", "--reason", "y"]);
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.err.contains("42501"), "{refused:?}");
    for statement in [
        format!("DROP OWNED BY {user}, {name}_writer, {name}_reader, {name}_keeper"),
        format!("DROP ROLE {user}, {name}_writer, {name}_reader, {name}_keeper"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(database.pool())
            .await
            .unwrap();
    }
    database.close().await.unwrap();
}

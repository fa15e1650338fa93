//! What is no event's fault refuses no event, and what is one's refuses no other.

use audit_core::sink::{Receipt, RefusalKind};
use audit_core::{AuditEvent, AuditSink};
use audit_postgres::PostgresSink;
use audit_testkit::fixture;

use crate::database::{Database, at, event_at, keep};

#[tokio::test]
async fn a_login_that_fails_refuses_no_event() {
    let database = Database::new().await;
    let mut url = database.url.clone();
    // The server ends the login with a code that means a refused value elsewhere.
    url.query_pairs_mut()
        .append_pair("options[work_mem]", "much");
    let config = audit_postgres::PostgresConfig::from_url(url.as_str()).unwrap();
    let sink = PostgresSink::connect_lazily(&config);
    let error = sink.append(&[fixture::event(1)]).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(format!("{error:?}").contains("cannot be reached"));
}

#[tokio::test]
async fn a_partition_that_may_not_be_made_refuses_no_event() {
    let database = Database::new().await;
    let sink = database.sink().await;
    database
        .run(
            "CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'not before Monday'; END $$;
             CREATE EVENT TRIGGER forbid ON ddl_command_start EXECUTE FUNCTION forbid()",
        )
        .await;
    let old = event_at(at("2018-06-01T00:00:00Z"), 1);
    let error = sink.append(std::slice::from_ref(&old)).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    database.run("DROP EVENT TRIGGER forbid").await;
    keep(&sink, &[old]).await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_refuses_its_own_id_alone() {
    let database = Database::new().await;
    let sink = database.sink().await;
    keep(&sink, &[fixture::event(1)]).await;
    database
        .run("UPDATE audit_events SET outcome = 'of a later version'")
        .await;
    for events in [fixture::events(1..=3), fixture::events([1])] {
        let receipts = sink.append(&events).await.unwrap().into_receipts();
        let Receipt::Refused(refusal) = &receipts[0] else {
            panic!("{receipts:?}");
        };
        assert_eq!(refusal.kind(), RefusalKind::Conflict);
        assert!(receipts[1..].iter().all(Receipt::is_kept), "{receipts:?}");
    }
    let letters: Vec<String> = database
        .values("SELECT event FROM audit_dead_letters")
        .await;
    assert_eq!(letters.len(), 1);
    assert_eq!(
        AuditEvent::from_json(&letters[0]).unwrap(),
        fixture::event(1)
    );
}

#[tokio::test]
async fn partitions_that_somebody_made_within_a_day_leave_no_event_out() {
    let database = Database::new().await;
    let sink = database.sink().await;
    database
        .run(
            "DO $$ BEGIN EXECUTE format(
                 'CREATE TABLE noon PARTITION OF audit_events FOR VALUES FROM (%L) TO (%L)',
                 audit_id_at('2018-06-01 11:00Z'), audit_id_at('2018-06-01 13:00Z')
             ); END $$",
        )
        .await;
    let hours = ["08", "12", "16"].map(|hour| at(&format!("2018-06-01T{hour}:00:00Z")));
    let events: Vec<_> = (1..)
        .zip(hours)
        .map(|(number, hour)| event_at(hour, number))
        .collect();
    keep(&sink, &events).await;
}

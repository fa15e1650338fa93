//! What each SQLSTATE means for an append, asked of a real server.

use audit_core::sink::Receipt;
use audit_core::{AuditSink, ErrorKind};
use audit_postgres::PostgresSink;
use audit_testkit::fixture;

use super::faults::config;
use crate::database::Database;

/// A code, and what an append makes of it: one event refused, or the batch tried again.
const EXPECTED: &[(&str, ErrorKind)] = &[
    ("01000", ErrorKind::Unavailable),
    ("08006", ErrorKind::Unavailable),
    ("08P01", ErrorKind::Unavailable),
    ("21000", ErrorKind::Unavailable),
    ("22001", ErrorKind::Rejected),
    ("22003", ErrorKind::Rejected),
    ("22P02", ErrorKind::Rejected),
    ("22P05", ErrorKind::Rejected),
    ("23502", ErrorKind::Rejected),
    ("23503", ErrorKind::Rejected),
    ("23505", ErrorKind::Rejected),
    // By a trigger, and not for want of a partition.
    ("23514", ErrorKind::Rejected),
    ("23P01", ErrorKind::Rejected),
    ("25006", ErrorKind::Unavailable),
    ("25P02", ErrorKind::Unavailable),
    ("26000", ErrorKind::Unavailable),
    ("28P01", ErrorKind::Unavailable),
    ("3D000", ErrorKind::Unavailable),
    ("3F000", ErrorKind::Unavailable),
    ("40001", ErrorKind::Unavailable),
    ("40P01", ErrorKind::Unavailable),
    ("42501", ErrorKind::Unavailable),
    ("42703", ErrorKind::Unavailable),
    ("42804", ErrorKind::Unavailable),
    ("42883", ErrorKind::Unavailable),
    ("42P01", ErrorKind::Unavailable),
    ("42P05", ErrorKind::Unavailable),
    ("44000", ErrorKind::Rejected),
    ("53100", ErrorKind::Unavailable),
    ("53200", ErrorKind::Unavailable),
    ("53300", ErrorKind::Unavailable),
    ("53400", ErrorKind::Unavailable),
    ("54000", ErrorKind::Rejected),
    ("54001", ErrorKind::Rejected),
    ("55006", ErrorKind::Unavailable),
    ("55P03", ErrorKind::Unavailable),
    ("57014", ErrorKind::Timeout),
    ("57P01", ErrorKind::Unavailable),
    ("57P02", ErrorKind::Unavailable),
    ("57P03", ErrorKind::Unavailable),
    ("58000", ErrorKind::Unavailable),
    ("58030", ErrorKind::Unavailable),
    ("P0001", ErrorKind::Rejected),
    ("P0002", ErrorKind::Rejected),
    ("XX000", ErrorKind::Unavailable),
    ("XX001", ErrorKind::Unavailable),
    // Of somebody's own.
    ("AU001", ErrorKind::Unavailable),
];

/// Raises a code for the events of the key `k_<code>`, with a text that quotes what the row holds.
const TRIGGER: &str = "
CREATE FUNCTION raise_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the row holds %', NEW.request_json USING ERRCODE = substr(NEW.api_key_id, 3);
END $$;
CREATE TRIGGER raise_code BEFORE INSERT ON audit_events
FOR EACH ROW WHEN (NEW.api_key_id <> 'k_fixture') EXECUTE FUNCTION raise_code()";

#[tokio::test]
async fn each_code_refuses_one_event_or_is_waited_for() {
    let database = Database::new().await;
    let sink = PostgresSink::connect(&config(&database.writer_url()))
        .await
        .unwrap();
    database.run(TRIGGER).await;
    for (number, (code, expected)) in (1_u64..).zip(EXPECTED) {
        let first = number * 10;
        let mut batch = fixture::events(first..first + 3);
        let key = audit_core::event::ApiKeyId::new(format!("k_{code}")).unwrap();
        let marked = fixture::draft(first + 1)
            .api_key_id(key)
            .request(fixture::payload(r#"{"note":"what nobody may see"}"#));
        batch[1] = fixture::stamp(marked, first + 1);
        let stored = "SELECT count(*) FROM audit_events WHERE seq BETWEEN $1 AND $1 + 2";
        let n_stored = async || {
            let query = sqlx::query_scalar::<_, i64>(stored).bind(first.cast_signed());
            query.fetch_one(database.pool()).await.unwrap()
        };
        let said = match sink.append(&batch).await {
            Ok(appended) => {
                assert_eq!(*expected, ErrorKind::Rejected, "{code}");
                let receipts = appended.into_receipts();
                let [Receipt::Stored, Receipt::Refused(refusal), Receipt::Stored] = &receipts[..]
                else {
                    panic!("{code}: {receipts:?}");
                };
                assert_eq!(n_stored().await, 2, "{code}");
                let (reason, sqlstate): (String, String) = sqlx::query_as(
                    "SELECT reason, sqlstate FROM audit_dead_letters WHERE event_id = $1",
                )
                .bind(batch[1].id.as_uuid())
                .fetch_one(database.pool())
                .await
                .unwrap();
                assert_eq!((reason, sqlstate.as_str()), (refusal.to_string(), *code));
                refusal.to_string()
            }
            Err(error) => {
                assert_eq!(
                    (error.kind(), error.is_retryable()),
                    (*expected, true),
                    "{code}: {error:?}"
                );
                assert_eq!(n_stored().await, 0, "{code}");
                format!("{error:?}")
            }
        };
        assert!(said.contains(code), "{said}");
        // The server's own words are kept where they cannot hold what a row holds.
        let quotes_nothing = [
            "08", "25", "26", "28", "3D", "3F", "40", "53", "55", "57", "58",
        ];
        let is_shown = said.contains("nobody may see");
        let may_be_shown = quotes_nothing.iter().any(|class| code.starts_with(class));
        assert_eq!(is_shown, may_be_shown, "{code}: {said}");
    }
}

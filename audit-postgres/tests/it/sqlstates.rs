//! What each SQLSTATE means for an append, asked of a real server.

use audit_core::sink::Receipt;
use audit_core::{AuditSink, ErrorKind};
use audit_postgres::PostgresSink;
use audit_testkit::fixture;

use super::codes::EXPECTED;
use super::faults::config;
use crate::database::Database;

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
    for (number, (code, expected, text)) in (1_u64..).zip(EXPECTED) {
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
        assert!(said.contains(code) && said.contains(text), "{code}: {said}");
        // The server's own words are kept where they cannot hold what a row holds.
        let quotes_nothing = [
            "08", "25", "26", "28", "3D", "3F", "40", "53", "55", "57", "58",
        ];
        let is_shown = said.contains("nobody may see");
        let may_be_shown = quotes_nothing.iter().any(|class| code.starts_with(class));
        assert_eq!(is_shown, may_be_shown, "{code}: {said}");
    }
}

//! The contract, case by case.

use std::sync::Arc;

use async_trait::async_trait;
use audit_core::event::{AuditEvent, ToolName};
use audit_postgres::{Pooler, PostgresReader, PostgresSink};
use audit_testkit::{Capabilities, Harness, Subject, conformance, fixture};

use crate::database::{Database, READER, WRITER};

struct Postgres {
    pooler: Pooler,
}

/// Lets the disk be full for one statement. A sequence counts on when its transaction is rolled
/// back.
const FAIL_ONCE: &str = "
CREATE SEQUENCE statements;
CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF nextval('statements') = 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'disk_full';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER fail_once BEFORE INSERT ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION fail_once();
";

impl Postgres {
    async fn subject(&self, database: Arc<Database>) -> Subject {
        let as_writer = database.config_in_role(WRITER).pooler(self.pooler);
        let as_reader = database.config_in_role(READER).pooler(self.pooler);
        let sink = PostgresSink::connect(&as_writer).await;
        let reader = PostgresReader::connect(&as_reader).await;
        let is_there = "the schema is there";
        Subject::new(sink.expect(is_there), reader.expect(is_there)).with_guard(database)
    }
}

#[async_trait]
impl Harness for Postgres {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new()
            .survives_reopen(true)
            .fails_on_request(true)
            .refuses_an_event(true)
    }

    async fn open(&self) -> Subject {
        self.subject(Arc::new(Database::new().await)).await
    }

    async fn reopen(&self, subject: Subject) -> Option<Subject> {
        let database = Arc::clone(subject.guard::<Arc<Database>>()?);
        drop(subject);
        Some(self.subject(database).await)
    }

    async fn fail_next_append(&self, subject: &Subject) -> bool {
        let Some(database) = subject.guard::<Arc<Database>>() else {
            return false;
        };
        database.run(FAIL_ONCE).await;
        true
    }

    async fn open_with_unstorable(&self) -> Option<(Subject, AuditEvent)> {
        let database = Database::new().await;
        database
            .run("ALTER TABLE audit_events ADD CHECK (tool_name <> 'unstorable')")
            .await;
        let tool = ToolName::new("unstorable").expect("it is short");
        let event = fixture::stamp(fixture::draft(5).tool_name(tool), 5);
        Some((self.subject(Arc::new(database)).await, event))
    }
}

audit_testkit::conformance!(
    postgres,
    Postgres {
        pooler: Pooler::None
    }
);

audit_testkit::conformance!(
    postgres_in_transactions,
    Postgres {
        pooler: Pooler::Transaction
    }
);

#[test]
fn nothing_is_left_out_but_a_bound() {
    let harness = Postgres {
        pooler: Pooler::None,
    };
    assert_eq!(
        conformance::left_out(&harness.capabilities()),
        ["a_full_store_keeps_nothing_of_a_batch"]
    );
}

//! The contract, case by case.

use std::sync::Arc;

use async_trait::async_trait;
use audit_core::event::{AuditEvent, ToolName};
use audit_postgres::{Pooler, PostgresConfig, PostgresReader, PostgresSink};
use audit_testkit::postgres::PgBouncer;
use audit_testkit::{Capabilities, Harness, Subject, conformance, fixture};
use url::Url;

use crate::database::{Database, READER, WRITER};

struct Postgres {
    pooler: Pooler,
    /// What stands in between.
    bouncer: Bouncer,
}

#[derive(Clone, Copy, PartialEq)]
enum Bouncer {
    None,
    PgBouncer,
}

/// A database, and how its writer and its reader come to it.
struct Opened {
    database: Database,
    writer_url: String,
    reader_url: String,
    _bouncer: Option<PgBouncer>,
}

impl Opened {
    async fn new(bouncer: Bouncer) -> Self {
        let database = Database::new().await;
        if bouncer == Bouncer::None {
            return Self {
                writer_url: database.url_in_role(WRITER),
                reader_url: database.url_in_role(READER),
                database,
                _bouncer: None,
            };
        }
        let (writer, reader) = (database.login(WRITER).await, database.login(READER).await);
        // Fewer connections than there are clients: what belongs together must not be torn apart.
        let config = ["default_pool_size = 2"];
        let bouncer = PgBouncer::start_for(&[writer.as_str(), reader.as_str()], &config).await;
        let bouncer = bouncer.expect("PgBouncer is installed");
        let through = |url: &Url| bouncer.url(url.as_str()).expect("an address");
        Self {
            database,
            writer_url: through(&writer),
            reader_url: through(&reader),
            _bouncer: Some(bouncer),
        }
    }
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
    async fn subject(&self, opened: Arc<Opened>) -> Subject {
        let config = |url: &str| PostgresConfig::from_url(url).expect("an address");
        let as_writer = config(&opened.writer_url).pooler(self.pooler);
        let as_reader = config(&opened.reader_url).pooler(self.pooler);
        let sink = PostgresSink::connect(&as_writer).await;
        let reader = PostgresReader::connect(&as_reader).await;
        let is_there = "the schema is there";
        Subject::new(sink.expect(is_there), reader.expect(is_there)).with_guard(opened)
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
        self.subject(Arc::new(Opened::new(self.bouncer).await))
            .await
    }

    async fn reopen(&self, subject: Subject) -> Option<Subject> {
        let opened = Arc::clone(subject.guard::<Arc<Opened>>()?);
        drop(subject);
        Some(self.subject(opened).await)
    }

    async fn fail_next_append(&self, subject: &Subject) -> bool {
        let Some(opened) = subject.guard::<Arc<Opened>>() else {
            return false;
        };
        opened.database.run(FAIL_ONCE).await;
        true
    }

    async fn open_with_unstorable(&self) -> Option<(Subject, AuditEvent)> {
        let opened = Opened::new(self.bouncer).await;
        opened
            .database
            .run("ALTER TABLE audit_events ADD CHECK (tool_name <> 'unstorable')")
            .await;
        let tool = ToolName::new("unstorable").expect("it is short");
        let event = fixture::stamp(fixture::draft(5).tool_name(tool), 5);
        Some((self.subject(Arc::new(opened)).await, event))
    }
}

audit_testkit::conformance!(
    postgres,
    Postgres {
        pooler: Pooler::None,
        bouncer: Bouncer::None,
    }
);

audit_testkit::conformance!(
    postgres_in_transactions,
    Postgres {
        pooler: Pooler::Transaction,
        bouncer: Bouncer::None,
    }
);

audit_testkit::conformance!(
    postgres_through_pgbouncer,
    Postgres {
        pooler: Pooler::Transaction,
        bouncer: Bouncer::PgBouncer,
    }
);

#[test]
fn nothing_is_left_out_but_a_bound() {
    let harness = Postgres {
        pooler: Pooler::None,
        bouncer: Bouncer::None,
    };
    assert_eq!(
        conformance::left_out(&harness.capabilities()),
        ["a_full_store_keeps_nothing_of_a_batch"]
    );
}

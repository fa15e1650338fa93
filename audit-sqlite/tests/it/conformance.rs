//! The contract, case by case.

use std::sync::Arc;

use async_trait::async_trait;
use audit_core::event::{AuditEvent, ToolName};
use audit_sqlite::{Hold, SqliteStore};
use audit_testkit::{Capabilities, Harness, Subject, conformance, fixture};

use crate::database::Database;

struct Sqlite;

/// Fails each append of a connection that has changed many rows. The store gives up a connection
/// on which something failed, so the next append works.
const FAIL_ONCE: &str = "
CREATE TRIGGER fail_once BEFORE INSERT ON audit_events WHEN total_changes() > 50
BEGIN
    -- No constraint is broken, so it is nobody's fault among the events: the integer overflows.
    SELECT abs(-9223372036854775808);
END";

/// Refuses one event.
const REFUSE: &str = "
CREATE TRIGGER refuse BEFORE INSERT ON audit_events WHEN NEW.tool_name = 'unstorable'
BEGIN
    SELECT RAISE(ABORT, 'no');
END";

impl Sqlite {
    async fn subject(&self, database: Arc<Database>) -> Subject {
        let store = database.open().await;
        Subject::new(store.clone(), store.clone()).with_guard((database, store))
    }
}

type Guard = (Arc<Database>, SqliteStore);

#[async_trait]
impl Harness for Sqlite {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new()
            .survives_reopen(true)
            .fails_on_request(true)
            .refuses_an_event(true)
    }

    async fn open(&self) -> Subject {
        self.subject(Arc::new(Database::new())).await
    }

    async fn reopen(&self, subject: Subject) -> Option<Subject> {
        let (database, _) = subject.guard::<Guard>()?;
        let database = Arc::clone(database);
        drop(subject);
        Some(self.subject(database).await)
    }

    async fn fail_next_append(&self, subject: &Subject) -> bool {
        let Some((database, store)) = subject.guard::<Guard>() else {
            return false;
        };
        let hold = Hold::new("many changes", "a test").expect("a name");
        for _ in 0..30 {
            store.holds().place(&hold).await.expect("the store works");
            store
                .holds()
                .release(&hold.name)
                .await
                .expect("the store works");
        }
        database.run(FAIL_ONCE).await;
        true
    }

    async fn open_with_unstorable(&self) -> Option<(Subject, AuditEvent)> {
        let database = Arc::new(Database::new());
        let subject = self.subject(Arc::clone(&database)).await;
        database.run(REFUSE).await;
        let tool = ToolName::new("unstorable").expect("it is short");
        let event = fixture::stamp(fixture::draft(5).tool_name(tool), 5);
        Some((subject, event))
    }
}

audit_testkit::conformance!(sqlite, Sqlite);

#[test]
fn nothing_is_left_out_but_a_bound() {
    assert_eq!(
        conformance::left_out(&Sqlite.capabilities()),
        ["a_full_store_keeps_nothing_of_a_batch"]
    );
}

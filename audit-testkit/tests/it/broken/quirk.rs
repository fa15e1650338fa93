//! What is wrong with a table, and how the suite gets at one.

use async_trait::async_trait;
use audit_core::Error;
use audit_core::event::{AuditEvent, EventId, EventSummary, WriterId};
use audit_core::reader::{
    Count, Filter, FollowRequest, Followed, Page, PageRequest, SeqGap, Statistics,
    StatisticsRequest,
};
use audit_core::sink::{Appended, Health};
use audit_testkit::{Capabilities, Harness, Subject};

use super::table::{Rows, Table};

/// What is wrong with a table: each method is right until somebody writes it anew.
#[async_trait]
pub(super) trait Quirk: Default + Send + Sync + 'static {
    fn capabilities() -> Capabilities {
        Capabilities::new()
            .survives_reopen(true)
            .fails_on_request(true)
            .is_bounded(true)
            .refuses_an_event(true)
    }

    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        table.store(events)
    }

    async fn flush(&self, _table: &Table<Self>) -> Result<(), Error> {
        Ok(())
    }

    fn health(&self, table: &Table<Self>) -> Health {
        table.state()
    }

    async fn close(&self, table: &Table<Self>) -> Result<(), Error> {
        table.rows().is_closed = true;
        Ok(())
    }

    fn survivors(&self, rows: &Rows) -> Vec<AuditEvent> {
        rows.kept.clone()
    }

    fn shown(&self, event: &AuditEvent) -> AuditEvent {
        event.clone()
    }

    fn get(&self, table: &Table<Self>, id: EventId) -> Option<AuditEvent> {
        table.rows().find(id)
    }

    fn page(&self, table: &Table<Self>, request: &PageRequest) -> Page<AuditEvent> {
        Page::assemble(request, table.scan(request))
    }

    fn summary(&self, event: &AuditEvent) -> EventSummary {
        event.summary()
    }

    fn count(&self, table: &Table<Self>, filter: &Filter, cap: u64) -> Count {
        Count::capped(table.n_matching(filter), cap)
    }

    fn statistics(&self, table: &Table<Self>, request: &StatisticsRequest) -> Statistics {
        Statistics::collect(request, &table.rows().kept)
    }

    fn gaps(&self, table: &Table<Self>, writer: &WriterId, limit: usize) -> Vec<SeqGap> {
        SeqGap::between(table.seqs(writer), limit)
    }

    async fn follow(
        &self,
        table: &Table<Self>,
        request: &FollowRequest,
    ) -> Result<Followed, Error> {
        table.follow_from(table.position(request)?, request).await
    }
}

/// Nothing is wrong.
#[derive(Default)]
pub(super) struct Intact;

impl Quirk for Intact {}

/// Opens tables with something wrong, and has every hook.
#[derive(Default)]
pub(super) struct Tables<Q>(std::marker::PhantomData<fn() -> Q>);

#[async_trait]
impl<Q: Quirk> Harness for Tables<Q> {
    fn capabilities(&self) -> Capabilities {
        Q::capabilities()
    }

    async fn open(&self) -> Subject {
        subject(Table::<Q>::new(Rows::default()))
    }

    async fn open_with_room_for(&self, n_events: usize) -> Option<Subject> {
        let room = Some(n_events);
        let rows = Rows {
            room,
            ..Rows::default()
        };
        Some(subject(Table::<Q>::new(rows)))
    }

    async fn open_with_unstorable(&self) -> Option<(Subject, AuditEvent)> {
        let event = audit_testkit::fixture::event(999);
        let unstorable = Some(event.id);
        let rows = Rows {
            unstorable,
            ..Rows::default()
        };
        Some((subject(Table::<Q>::new(rows)), event))
    }

    async fn reopen(&self, subject_before: Subject) -> Option<Subject> {
        let table = subject_before.guard::<Table<Q>>()?;
        let kept = table.quirk().survivors(&table.rows());
        let rows = Rows {
            kept,
            ..Rows::default()
        };
        Some(subject(Table::<Q>::new(rows)))
    }

    async fn fail_next_append(&self, subject: &Subject) -> bool {
        let table = subject.guard::<Table<Q>>();
        table.is_some_and(|table| {
            table.rows().fails_next = true;
            true
        })
    }
}

fn subject<Q: Quirk>(table: Table<Q>) -> Subject {
    Subject::new(table.clone(), table.clone()).with_guard(table)
}

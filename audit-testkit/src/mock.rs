//! Mocks by mockall, for tests that tell a gateway what its sink answers.

#![allow(
    missing_docs,
    reason = "mockall writes the expectations of each method"
)]

use std::fmt;

use async_trait::async_trait;
use audit_core::Error;
use audit_core::event::{AuditEvent, EventId, EventSummary, WriterId};
use audit_core::reader::{
    AuditReader, Count, Filter, FollowRequest, Followed, Page, PageRequest, SeqGap, Statistics,
    StatisticsRequest,
};
use audit_core::sink::{Appended, AuditSink, Durability, Forwarding, Health};

mockall::mock! {
    /// A sink that answers as a test says, and fails the test if it is called otherwise.
    ///
    /// # Examples
    /// ```
    /// use audit_core::sink::{Appended, AuditSink};
    /// use audit_testkit::{MockAuditSink, fixture};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), audit_core::Error> {
    /// let mut sink = MockAuditSink::new();
    /// sink.expect_append()
    ///     .times(1)
    ///     .withf(|events| events.len() == 1)
    ///     .returning(|events| Ok(Appended::all_stored(events.len())));
    /// assert!(sink.append(&[fixture::event(1)]).await?.is_all_kept());
    /// # Ok(())
    /// # }
    /// ```
    pub AuditSink {}

    #[async_trait]
    impl AuditSink for AuditSink {
        async fn append(&self, events: &[AuditEvent]) -> Result<Appended, Error>;
        async fn flush(&self) -> Result<(), Error>;
        async fn health(&self) -> Health;
        async fn close(&self) -> Result<(), Error>;
        fn durability(&self) -> Durability;

        fn forwarding(&self) -> Option<Forwarding>;
    }
}

mockall::mock! {
    /// A reader that answers as a test says, and fails the test if it is called otherwise.
    pub AuditReader {}

    #[async_trait]
    impl AuditReader for AuditReader {
        async fn get(&self, id: EventId) -> Result<Option<AuditEvent>, Error>;
        async fn page(&self, request: &PageRequest) -> Result<Page<EventSummary>, Error>;
        async fn page_with_payloads(&self, request: &PageRequest) -> Result<Page<AuditEvent>, Error>;
        async fn count(&self, filter: &Filter, cap: u64) -> Result<Count, Error>;
        async fn statistics(&self, request: &StatisticsRequest) -> Result<Statistics, Error>;
        async fn gaps(&self, writer: &WriterId, limit: usize) -> Result<Vec<SeqGap>, Error>;
        async fn follow(&self, request: &FollowRequest) -> Result<Followed, Error>;
    }
}

impl fmt::Debug for MockAuditSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockAuditSink").finish_non_exhaustive()
    }
}

impl fmt::Debug for MockAuditReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockAuditReader").finish_non_exhaustive()
    }
}

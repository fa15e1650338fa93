//! `Arc` and `Box` hand every call to what they point to, once.

use std::sync::Arc;

use audit_core::event::WriterId;
use audit_core::reader::{
    AuditReader, Count, Filter, FollowPosition, FollowRequest, Followed, Page, PageRequest,
    Statistics, StatisticsRequest,
};
use audit_core::sink::{Appended, AuditSink, Durability, Forwarding, Health};
use audit_core::{Error, ErrorKind};
use audit_testkit::{MockAuditReader, MockAuditSink, fixture};

/// Answers that no default would give, each expected once.
fn sink() -> MockAuditSink {
    let mut sink = MockAuditSink::new();
    sink.expect_append()
        .times(1)
        .withf(|events| events == fixture::events(1..=2))
        .returning(|events| Ok(Appended::all_stored(events.len())));
    let broken = || Err(Error::new(ErrorKind::Timeout, "flush"));
    sink.expect_flush().times(1).returning(broken);
    sink.expect_health()
        .times(1)
        .returning(|| Health::degraded("mocked"));
    let broken = || Err(Error::new(ErrorKind::Unavailable, "close"));
    sink.expect_close().times(1).returning(broken);
    sink.expect_durability()
        .times(1)
        .return_const(Durability::Spooled);
    sink.expect_forwarding()
        .times(1)
        .return_const(Forwarding::to(Durability::Committed));
    sink
}

async fn every_method_arrives(sink: impl AuditSink) {
    let appended = sink.append(&fixture::events(1..=2)).await.unwrap();
    assert_eq!(appended.receipts(), Appended::all_stored(2).receipts());
    assert_eq!(sink.flush().await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(sink.health().await, Health::degraded("mocked"));
    assert_eq!(
        sink.close().await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    assert_eq!(sink.durability(), Durability::Spooled);
    let forwarding = Forwarding::to(Durability::Committed);
    assert_eq!(sink.forwarding(), Some(forwarding));
}

#[tokio::test]
async fn a_pointer_to_a_sink_is_that_sink() {
    every_method_arrives(Arc::new(sink())).await;
    every_method_arrives(Box::new(sink())).await;
    let shared: Arc<dyn AuditSink> = Arc::new(sink());
    every_method_arrives(shared).await;
    let boxed: Box<dyn AuditSink> = Box::new(sink());
    every_method_arrives(boxed).await;
    let nested: Arc<Box<dyn AuditSink>> = Arc::new(Box::new(sink()));
    every_method_arrives(nested).await;
}

fn reader() -> MockAuditReader {
    let mut reader = MockAuditReader::new();
    reader
        .expect_get()
        .times(1)
        .returning(|_| Ok(Some(fixture::event(9))));
    let page =
        |request: &PageRequest| Ok(Page::assemble(request, vec![fixture::event(1).summary()]));
    reader.expect_page().times(1).returning(page);
    let page = |request: &PageRequest| Ok(Page::assemble(request, fixture::events(2..=3)));
    reader.expect_page_with_payloads().times(1).returning(page);
    reader
        .expect_count()
        .times(1)
        .returning(|_, cap| Ok(Count::capped(cap + 1, cap)));
    let statistics =
        |request: &StatisticsRequest| Ok(Statistics::collect(request, &fixture::events(1..=3)));
    reader.expect_statistics().times(1).returning(statistics);
    let gaps = |_: &WriterId, _: usize| Err(Error::new(ErrorKind::Corrupt, "gaps"));
    reader.expect_gaps().times(1).returning(gaps);
    let follow = |_: &FollowRequest| Ok(Followed::new(vec![], FollowPosition::new("mocked")?));
    reader.expect_follow().times(1).returning(follow);
    reader
}

async fn every_question_arrives(reader: impl AuditReader) {
    let event = reader.get(fixture::event_id(1)).await.unwrap();
    assert_eq!(event, Some(fixture::event(9)));
    let request = PageRequest::new(Filter::all());
    assert_eq!(reader.page(&request).await.unwrap().events.len(), 1);
    assert_eq!(
        reader
            .page_with_payloads(&request)
            .await
            .unwrap()
            .events
            .len(),
        2
    );
    assert!(reader.count(&Filter::all(), 5).await.unwrap().is_capped);
    let request = StatisticsRequest::new(Filter::all());
    assert_eq!(
        reader.statistics(&request).await.unwrap().rows[0].n_events,
        3
    );
    let gaps = reader.gaps(&fixture::writer(), 1).await;
    assert_eq!(gaps.unwrap_err().kind(), ErrorKind::Corrupt);
    let followed = reader
        .follow(&FollowRequest::new(Filter::all()))
        .await
        .unwrap();
    assert_eq!(followed.position.as_str(), "mocked");
}

#[tokio::test]
async fn a_pointer_to_a_reader_is_that_reader() {
    every_question_arrives(Arc::new(reader())).await;
    every_question_arrives(Box::new(reader())).await;
    let shared: Arc<dyn AuditReader> = Arc::new(reader());
    every_question_arrives(shared).await;
    let boxed: Box<dyn AuditReader> = Box::new(reader());
    every_question_arrives(boxed).await;
}

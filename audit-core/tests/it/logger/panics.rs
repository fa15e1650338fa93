use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use audit_core::event::{AuditEvent, Outcome};
use audit_core::logger::Recorded;
use audit_core::sink::{Appended, Durability, Forwarding, Health};
use audit_core::{AuditSink, Error, ErrorKind};
use audit_memory::MemoryStore;

use super::support::{draft, is_of_tool, logger, soon, tools};

type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Panics before there is a future to poll, as a sink without `async` can.
#[derive(Debug)]
struct PanicsEarly(MemoryStore);

impl AuditSink for PanicsEarly {
    fn append<'a, 'b, 'c>(&'a self, events: &'b [AuditEvent]) -> Work<'c, Result<Appended, Error>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        assert!(!is_of_tool(&events[0], "poison"), "as the test says");
        self.0.append(events)
    }

    fn flush<'a, 'c>(&'a self) -> Work<'c, Result<(), Error>>
    where
        'a: 'c,
        Self: 'c,
    {
        std::panic::panic_any("as the test says")
    }

    fn health<'a, 'c>(&'a self) -> Work<'c, Health>
    where
        'a: 'c,
        Self: 'c,
    {
        self.0.health()
    }

    fn close<'a, 'c>(&'a self) -> Work<'c, Result<(), Error>>
    where
        'a: 'c,
        Self: 'c,
    {
        self.0.close()
    }

    fn durability(&self) -> Durability {
        self.0.durability()
    }

    fn forwarding(&self) -> Option<Forwarding> {
        self.0.forwarding()
    }
}

#[tokio::test]
async fn a_panic_while_an_append_begins_fails_its_own_record_alone() {
    let store = MemoryStore::new();
    let logger = logger(PanicsEarly(store.clone()));
    let error = soon(logger.log_event(draft("poison"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    let next = soon(logger.log_event(draft("fine"))).await.unwrap();
    assert_eq!(next, Recorded::Stored);
    assert!(tools(&store.recorded()).contains(&"fine"));
}

#[tokio::test]
async fn a_panic_while_a_flush_begins_stands_in_the_report() {
    let logger = logger(PanicsEarly(MemoryStore::new()));
    soon(logger.log_event(draft("fine"))).await.unwrap();
    let report = soon(logger.shutdown(Duration::from_secs(9))).await;
    let error = report.flush_error.as_ref().map(Error::kind);
    assert_eq!(error, Some(ErrorKind::Internal), "{report:?}");
    assert_eq!(report.n_stored, 1);
}

/// Never answers, and panics when its append is dropped.
#[derive(Debug)]
struct PanicsInDrop;

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::panic::panic_any("as the test says");
        }
    }
}

#[async_trait]
impl AuditSink for PanicsInDrop {
    async fn append(&self, _: &[AuditEvent]) -> Result<Appended, Error> {
        let _bomb = Bomb;
        std::future::pending().await
    }

    async fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn health(&self) -> Health {
        Health::ready()
    }

    async fn close(&self) -> Result<(), Error> {
        Ok(())
    }

    fn durability(&self) -> Durability {
        Durability::Committed
    }

    fn forwarding(&self) -> Option<Forwarding> {
        None
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_an_append_is_dropped_leaves_the_report_whole() {
    let logger = logger(PanicsInDrop);
    let in_flight = logger.begin(draft("in flight")).await.unwrap();
    let answer = in_flight.finish(Outcome::Ok);
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    let queued = logger.begin(draft("queued")).await.unwrap();
    let queued = queued.finish(Outcome::Ok);
    let open = logger.begin(draft("open")).await.unwrap();
    let report = soon(logger.shutdown(Duration::from_millis(10))).await;
    assert_eq!(tools(&report.unstored), ["in flight", "queued"]);
    assert_eq!(report.n_open_calls, 1);
    let error = report.flush_error.as_ref().map(Error::kind);
    assert_eq!(error, Some(ErrorKind::Timeout), "{report:?}");
    for answer in [answer, queued, open.finish(Outcome::Ok)] {
        assert!(soon(answer).await.unwrap_err().is_closed());
    }
    let held = logger.counters();
    assert_eq!(
        (held.queued_events, held.queued_bytes, held.open_calls),
        (0, 0, 0)
    );
}

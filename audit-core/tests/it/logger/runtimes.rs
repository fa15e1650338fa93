use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use audit_core::event::Outcome;
use audit_core::logger::Overload;
use audit_core::{AuditLogger, ErrorKind};
use audit_memory::MemoryStore;
use tokio::runtime::{Builder, Runtime};

use super::support::{Act, ScriptedSink, draft, soon, tools};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls on this thread, on which there is no runtime.
fn without_a_runtime<T>(work: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut work = std::pin::pin!(work);
    loop {
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => thread::park(),
        }
    }
}

fn driven() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap()
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// A call that gets room, one that does not and one that is shut down.
async fn uses_every_timer(logger: AuditLogger) {
    let call = logger.begin(draft("a")).await.unwrap();
    let error = logger.begin(draft("b")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    call.finish(Outcome::Ok).await.unwrap();
    let report = logger.shutdown(Duration::from_secs(30)).await;
    assert!(report.is_complete(), "{report:?}");
}

#[test]
fn callers_need_neither_a_timer_nor_a_runtime_of_their_own() {
    let runtime = driven();
    let logger = || {
        AuditLogger::builder(MemoryStore::new())
            .runtime(runtime.handle().clone())
            .queue_events(1)
            .overload(Overload::Wait(Duration::from_millis(1)))
            .build()
            .unwrap()
    };
    without_a_runtime(uses_every_timer(logger()));
    let without_a_timer = Builder::new_current_thread().build().unwrap();
    without_a_timer.block_on(uses_every_timer(logger()));
}

#[test]
fn a_runtime_that_ends_leaves_a_report_of_what_was_queued_and_open() {
    let runtime = current_thread();
    let logger = AuditLogger::builder(ScriptedSink::new(|_, _| Act::Hang))
        .runtime(runtime.handle().clone())
        .build()
        .unwrap();
    let (in_flight, open) = runtime.block_on(async {
        let call = logger.begin(draft("in flight")).await.unwrap();
        let in_flight = call.finish(Outcome::Ok);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        logger
            .begin(draft("queued"))
            .await
            .unwrap()
            .finish(Outcome::Ok)
            .detach();
        (in_flight, logger.begin(draft("open")).await.unwrap())
    });
    drop(runtime);
    current_thread().block_on(async {
        assert!(soon(in_flight).await.unwrap_err().is_closed());
        let report = soon(logger.shutdown(Duration::from_secs(1))).await;
        assert_eq!(tools(&report.unstored), ["in flight", "queued"]);
        assert_eq!(report.n_open_calls, 1);
        assert!(!report.is_complete());
        assert!(report.flush_error.is_some_and(|error| error.is_closed()));
        drop(open);
    });
    let held = logger.counters();
    assert_eq!(
        (held.queued_events, held.queued_bytes, held.open_calls),
        (0, 0, 0)
    );
}

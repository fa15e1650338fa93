//! What the wrappers' tests share: fan-outs of scripted sinks, a log.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex};

use audit_core::sink::{AuditSink, FanOut, FanOutBuilder, FanOutRule, LaneStatus};
use audit_memory::MemoryStore;
use audit_testkit::{FaultPlan, FaultySink};
use tracing::Dispatch;
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::subscriber::DefaultGuard;

/// A memory store behind a plan, and the store.
pub(crate) fn faulty(plan: FaultPlan) -> (Arc<FaultySink<MemoryStore>>, MemoryStore) {
    let store = MemoryStore::new();
    (Arc::new(FaultySink::new(store.clone(), plan)), store)
}

/// A fan-out to sinks of the names `a`, `b`, ….
pub(crate) fn builder(rule: FanOutRule, sinks: Vec<Arc<dyn AuditSink>>) -> FanOutBuilder {
    let names = ["a", "b", "c"];
    let sinks = names.into_iter().zip(sinks);
    sinks.fold(FanOut::builder(rule), |builder, (name, sink)| {
        builder.sink(name, sink)
    })
}

pub(crate) fn fan_out(rule: FanOutRule, sinks: Vec<Arc<dyn AuditSink>>) -> FanOut {
    builder(rule, sinks).build().unwrap()
}

pub(crate) fn missed(fan_out: &FanOut) -> Vec<u64> {
    fan_out.lanes().iter().map(|lane| lane.n_missed).collect()
}

pub(crate) fn waiting(fan_out: &FanOut) -> Vec<usize> {
    fan_out.lanes().iter().map(|lane| lane.n_events).collect()
}

/// Lets the tasks of this runtime run until they are as is said, without letting time go by.
pub(crate) async fn until(fan_out: &FanOut, is_met: impl Fn(&[LaneStatus]) -> bool) {
    for _ in 0..1_000 {
        if is_met(&fan_out.lanes()) {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it does not come to this: {fan_out:?}");
}

/// Lets the tasks of this runtime run.
pub(crate) async fn let_run() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// Keeps the lines of the thread on which it is set.
#[derive(Clone, Default)]
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<Line>>>,
    panics: bool,
}

/// One line, and its fields as a text log shows them.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) level: tracing::Level,
    pub(crate) target: String,
    pub(crate) fields: BTreeMap<String, String>,
}

impl Log {
    /// Keeps the lines of this thread as long as the guard lives.
    pub(crate) fn listen(&self) -> DefaultGuard {
        /// As long as there is one log alone, the thread that comes to a line first is asked whether
        /// it wants it, and its answer counts for all: that may be the thread of another test.
        static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Log::default()));
        LazyLock::force(&SECOND);
        tracing::subscriber::set_default(self.clone())
    }

    pub(crate) fn that_panics() -> Self {
        Self {
            panics: true,
            ..Self::default()
        }
    }

    pub(crate) fn lines(&self, target: &str) -> Vec<Line> {
        let lines = self.lines.lock().unwrap();
        let of_target = lines.iter().filter(|line| line.target.starts_with(target));
        of_target.cloned().collect()
    }

    /// The lines with this message.
    pub(crate) fn that_say(&self, message: &str) -> Vec<Line> {
        let mut lines = self.lines("");
        lines.retain(|line| line.fields["message"].contains(message));
        lines
    }
}

impl Line {
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("audit")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        assert!(!self.panics, "as the test says");
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.lines.lock().unwrap().push(Line {
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            fields: fields.0,
        });
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

//! What the wrappers' tests share: fan-outs of scripted sinks, a recorder of metrics, a log.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use audit_core::sink::{AuditSink, FanOut, FanOutBuilder, FanOutRule, LaneStatus};
use audit_memory::MemoryStore;
use audit_testkit::{FaultPlan, FaultySink};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};
use tracing::field::{Field, Visit};
use tracing::span;

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

/// Keeps what is measured, by name and labels.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<BTreeMap<String, Arc<Measured>>>>);

#[derive(Default)]
pub(crate) struct Measured {
    sum: AtomicU64,
    n_values: AtomicU64,
    n_zeros: AtomicU64,
}

impl Recorder {
    /// The sum of a counter, the last value of a gauge, and of a histogram how many there were.
    pub(crate) fn value(&self, name: &str) -> u64 {
        let all = self.0.lock().unwrap();
        let measured = all
            .get(name)
            .unwrap_or_else(|| panic!("{name} in {:?}", all.keys()));
        measured.sum.load(Ordering::SeqCst)
    }

    /// Every counter that was raised at all.
    pub(crate) fn raised(&self) -> BTreeMap<String, u64> {
        let all = self.0.lock().unwrap();
        let counters = all.iter().filter(|(name, _)| name.contains("_total"));
        counters
            .map(|(name, it)| (name.clone(), it.sum.load(Ordering::SeqCst)))
            .filter(|(_, sum)| *sum > 0)
            .collect()
    }

    /// How often a counter was raised by nothing.
    pub(crate) fn n_zeros(&self) -> u64 {
        let all = self.0.lock().unwrap();
        all.values()
            .map(|it| it.n_zeros.load(Ordering::SeqCst))
            .sum()
    }

    fn measured(&self, key: &Key) -> Arc<Measured> {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Arc::clone(self.0.lock().unwrap().entry(name).or_default())
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.measured(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.measured(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.measured(key))
    }
}

impl metrics::CounterFn for Measured {
    fn increment(&self, value: u64) {
        self.sum.fetch_add(value, Ordering::SeqCst);
        self.n_zeros
            .fetch_add(u64::from(value == 0), Ordering::SeqCst);
    }

    fn absolute(&self, value: u64) {
        self.sum.store(value, Ordering::SeqCst);
    }
}

impl metrics::GaugeFn for Measured {
    fn increment(&self, _: f64) {
        panic!("gauges are set");
    }

    fn decrement(&self, _: f64) {
        panic!("gauges are set");
    }

    fn set(&self, value: f64) {
        let value = format!("{value:.0}").parse().unwrap();
        self.sum.store(value, Ordering::SeqCst);
    }
}

impl metrics::HistogramFn for Measured {
    fn record(&self, _: f64) {
        self.sum.fetch_add(1, Ordering::SeqCst);
        self.n_values.fetch_add(1, Ordering::SeqCst);
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

//! A recorder of metrics that tests can ask.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};

/// Keeps what is measured, by name and labels.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<BTreeMap<String, Arc<Measured>>>>);

#[derive(Default)]
pub(crate) struct Measured {
    sum: AtomicU64,
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

    /// What is measured at all.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
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
    }
}

use std::fmt;
use std::time::Duration;

use metrics::{Gauge, Histogram, Label, counter, gauge, histogram};

use super::parcel::Reason;
use crate::meter::{Counter, float};

/// The numbers of one lane. Their names stand in the table of
/// [`logger::metrics`](crate::logger::metrics).
pub(super) struct Meters {
    missed: [(Reason, Counter); 4],
    retries: Counter,
    events: Gauge,
    bytes: Gauge,
    append_seconds: Histogram,
}

impl Meters {
    pub(super) fn new(fan_out: &str, sink: &str) -> Self {
        let labels = vec![
            Label::new("fan_out", fan_out.to_owned()),
            Label::new("sink", sink.to_owned()),
        ];
        let missed = |reason: Reason| {
            let mut labels = labels.clone();
            labels.push(Label::from_static_parts("reason", reason.as_str()));
            let counter = counter!("audit_lane_missed_total", labels);
            (reason, Counter::new(counter))
        };
        Self {
            missed: Reason::ALL.map(missed),
            retries: Counter::new(counter!("audit_lane_retries_total", labels.clone())),
            events: gauge!("audit_lane_events", labels.clone()),
            bytes: gauge!("audit_lane_bytes", labels.clone()),
            append_seconds: histogram!("audit_append_seconds", labels),
        }
    }

    pub(super) fn missed(&self, of: Reason, n_events: u64) {
        for (reason, counter) in &self.missed {
            if *reason == of {
                counter.add(n_events);
            }
        }
    }

    pub(super) fn n_missed(&self) -> u64 {
        self.missed.iter().map(|(_, counter)| counter.get()).sum()
    }

    pub(super) fn retried(&self) {
        self.retries.add_one();
    }

    pub(super) fn appended(&self, took: Duration) {
        self.append_seconds.record(took);
    }

    pub(super) fn holds(&self, n_events: usize, bytes: usize) {
        self.events.set(float(n_events));
        self.bytes.set(float(bytes));
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meters")
    }
}

//! The numbers of a spool. Their table is that of the logger, `audit_core::logger::metrics`, which
//! also tells how much waits: `audit_forwarding_…`.

use std::fmt;
use std::time::Duration;

use audit_core::event::Timestamp;
use audit_core::sink::Receipt;
use metrics::{Counter, Histogram, counter, histogram};

use super::backlog::count;

pub(super) struct Meters {
    forwarded: Counter,
    dead_letters: Counter,
    retries: Counter,
    time_to_queryable: Histogram,
}

impl Meters {
    pub(super) fn new(name: &str) -> Self {
        let labels = [("sink", name.to_owned())];
        Self {
            forwarded: counter!("audit_spool_forwarded_total", &labels),
            dead_letters: counter!("audit_spool_dead_letters_total", &labels),
            retries: counter!("audit_spool_retries_total", &labels),
            time_to_queryable: histogram!("audit_time_to_queryable_seconds", &labels),
        }
    }

    pub(super) fn forwarded(&self, receipts: &[Receipt]) {
        let n_kept = receipts.iter().filter(|receipt| receipt.is_kept()).count();
        add(&self.forwarded, n_kept);
    }

    pub(super) fn set_aside(&self, n_events: usize) {
        add(&self.dead_letters, n_events);
    }

    pub(super) fn retried(&self) {
        self.retries.increment(1);
    }

    /// So many events went from the spool to the store in this time.
    pub(super) fn queryable(&self, spooled_at: Timestamp, now: Timestamp, n_events: usize) {
        let micros = now.as_micros() - spooled_at.as_micros();
        let waited = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        self.time_to_queryable.record_many(waited, n_events);
    }
}

/// Nothing adds zero.
fn add(counter: &Counter, n: usize) {
    if n > 0 {
        counter.increment(count(n));
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meters")
    }
}

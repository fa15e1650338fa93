//! The numbers of a logger, for whoever installed a recorder of the [`metrics`] facade.
//!
//! Each carries the labels `logger` (what was given to
//! [`writer_name`](super::AuditLoggerBuilder::writer_name), else `audit`) and `sink` (what was
//! given to [`sink_name`](super::AuditLoggerBuilder::sink_name), else `sink`). A recorder has to be
//! installed before the logger is built.
//!
//! | name | kind, unit | what |
//! |---|---|---|
//! | `audit_accepted_total` | counter | records that entered the queue, loss events among them |
//! | `audit_stored_total` | counter | records that the sink stored |
//! | `audit_duplicates_total` | counter | records that the sink had before |
//! | `audit_refused_total` | counter | records that the sink refused |
//! | `audit_failed_total` | counter | records that failed for another reason than their own |
//! | `audit_shed_total` | counter | calls without a record, because the queue was full |
//! | `audit_unrecorded_total` | counter | calls that went on although their records could not begin |
//! | `audit_announced_total` | counter | calls that were on record before their tools ran |
//! | `audit_interrupted_total` | counter | calls of a logger that died, found afterwards |
//! | `audit_batches_total` | counter | batches that the sink answered for |
//! | `audit_retries_total` | counter | appends that were tried again |
//! | `audit_batch_events` | histogram | events of a batch that the sink answered for |
//! | `audit_time_to_durable_seconds` | histogram, seconds | from the end of a call to the sink's first answer |
//! | `audit_time_to_queryable_seconds` | histogram, seconds | from the end of a call until readers see it; of a spool, by the spool itself |
//! | `audit_queue_events` | gauge | records in the queue and in the batch in flight |
//! | `audit_queue_bytes` | gauge, bytes | what they take in memory |
//! | `audit_queue_most_events` | gauge | the most records that were there at once |
//! | `audit_queue_most_bytes` | gauge, bytes | the most bytes that were there at once |
//! | `audit_open_calls` | gauge | calls that have begun and not ended |
//! | `audit_oldest_unacknowledged_seconds` | gauge, seconds | how long the oldest of the queue's records waits for the sink |
//! | `audit_forwarding_events` | gauge | events that a spool keeps and its store does not have |
//! | `audit_forwarding_bytes` | gauge, bytes | what they take on the disk |
//! | `audit_forwarding_oldest_seconds` | gauge, seconds | how long ago the oldest of these calls began |
//!
//! A [`FanOut`](crate::sink::FanOut) has numbers of its own, with the labels `fan_out` (what was given
//! to [`name`](crate::sink::FanOutBuilder::name), else `audit`) and `sink` (the sink's name in it):
//!
//! | name | kind, unit | what |
//! |---|---|---|
//! | `audit_lane_missed_total` | counter | events that the fan-out answered for and this sink does not have; label `reason`: `closed`, `failed`, `lane_full`, `refused` |
//! | `audit_lane_retries_total` | counter | appends that a lane tried again |
//! | `audit_lane_events` | gauge | events that wait in a lane, the ones in flight among them |
//! | `audit_lane_bytes` | gauge, bytes | what they take in memory |
//! | `audit_append_seconds` | histogram, seconds | how long one append to the sink took, whatever it answered |
//!
//! The spool of `audit-sqlite` has these, with the label `sink` (what was given to its
//! configuration's `name`, else `spool`), and `audit_time_to_queryable_seconds`:
//!
//! | name | kind, unit | what |
//! |---|---|---|
//! | `audit_spool_forwarded_total` | counter | spooled events that the store has now |
//! | `audit_spool_dead_letters_total` | counter | spooled events that the store refused for good |
//! | `audit_spool_retries_total` | counter | batches that were sent again |
//!
//! Counters count each record once, and never add zero. Gauges are set with each batch, by
//! [`health`](crate::AuditLogger::health), and by
//! [`publish_metrics`](crate::AuditLogger::publish_metrics), which a scrape calls first;
//! those of a lane whenever a batch enters or leaves it.

use std::fmt;
use std::time::Duration;

use metrics::{Gauge, Histogram, counter, gauge, histogram};

use super::queue::Usage;
use crate::event::Timestamp;
use crate::meter::{Counter, float};
use crate::sink::Forwarding;

/// The numbers of one logger.
pub(super) struct Meters {
    pub(super) accepted: Counter,
    pub(super) stored: Counter,
    pub(super) duplicates: Counter,
    pub(super) refused: Counter,
    pub(super) failed: Counter,
    pub(super) shed: Counter,
    pub(super) unrecorded: Counter,
    pub(super) announced: Counter,
    pub(super) interrupted: Counter,
    pub(super) batches: Counter,
    pub(super) retries: Counter,
    batch_events: Histogram,
    time_to_durable: Histogram,
    /// `None` for a sink that answers twice: it knows itself when its store has an event.
    time_to_queryable: Option<Histogram>,
    queue_events: Gauge,
    queue_bytes: Gauge,
    queue_most_events: Gauge,
    queue_most_bytes: Gauge,
    open_calls: Gauge,
    oldest_unacknowledged: Gauge,
    forwarding: Option<ForwardingGauges>,
}

struct ForwardingGauges {
    events: Gauge,
    bytes: Gauge,
    oldest: Gauge,
}

impl Meters {
    pub(super) fn new(logger: &str, sink: &str, forwards: bool) -> Self {
        let labels = [("logger", logger.to_owned()), ("sink", sink.to_owned())];
        let count = |name: &'static str| Counter::new(counter!(name, &labels));
        Self {
            accepted: count("audit_accepted_total"),
            stored: count("audit_stored_total"),
            duplicates: count("audit_duplicates_total"),
            refused: count("audit_refused_total"),
            failed: count("audit_failed_total"),
            shed: count("audit_shed_total"),
            unrecorded: count("audit_unrecorded_total"),
            announced: count("audit_announced_total"),
            interrupted: count("audit_interrupted_total"),
            batches: count("audit_batches_total"),
            retries: count("audit_retries_total"),
            batch_events: histogram!("audit_batch_events", &labels),
            time_to_durable: histogram!("audit_time_to_durable_seconds", &labels),
            time_to_queryable: (!forwards)
                .then(|| histogram!("audit_time_to_queryable_seconds", &labels)),
            queue_events: gauge!("audit_queue_events", &labels),
            queue_bytes: gauge!("audit_queue_bytes", &labels),
            queue_most_events: gauge!("audit_queue_most_events", &labels),
            queue_most_bytes: gauge!("audit_queue_most_bytes", &labels),
            open_calls: gauge!("audit_open_calls", &labels),
            oldest_unacknowledged: gauge!("audit_oldest_unacknowledged_seconds", &labels),
            forwarding: forwards.then(|| ForwardingGauges {
                events: gauge!("audit_forwarding_events", &labels),
                bytes: gauge!("audit_forwarding_bytes", &labels),
                oldest: gauge!("audit_forwarding_oldest_seconds", &labels),
            }),
        }
    }

    /// The sink answered for a batch of so many events.
    pub(super) fn answered(&self, n_events: usize) {
        self.batches.add_one();
        self.batch_events.record(float(n_events));
    }

    /// The sink keeps a record that had waited so long.
    pub(super) fn kept(&self, waited: Duration) {
        self.time_to_durable.record(waited);
        if let Some(time_to_queryable) = &self.time_to_queryable {
            time_to_queryable.record(waited);
        }
    }

    /// Sets the gauges.
    pub(super) fn publish(
        &self,
        usage: &Usage,
        n_open_calls: usize,
        now: (Duration, Timestamp),
        forwarding: Option<Forwarding>,
    ) {
        let waits = |since: Option<Duration>| {
            since.map_or(0.0, |since| now.0.saturating_sub(since).as_secs_f64())
        };
        self.queue_events.set(float(usage.events));
        self.queue_bytes.set(float(usage.bytes));
        self.queue_most_events.set(float(usage.most_events));
        self.queue_most_bytes.set(float(usage.most_bytes));
        self.open_calls.set(float(n_open_calls));
        self.oldest_unacknowledged.set(waits(usage.oldest));
        if let (Some(gauges), Some(forwarding)) = (&self.forwarding, forwarding) {
            gauges.events.set(float(forwarding.n_events));
            gauges.bytes.set(float(forwarding.bytes));
            let micros = forwarding
                .oldest
                .map_or(0, |oldest| now.1.as_micros() - oldest.as_micros());
            let age = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
            gauges.oldest.set(age.as_secs_f64());
        }
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meters")
    }
}

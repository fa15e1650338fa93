//! Sinks that do not end well.

use async_trait::async_trait;
use audit_core::event::AuditEvent;
use audit_core::sink::{Appended, Health};
use audit_core::{Error, ErrorKind};

use super::catching::catches;
use super::quirk::Quirk;
use super::table::Table;

catches! {
    a_sink_that_forgets_on_close: ForgetsOnClose =>
        close_keeps_what_was_stored,
        also [
            a_cancelled_close_can_be_repeated,
            append_after_close_is_refused,
        ],
        says "what was stored stays stored behind a close";
    a_sink_that_accepts_after_close: AcceptsAfterClose =>
        append_after_close_is_refused,
        says "an append behind a close is an error";
    a_sink_that_calls_a_close_an_outage: CallsItAnOutage =>
        append_after_close_is_refused,
        says "an append behind a close is an error that is closed";
    a_sink_that_closes_once: ClosesOnce =>
        closing_twice_is_ok,
        also [
            a_cancelled_close_can_be_repeated,
        ],
        says "also again, is `Ok`";
    a_sink_that_is_always_ready: IsAlwaysReady =>
        health_follows_the_state,
        says "a sink that is closed is not ready";
}

/// Drops its buffer instead of writing it.
#[derive(Default)]
struct ForgetsOnClose;

#[async_trait]
impl Quirk for ForgetsOnClose {
    async fn close(&self, table: &Table<Self>) -> Result<(), Error> {
        let mut rows = table.rows();
        let n_written = rows.kept.len() / 4 * 4;
        rows.kept.truncate(n_written);
        rows.is_closed = true;
        Ok(())
    }
}

/// Does not look whether it is closed.
#[derive(Default)]
struct AcceptsAfterClose;

#[async_trait]
impl Quirk for AcceptsAfterClose {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let was_closed = std::mem::take(&mut table.rows().is_closed);
        let stored = table.store(events);
        table.rows().is_closed = was_closed;
        stored
    }
}

/// Says that another try may help.
#[derive(Default)]
struct CallsItAnOutage;

#[async_trait]
impl Quirk for CallsItAnOutage {
    async fn append(&self, table: &Table<Self>, events: &[AuditEvent]) -> Result<Appended, Error> {
        let stored = table.store(events);
        stored.map_err(|error| match error.kind() {
            ErrorKind::Closed => Error::new(ErrorKind::Unavailable, "the pool is gone"),
            _ => error,
        })
    }
}

/// Takes a second close for a mistake.
#[derive(Default)]
struct ClosesOnce;

#[async_trait]
impl Quirk for ClosesOnce {
    async fn close(&self, table: &Table<Self>) -> Result<(), Error> {
        if std::mem::replace(&mut table.rows().is_closed, true) {
            return Err(Error::new(ErrorKind::Closed, "closed"));
        }
        Ok(())
    }
}

/// Never looks.
#[derive(Default)]
struct IsAlwaysReady;

impl Quirk for IsAlwaysReady {
    fn health(&self, _table: &Table<Self>) -> Health {
        Health::ready()
    }
}
